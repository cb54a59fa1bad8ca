package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/metrics"
	"sucai/internal/sqlstore"
)

// storeFlags say where a store is; the same for every command that opens one.
type storeFlags struct {
	data, db, blobs   string
	flags             *pflag.FlagSet
	dbFlag, bytesFlag string           // the names of the flags that db and blobs are from
	blobCache         byteSize         // of a bucket's blobs in memory; for servers
	metrics           *metrics.Metrics // that count what the store does; nil: nobody does
}

func (f *storeFlags) add(flags *pflag.FlagSet) {
	f.flags, f.dbFlag, f.bytesFlag = flags, "db", "blobs"
	flags.StringVar(&f.data, "data", "./sucai-data", "`directory` of the database and the blobs")
	flags.StringVar(&f.db, "db", "", "`path` of the database, or postgres://USER@HOST:PORT/DATABASE for many servers on one (default DATA/sucai.db)")
	flags.StringVar(&f.blobs, "blobs", "", "`place` of the blobs: a directory (default DATA/blobs), or s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=REGION")
}

// storeHelp tells, in the help of serve, which place is for whom.
const storeHelp = `--db postgres://.. keeps all but the bytes of materials in PostgreSQL, on which any number of
servers may run. Its password comes by SUCAI_DB, which may hold the whole address, or by
PGPASSWORD. A server holds 16 connections at most; ?pool_max_conns=N in the address changes
that. The machine's clock and the database's must agree within 5 seconds.

--blobs s3://.. keeps the bytes in a bucket of any S3-compatible store; uploads pass through
files in DATA. Without endpoint it is AWS. Credentials come from AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, the shared AWS file or the machine's role, never by flag.

With neither, all is in one directory: the fastest, and enough for one machine. PostgreSQL
and a bucket leave nothing on a machine: on both, any number of servers are one service.
SQLite with a bucket is for one machine whose disk is small, or whose bytes somebody else
shall keep safe. PostgreSQL with a directory is for one server whose database others look
after.`

// paths gives the places of the database and of the blobs.
func (f *storeFlags) paths() (db, bytes string, err error) {
	db, bytes = f.db, f.blobs
	if db == "" {
		db = filepath.Join(f.data, "sucai.db")
	}
	if bytes == "" {
		bytes = filepath.Join(f.data, "blobs")
	}
	if isPostgres(db) {
		if hasPassword(db) && !isFromEnvironment(f.flags, f.dbFlag) {
			return "", "", usagef("--%s holds a password, which all users of this machine can see: set %s to the address instead, or PGPASSWORD to the password", f.dbFlag, variableOf(f.dbFlag))
		}
	} else if strings.Contains(db, "://") {
		scheme, _, _ := strings.Cut(db, "://") // the rest may hold a password
		return "", "", usagef("--%s %s://..: a path is wanted, or postgres://USER@HOST:PORT/DATABASE", f.dbFlag, scheme)
	}
	if scheme, _, found := strings.Cut(bytes, "://"); found && !blobs.IsS3(bytes) {
		return "", "", usagef("--%s %s://..: a directory or s3://BUCKET/PREFIX is wanted", f.bytesFlag, scheme)
	}
	return db, bytes, nil
}

func isPostgres(db string) bool {
	return strings.HasPrefix(db, "postgres://") || strings.HasPrefix(db, "postgresql://")
}

// hasPassword reads an address as strangers write it: with several hosts, or with signs in
// a password that do not belong there.
func hasPassword(address string) bool {
	_, rest, _ := strings.Cut(address, "://")
	rest, text, _ := strings.Cut(rest, "?")
	if at := strings.LastIndex(rest, "@"); at >= 0 && strings.Contains(rest[:at], ":") {
		return true
	}
	query, err := url.ParseQuery(text)
	return err != nil || query.Has("password") || query.Has("sslpassword")
}

// missing gives what of a store is not there, "" where all is.
func (f *storeFlags) missing(ctx context.Context) (string, error) {
	db, bytes, err := f.paths()
	if err != nil {
		return "", err
	}
	paths := []string{db, bytes}
	if isPostgres(db) {
		if empty, err := sqlstore.PostgresIsEmpty(ctx, db); err != nil || empty {
			return "what sucai keeps in the database of --db", err
		}
		paths = paths[1:]
	}
	for _, path := range paths {
		if blobs.IsS3(path) {
			return f.missingBucket(ctx, path)
		}
		switch _, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return path, nil
		case err != nil:
			return "", err
		}
	}
	return "", nil
}

// missingBucket gives a place in a bucket that no store has claimed, "" where one has.
func (f *storeFlags) missingBucket(ctx context.Context, address string) (string, error) {
	s, err := blobs.OpenS3(address, f.scratch())
	if err != nil {
		return "", err
	}
	defer s.Close()
	there, err := s.Exists(ctx)
	if err != nil || there {
		return "", err
	}
	return s.String(), nil
}

// acceptCopy makes a copy that is not finished count as finished.
func (f *storeFlags) acceptCopy(ctx context.Context) (err error) {
	if missing, err := f.missing(ctx); err != nil || missing != "" {
		return cmp.Or(err, noStore(missing))
	}
	ls, closeStore, err := f.open(ctx, sqlstore.Command, library.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	st, err := ls.Accounts.Store(ctx)
	if err != nil || !st.Unfinished {
		return err
	}
	slog.Warn("this is a copy that is not finished, and is made a store of its own: what was not copied is missing")
	return ls.Accounts.FinishCopy(ctx)
}

// scratch is where uploads wait that are on their way to a bucket.
func (f *storeFlags) scratch() string { return filepath.Join(f.data, "scratch") }

// openBlobs picks the engine of the blobs. The caller closes what it gets.
func (f *storeFlags) openBlobs(place string) (library.Blobs, func() error, error) {
	if blobs.IsS3(place) {
		s, err := blobs.OpenS3(place, f.scratch())
		if err != nil {
			return nil, nil, err
		}
		s.Cache(int64(f.blobCache))
		if f.metrics != nil {
			f.metrics.BlobCache(func() (library.CacheStats, int64) {
				c := s.CacheFigures()
				return library.CacheStats{Hits: c.Hits, Misses: c.Misses}, c.Bytes
			})
		}
		return s, s.Close, nil
	}
	dir, err := blobs.OpenDir(place)
	return dir, func() error { return nil }, err
}

// open picks the engines and joins them. The caller closes what it gets.
func (f *storeFlags) open(ctx context.Context, role sqlstore.Role, o library.Options) (*library.Libraries, func() error, error) {
	e, closeAll, err := f.engines(ctx, role)
	if err != nil {
		return nil, nil, err
	}
	ls, err := library.Open(ctx, e, o)
	if err != nil {
		return nil, nil, errors.Join(err, closeAll())
	}
	return ls, closeAll, nil
}

// engines picks the engines. The caller closes what it gets.
func (f *storeFlags) engines(ctx context.Context, role sqlstore.Role) (library.Engines, func() error, error) {
	dbPath, place, err := f.paths()
	if err != nil {
		return library.Engines{}, nil, err
	}
	bytes, closeBlobs, err := f.openBlobs(place) // first: a wrong address shall not leave a new database
	if err != nil {
		return library.Engines{}, nil, err
	}
	db, err := openDatabase(ctx, dbPath, role)
	if err != nil {
		return library.Engines{}, nil, errors.Join(err, closeBlobs())
	}
	if f.metrics != nil {
		db.Observe(f.metrics.StoreCall)
		f.metrics.Pools(db.Pools)
		bytes = blobs.Observed(bytes, f.metrics.StoreCall)
	}
	return library.Engines{Materials: db, Accounts: db, Blobs: bytes}, func() error { return errors.Join(db.Close(), closeBlobs()) }, nil
}

func openDatabase(ctx context.Context, db string, role sqlstore.Role) (*sqlstore.Store, error) {
	if isPostgres(db) {
		return sqlstore.OpenPostgres(ctx, db, role)
	}
	s, err := sqlstore.OpenSQLite(ctx, db, role)
	if errors.Is(err, sqlstore.ErrServed) {
		return nil, errors.New(err.Error() + "; stop it, or give this one another --data")
	}
	return s, err
}

// readSecret reads a secret from the file of --secret-file, or from standard input for
// "-"; it is "" where the flag is not set. A file without one is an error: a script's
// slip must not become a secret of another origin.
func readSecret(flags *pflag.FlagSet) (string, error) {
	flag := flags.Lookup("secret-file")
	if !flag.Changed {
		return "", nil
	}
	path := flag.Value.String()
	switch path {
	case "":
		return "", usagef("--secret-file: the name of a file is wanted, - for standard input")
	case "-":
		path = os.Stdin.Name()
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--secret-file: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("--secret-file: %s holds no secret", path)
	}
	return secret, nil
}
