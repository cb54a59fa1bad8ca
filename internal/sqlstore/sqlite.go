package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations
var migrations embed.FS

// readers is how many connections read at once; each has a page cache of its own.
const readers = 4

// OpenSQLite opens, and makes where there is none, the database at path. Its files are
// readable by their owner only: they hold tokens and keys.
//
// Two locks stand beside the file. PATH.served is held by the one server; PATH.write by
// every process around each write, since pooled writers of several processes starve
// each other on SQLite's own lock.
func OpenSQLite(ctx context.Context, path string, role Role) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) // SQLite's other files take its mode
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}

	served := flock.New(path+".served", flock.SetPermissions(0o600))
	writing := flock.New(path+".write", flock.SetPermissions(0o600))
	s := &Store{lock: exclusive(writing), snapshot: &sql.TxOptions{ReadOnly: true}}
	s.clock = func(context.Context) (time.Time, error) { return time.Now(), nil }
	s.close = func() error { return errors.Join(served.Close(), writing.Close()) }
	if s.read, err = sql.Open("sqlite", sqliteURL(path, "query_only(1)")); err != nil {
		return nil, err
	}
	if s.write, err = sql.Open("sqlite", sqliteURL(path)+"&_txlock=immediate"); err != nil {
		return nil, err
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	s.write.SetMaxOpenConns(1)
	if err := s.openSQLite(ctx, served, role); err != nil {
		s.Close()
		if errors.Is(err, ErrServed) {
			return nil, fmt.Errorf("%w: %s", err, path)
		}
		if e := (*sqlite.Error)(nil); errors.As(err, &e) && e.Code() == sqlite3.SQLITE_NOTADB {
			return nil, fmt.Errorf("%s is no SQLite database, or a damaged one: name another file, or restore a backup", path)
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file, err := os.Stat(path)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.there = func() error { return isStill(file, path) }
	return s, nil
}

// isStill tells whether a file is where it was.
func isStill(file fs.FileInfo, path string) error {
	now, err := os.Stat(path)
	if err == nil && !os.SameFile(file, now) {
		err = fmt.Errorf("%s is another file than when it was opened: start sucai anew", path)
	}
	return err
}

// openSQLite takes part among the processes of a database. The server's lock is taken,
// and tried by commands, only while the lock of writing is held: so commands never take
// each other for a server, and one that holds its lock has brought the schema up to date.
func (s *Store) openSQLite(ctx context.Context, served *flock.Flock, role Role) error {
	for end := time.Now().Add(callTime); ; time.Sleep(10 * time.Millisecond) {
		unlock, err := s.lock(ctx)
		if err != nil {
			return err
		}
		alone, err := served.TryLock()
		if err == nil && (alone || role == Command) {
			err = s.open(ctx, role, alone)
			if role == Command && alone {
				err = errors.Join(err, served.Unlock()) // a server may start while we work
			}
			unlock()
			return err
		}
		unlock()
		if err != nil {
			return err
		}
		if time.Now().After(end) { // the other server is not about to end
			return ErrServed
		}
	}
}

func sqliteURL(path string, pragmas ...string) string {
	v := url.Values{"_pragma": append([]string{
		"busy_timeout(5000)",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"cache_size(-4096)", // KiB a connection
	}, pragmas...)}
	// A connection never makes the file: where it was taken away while we run, an empty one
	// in its place would look like the store to some connections.
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?mode=rw&" + v.Encode()
}

// exclusive makes a lock for this process' goroutines and all other processes.
func exclusive(file *flock.Flock) func(context.Context) (func(), error) {
	turn := make(chan struct{}, 1)
	return func(ctx context.Context) (func(), error) {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if _, err := file.TryLockContext(ctx, time.Millisecond); err != nil {
			<-turn
			return nil, err
		}
		return func() {
			file.Unlock()
			<-turn
		}, nil
	}
}

// open brings the schema up to date, or checks that it is, and prepares the statements.
// The caller holds the lock of writing.
func (s *Store) open(ctx context.Context, role Role, migrate bool) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.write, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	switch {
	case have > want:
		return fmt.Errorf("its schema is version %d, this sucai knows %d: %w", have, want, ErrNewer)
	case have < want && !migrate:
		return fmt.Errorf("its schema is version %d, this sucai needs %d, and a server runs on it: stop the server or use its version of sucai", have, want)
	}
	if _, err := p.Up(ctx); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	return s.begin(ctx, role)
}

func isUniqueSQLite(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) &&
		(e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY)
}
