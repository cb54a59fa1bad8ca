// Package sqlstore keeps materials, accounts and grants in SQL: one text for every
// engine, migrations apart only where they must differ. It decides nothing; the rules
// stand in package library.
package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sucai/internal/library"
)

// Store implements library.Materials and library.Accounts.
type Store struct {
	read  *sql.DB
	write *sql.DB
	lock  func(ctx context.Context) (unlock func(), err error) // held around each write
	close func() error

	prepared map[*sql.DB][]*sql.Stmt // by statement, for read and for write
}

var (
	_ library.Materials = (*Store)(nil)
	_ library.Accounts  = (*Store)(nil)
)

// Role says what a process opens a store for.
type Role int

const (
	// Command changes accounts, while a server runs on the store or not. It brings the
	// schema up to date only where no server runs.
	Command Role = iota
	// Server is the one process that serves the store and writes materials.
	Server
)

// ErrServed means that another server runs on the same database.
var ErrServed = errors.New("another sucai serves this database")

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

// Ready implements library.Materials and, with it, library.Accounts.
func (s *Store) Ready(ctx context.Context) error {
	return s.look(ctx, func(q query) error {
		var one int
		return q.row(selectReady).Scan(&one)
	})
}

// query runs statements, inside one transaction where there is one. Its errors are the
// driver's; look, view and change turn them into those of the contract.
type query struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared []*sql.Stmt
}

// look runs fn, which makes one statement and so needs no transaction around it.
func (s *Store) look(ctx context.Context, fn func(q query) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return wrap(fn(query{ctx, nil, s.prepared[s.read]}))
}

// view runs fn in a read-only snapshot.
func (s *Store) view(ctx context.Context, fn func(q query) error) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer tx.Rollback()
	return wrap(fn(query{ctx, tx, s.prepared[s.read]}))
}

// change runs fn in a transaction that excludes other writers, and commits it when fn
// succeeds: when change returns nil, what fn did is on disk.
func (s *Store) change(ctx context.Context, limit time.Duration, fn func(q query) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	unlock, err := s.lock(ctx)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer unlock()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	defer tx.Rollback()
	if err := fn(query{ctx, tx, s.prepared[s.write]}); err != nil {
		return wrap(err)
	}
	return wrap(tx.Commit())
}

// wrap gives errors of the contract, and of callbacks, as they are.
func wrap(err error) error {
	var own *callbackError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own.err
	case errors.Is(err, sql.ErrNoRows):
		return library.ErrNotFound
	case errors.Is(err, library.ErrNotFound), errors.Is(err, library.ErrExists),
		errors.Is(err, library.ErrFull), errors.Is(err, library.ErrConflict):
		return err
	case isUnique(err):
		return library.ErrExists
	}
	return fmt.Errorf("database: %w", err)
}

// callbackError carries an error of the caller's own code out of a transaction.
type callbackError struct{ err error }

func (e *callbackError) Error() string { return e.err.Error() }
func (e *callbackError) Unwrap() error { return e.err }

// statement is an SQL text, prepared once for each pool when a store is opened: a
// transaction holds the only connection of the write pool, so it is too late then.
type statement int

var texts []string

func sqlText(text string) statement {
	texts = append(texts, text)
	return statement(len(texts) - 1)
}

func (s *Store) prepare(ctx context.Context) error {
	s.prepared = map[*sql.DB][]*sql.Stmt{}
	for _, db := range []*sql.DB{s.read, s.write} {
		if s.prepared[db] != nil {
			continue // one pool for both
		}
		for _, text := range texts {
			st, err := db.PrepareContext(ctx, text)
			if err != nil {
				return fmt.Errorf("database: %w", err)
			}
			s.prepared[db] = append(s.prepared[db], st)
		}
	}
	return nil
}

func (q query) statement(st statement) *sql.Stmt {
	if q.tx == nil {
		return q.prepared[st]
	}
	return q.tx.StmtContext(q.ctx, q.prepared[st])
}

func (q query) row(st statement, args ...any) *sql.Row {
	return q.statement(st).QueryRowContext(q.ctx, args...)
}

func (q query) rows(st statement, args ...any) (*sql.Rows, error) {
	return q.statement(st).QueryContext(q.ctx, args...)
}

// exec gives the number of rows that were changed.
func (q query) exec(st statement, args ...any) (int64, error) {
	res, err := q.statement(st).ExecContext(q.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
