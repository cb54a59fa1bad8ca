// Package sqlstore keeps materials, accounts and grants in SQL: one text for every
// engine, migrations apart only where they must differ. It decides nothing; the rules
// stand in package library.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"sucai/internal/library"
)

// Store implements library.Materials and library.Accounts.
type Store struct {
	read     *sql.DB
	write    *sql.DB
	lock     func(ctx context.Context) (unlock func(), err error) // held around each write
	close    func() error
	clock    func(ctx context.Context) (time.Time, error)
	snapshot *sql.TxOptions // of view
	writing  *sql.TxOptions // of change
	there    func() error   // whether files are where they were; nil where there are none
	observe  library.Observe

	broke    atomic.Pointer[time.Time] // when a connection was last found broken
	pass     atomic.Pointer[string]    // of the copy that this one makes, after Adopt
	prepared map[*sql.DB][]*sql.Stmt   // by statement, for read and for write; nil where the driver keeps them
}

var (
	_ library.Materials = (*Store)(nil)
	_ library.Accounts  = (*Store)(nil)
)

// Role says what a process opens a store for.
type Role int

const (
	// Command changes accounts, while a server runs on the store or not. It brings the
	// schema up to date only where no server can be running.
	Command Role = iota
	// Server is a process that serves the store and writes materials; on SQLite there is
	// only one.
	Server
	// Copier fills a store in the place of a server: no server may run meanwhile, and on
	// SQLite none can.
	Copier
)

// ErrServed means that another server runs on the same database.
var ErrServed = errors.New("another sucai serves this database")

// ErrNewer means that a later release has written a database.
var ErrNewer = errors.New("use a newer sucai")

// callTime bounds one call; batchTime one of a long series, such as an import.
const (
	callTime  = 3 * time.Second
	batchTime = time.Minute
)

// Close lets go of the database.
func (s *Store) Close() error {
	err := errors.Join(s.read.Close(), s.write.Close())
	return errors.Join(err, s.close())
}

var selectReady = sqlText(`select one from store`)

// Ready implements library.Materials and, with it, library.Accounts. A database whose file
// was removed or replaced would go on to answer, and lose all at its end.
func (s *Store) Ready(ctx context.Context) error {
	if s.there != nil {
		if err := s.there(); err != nil {
			return err
		}
	}
	return s.look(ctx, func(q query) error {
		var one int
		return q.row(selectReady).Scan(&one)
	})
}

// within gives a call its time.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if library.IsPatient(ctx) {
		limit = max(limit, batchTime)
	}
	return context.WithTimeout(ctx, limit)
}

// look runs fn, which makes one statement and so needs no transaction around it. fn may
// run more than once.
func (s *Store) look(ctx context.Context, fn func(q query) error) error {
	start, caller := time.Now(), ctx
	ctx, cancel := within(ctx, callTime)
	defer cancel()
	err := s.again(ctx, func() error {
		return fn(query{ctx, s.read, nil, s.prepared[s.read]})
	})
	return s.told(caller, library.DatabaseRead, start, err)
}

// view runs fn in a read-only snapshot. fn may run more than once, until it returns a
// callbackError.
func (s *Store) view(ctx context.Context, limit time.Duration, fn func(q query) error) error {
	start, caller := time.Now(), ctx
	ctx, cancel := within(ctx, limit)
	defer cancel()
	err := s.again(ctx, func() error {
		tx, err := s.read.BeginTx(ctx, s.snapshot)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		return fn(query{ctx, s.read, tx, s.prepared[s.read]})
	})
	return s.told(caller, library.DatabaseSnapshot, start, err)
}

// change runs fn in a transaction and commits it when fn succeeds: when change returns
// nil, what fn did is on disk. On SQLite it excludes other writers. On PostgreSQL it
// excludes those that lock the same rows; the order is counter, material, buckets, and
// component, account.
//
// fn may run more than once, each time on a state without what it did before. An error
// that isUnknown is of a commit that may have happened or not.
func (s *Store) change(ctx context.Context, limit time.Duration, fn func(q query) error) error {
	start, caller := time.Now(), ctx
	ctx, cancel := within(ctx, limit)
	defer cancel()
	unlock, err := s.lock(ctx)
	if err != nil {
		return s.told(caller, library.DatabaseWrite, start, err)
	}
	defer unlock()
	err = s.again(ctx, func() error {
		tx, err := s.write.BeginTx(ctx, s.writing)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		q := query{ctx, s.write, tx, s.prepared[s.write]}
		if err := s.holdsPass(q); err != nil {
			return err
		}
		if err := fn(q); err != nil {
			return err
		}
		if err = tx.Commit(); err != nil && !isUndone(err) {
			return &unknownError{err}
		}
		return err
	})
	return s.told(caller, library.DatabaseWrite, start, err)
}

// brokenTries is how often something is run because its connection broke. Those that are
// as old as a broken one are not used again.
const brokenTries = 3

// again runs once until it succeeds, fails for good, or ctx ends. What was undone because
// of others is run again, what was cut off before its commit, and what got no connection.
func (s *Store) again(ctx context.Context, once func() error) error {
	for try := 1; ; try++ {
		err := once()
		if isLost(err) {
			now := time.Now()
			s.broke.Store(&now)
		}
		var final *callbackError
		var unknown *unknownError
		switch {
		case err == nil, errors.As(err, &final), errors.As(err, &unknown):
			return err
		case isConflict(err), isBusy(err):
		case isLost(err) && try < brokenTries:
		default:
			return err
		}
		if !pause(ctx, try) {
			return err
		}
	}
}

// pause waits a little, longer at later tries and never the same time as another, so
// that those who were in each other's way are not again. It is false when ctx ended.
func pause(ctx context.Context, try int) bool {
	most := 4 * time.Millisecond << min(try, 5)
	t := time.NewTimer(most/4 + rand.N(most))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// wrap gives errors of the contract, and of callbacks, as they are.
func wrap(err error) error {
	var own *callbackError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own.err
	case isUnknown(err):
		return fmt.Errorf("database: %w", err)
	case errors.Is(err, sql.ErrNoRows):
		return library.ErrNotFound
	case errors.Is(err, library.ErrNotFound), errors.Is(err, library.ErrExists),
		errors.Is(err, library.ErrFull), errors.Is(err, library.ErrConflict):
		return err
	case isUnique(err):
		return library.ErrExists
	}
	if hint := poolerHint(postgresCode(err)); hint != "" {
		return fmt.Errorf("database: %w%s", err, hint)
	}
	return fmt.Errorf("database: %w", err)
}

// isUnique tells whether a unique name is taken.
func isUnique(err error) bool { return isUniqueSQLite(err) || postgresCode(err) == codeUnique }

// unknownError is trouble of a commit that may have happened or not: the connection
// broke, or time ran out, before its answer came.
type unknownError struct{ err error }

func (e *unknownError) Error() string {
	return "whether the change was kept is not known: " + e.err.Error()
}
func (e *unknownError) Unwrap() error { return e.err }

func isUnknown(err error) bool {
	var unknown *unknownError
	return errors.As(err, &unknown)
}

// callbackError carries an error of the caller's own code out of a transaction.
type callbackError struct{ err error }

func (e *callbackError) Error() string { return e.err.Error() }
func (e *callbackError) Unwrap() error { return e.err }
