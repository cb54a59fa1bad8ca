package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode/utf8"
)

// statement is an SQL text, the same for every database but for the clauses that lock
// rows.
//
// On SQLite each is prepared for each pool when a store is opened: a transaction holds
// the only connection of the write pool, so it is too late then. On PostgreSQL the
// driver prepares them by connection, when they are first used, or not at all where a
// pooler stands in between and the address says so.
type statement int

var texts []string

func sqlText(text string) statement {
	texts = append(texts, text)
	return statement(len(texts) - 1)
}

// postgresOnly are the statements that are not for SQLite.
var postgresOnly = map[statement]bool{}

func postgresText(text string) statement {
	st := sqlText(text)
	postgresOnly[st] = true
	return st
}

// What locks the rows that a statement reads until its transaction ends. The former
// excludes others who change them; the latter only their deletion.
const (
	forUpdate = " for no key update"
	forStay   = " for key share"
)

func (s *Store) prepare(ctx context.Context) error {
	s.prepared = map[*sql.DB][]*sql.Stmt{}
	for _, db := range []*sql.DB{s.read, s.write} {
		for i, text := range texts {
			if postgresOnly[statement(i)] {
				s.prepared[db] = append(s.prepared[db], nil)
				continue
			}
			st, err := db.PrepareContext(ctx, withoutLocks(text))
			if err != nil {
				return fmt.Errorf("database: %w", err)
			}
			s.prepared[db] = append(s.prepared[db], st)
		}
	}
	return nil
}

// withoutLocks is a statement for SQLite, where a transaction that writes is alone.
func withoutLocks(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(text, forUpdate), forStay)
}

// query runs statements, inside one transaction where there is one. Its errors are the
// driver's; look, view and change turn them into those of the contract.
type query struct {
	ctx      context.Context
	db       *sql.DB
	tx       *sql.Tx // nil outside of transactions
	prepared []*sql.Stmt
}

// runner is a pool or a transaction.
type runner interface {
	QueryRowContext(ctx context.Context, text string, args ...any) *sql.Row
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
}

func (q query) runner() runner {
	if q.tx != nil {
		return q.tx
	}
	return q.db
}

func (q query) statement(st statement) *sql.Stmt {
	if q.tx == nil {
		return q.prepared[st]
	}
	return q.tx.StmtContext(q.ctx, q.prepared[st])
}

func (q query) row(st statement, args ...any) *sql.Row {
	if q.prepared == nil {
		return q.runner().QueryRowContext(q.ctx, texts[st], args...)
	}
	return q.statement(st).QueryRowContext(q.ctx, args...)
}

func (q query) rows(st statement, args ...any) (*sql.Rows, error) {
	if q.prepared == nil {
		return q.runner().QueryContext(q.ctx, texts[st], args...)
	}
	return q.statement(st).QueryContext(q.ctx, args...)
}

// exec gives the number of rows that were changed.
func (q query) exec(st statement, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if q.prepared == nil {
		res, err = q.runner().ExecContext(q.ctx, texts[st], args...)
	} else {
		res, err = q.statement(st).ExecContext(q.ctx, args...)
	}
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// impossible tells whether no row has a name, because not every database can keep it.
func impossible(name string) bool {
	return !utf8.ValidString(name) || strings.ContainsRune(name, 0)
}
