package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

// What the tests on PostgreSQL see of the inside: they stand in a package of their own,
// beside what starts a server for them.

var FitPostgres = fitPostgres

const Connections = connections

// DB is the pool of a store.
func (s *Store) DB() *sql.DB { return s.write }

// Statements are the texts of all statements but of those that may read all they want.
func Statements() []string {
	may := map[statement]bool{selectAll: true, selectOrphans: true, selectReady: true, selectStore: true}
	var list []string
	for st, text := range texts {
		if !may[statement(st)] {
			list = append(list, text)
		}
	}
	return list
}

// InChange runs a statement in a change.
func (s *Store) InChange(ctx context.Context, fn func(db interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}) error) error {
	return s.change(ctx, callTime, func(q query) error { return fn(q.tx) })
}

// IsUnknown tells whether an error is of a commit that may have happened.
func IsUnknown(err error) bool {
	var unknown *unknownError
	return errors.As(err, &unknown)
}
