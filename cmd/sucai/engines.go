package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/sqlstore"
)

// storeFlags say where a store is; the same for every command that opens one.
type storeFlags struct {
	data, db, blobs string
	flags           *pflag.FlagSet
}

func (f *storeFlags) add(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.data, "data", "./sucai-data", "`directory` of the database and the blobs")
	flags.StringVar(&f.db, "db", "", "`path` of the database, or postgres://USER@HOST:PORT/DATABASE for many servers on one (default DATA/sucai.db)")
	flags.StringVar(&f.blobs, "blobs", "", "`directory` of the blobs (default DATA/blobs)")
}

// paths gives the places of the database and of the blobs.
func (f *storeFlags) paths() (db, blobs string, err error) {
	db, blobs = f.db, f.blobs
	if db == "" {
		db = filepath.Join(f.data, "sucai.db")
	}
	if blobs == "" {
		blobs = filepath.Join(f.data, "blobs")
	}
	if isPostgres(db) {
		if hasPassword(db) && !isFromEnvironment(f.flags, "db") {
			return "", "", usagef("--db holds a password, which all users of this machine can see: set SUCAI_DB to the address instead, or PGPASSWORD to the password")
		}
	} else if strings.Contains(db, "://") {
		scheme, _, _ := strings.Cut(db, "://") // the rest may hold a password
		return "", "", usagef("--db %s://..: a path is wanted, or postgres://USER@HOST:PORT/DATABASE", scheme)
	}
	if strings.Contains(blobs, "://") {
		return "", "", usagef("--blobs %s: this sucai knows local paths only", blobs)
	}
	return db, blobs, nil
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
	db, blobs, err := f.paths()
	if err != nil {
		return "", err
	}
	paths := []string{db, blobs}
	if isPostgres(db) {
		if empty, err := sqlstore.PostgresIsEmpty(ctx, db); err != nil || empty {
			return "what sucai keeps in the database of --db", err
		}
		paths = paths[1:]
	}
	for _, path := range paths {
		switch _, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return path, nil
		case err != nil:
			return "", err
		}
	}
	return "", nil
}

// open picks the engines and joins them. The caller closes what it gets.
func (f *storeFlags) open(ctx context.Context, role sqlstore.Role, o library.Options) (*library.Libraries, func() error, error) {
	dbPath, blobPath, err := f.paths()
	if err != nil {
		return nil, nil, err
	}
	db, err := openDatabase(ctx, dbPath, role)
	if err != nil {
		return nil, nil, err
	}
	dir, err := blobs.OpenDir(blobPath)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	ls, err := library.Open(ctx, library.Engines{Materials: db, Accounts: db, Blobs: dir}, o)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return ls, db.Close, nil
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
