package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"sucai/internal/library"
)

// namesAtOnce is how many blobs one statement looks for. They stand side by side in the
// index, as in the list that they come from.
const namesAtOnce = 250

var (
	selectBlobs = sqlText(`select blob from material where blob <> '' and blob in (` + placeholders(namesAtOnce) + `)`)
	dueSweep    = sqlText(`select one from sweep where one = 1 and (due <= $1 or due > $2)`)
	readSweep   = sqlText(`select due from sweep where one = 1`)
	takeSweep   = sqlText(`update sweep set turn = turn + 1, due = $3 where one = 1 and (due <= $1 or due > $2) returning turn, reached, took`)
	keepSweep   = sqlText(`update sweep set due = $2, reached = $3, took = $4 where one = 1 and turn = $1`)
)

// placeholders are $1 to $n.
func placeholders(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("$%d", i+1))
	}
	return strings.Join(list, ", ")
}

// Unreferenced implements library.Sweeps.
func (s *Store) Unreferenced(ctx context.Context, blobs []string) (free []string, err error) {
	named := map[string]bool{}
	for left := blobs; len(left) > 0; {
		some := left[:min(len(left), namesAtOnce)]
		left = left[len(some):]
		names := make([]any, namesAtOnce)
		for i := range names {
			names[i] = "" // which nothing has for a blob
			if i < len(some) && !impossible(some[i]) {
				names[i] = some[i]
			}
		}
		if err := s.look(ctx, func(q query) error { return q.names(named, names) }); err != nil {
			return nil, err
		}
	}
	for _, b := range blobs {
		if !named[b] {
			free = append(free, b)
		}
	}
	return free, nil
}

// names adds to named those of namesAtOnce blobs that a row names.
func (q query) names(named map[string]bool, blobs []any) error {
	rows, err := q.rows(selectBlobs, blobs...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var b string
		if err := rows.Scan(&b); err != nil {
			return err
		}
		named[b] = true
	}
	return rows.Err()
}

// TakeSweep implements library.Sweeps. It looks before it writes: nearly always somebody
// swept not long ago.
func (s *Store) TakeSweep(ctx context.Context, now, until, latest int64) (*library.Sweep, error) {
	err := s.look(ctx, func(q query) error {
		var one int
		return q.row(dueSweep, now, latest).Scan(&one)
	})
	if err != nil {
		return nil, err
	}
	w := &library.Sweep{}
	err = s.change(ctx, callTime, func(q query) error {
		err := q.row(takeSweep, now, latest, until).Scan(&w.Turn, &w.Reached, &w.Took)
		if errors.Is(err, sql.ErrNoRows) {
			return library.ErrNotFound // somebody was faster
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// SweepDue implements library.Sweeps.
func (s *Store) SweepDue(ctx context.Context) (due int64, err error) {
	err = s.look(ctx, func(q query) error { return q.row(readSweep).Scan(&due) })
	return due, err
}

// KeepSweep implements library.Sweeps.
func (s *Store) KeepSweep(ctx context.Context, w *library.Sweep, until int64) error {
	return s.change(ctx, callTime, func(q query) error {
		n, err := q.exec(keepSweep, w.Turn, until, w.Reached, w.Took)
		if err == nil && n == 0 {
			return library.ErrConflict
		}
		return err
	})
}
