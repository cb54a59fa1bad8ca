package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"sucai/internal/library"
)

// errGone is of an insert whose row was there, perhaps, and was deleted by somebody who
// saw it, before the insert knew.
var errGone = errors.New("the row was deleted before it was known that it was kept")

// Insert implements library.Materials. Where the answer to a commit was lost, it is run
// again while there is time, and finds its own row where that was kept: so that none is
// left that nobody was told of. Only where the database stays away until the end of the
// call, trouble leaves open whether there is a row.
func (s *Store) Insert(ctx context.Context, m *library.Material, limit int64) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	lost := s.insert(ctx, m, limit, nil)
	if !isUnknown(lost) {
		return lost
	}
	taken := []int64{m.Number}
	for try := 1; pause(ctx, try); try++ {
		// It waits for what is still under way: the first one holds the counter, or the
		// media_id.
		err := s.insert(ctx, m, limit, taken)
		if err == nil || err == library.ErrNotFound || errors.Is(err, errGone) {
			return err
		}
		if isUnknown(err) {
			taken = append(taken, m.Number)
		}
		if err != library.ErrExists && err != library.ErrFull {
			continue
		}
		switch own, look := s.Material(ctx, m.Account, m.MediaID, 0); {
		case look == nil && own.Key == m.Key && own.Blob == m.Blob && own.Type == m.Type:
			m.Number = own.Number
			return nil
		case look == nil, look == library.ErrNotFound:
			return err
		}
	}
	return lost
}

// insert adds m unless a number that an earlier try took, and perhaps kept, is nobody's
// any more: it may have been this very row's.
func (s *Store) insert(ctx context.Context, m *library.Material, limit int64, taken []int64) error {
	return s.change(ctx, callTime, func(q query) error {
		m.Number = 0
		if limit == 0 {
			var one int
			if err := q.row(keepCounter, m.Account, m.Type).Scan(&one); err != nil {
				return err // an account that was removed under us has no counters any more
			}
			_, err := q.exec(insertMaterial, materialValues(m)...)
			return err
		}
		err := q.row(takeNumber, m.Account, m.Type, limit).Scan(&m.Number)
		if errors.Is(err, sql.ErrNoRows) {
			var live, next int64
			if err := q.row(selectCounter, m.Account, m.Type).Scan(&live, &next); err != nil {
				return err // the same
			}
			return library.ErrFull
		}
		if err != nil {
			return err
		}
		for _, n := range taken {
			if err := q.isTaken(m, n); err != nil {
				return err
			}
		}
		if _, err := q.exec(insertMaterial, materialValues(m)...); err != nil {
			return err
		}
		return q.addToBuckets(m.Account, m.Type, m.Number, 1)
	})
}

// isTaken gives errGone where a number before that of m is nobody's. m has taken its own,
// so nobody else adds or deletes one.
func (q query) isTaken(m *library.Material, number int64) error {
	if number >= m.Number {
		return nil // it was given back
	}
	var one int
	err := q.row(selectNumber, m.Account, m.Type, number).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return errGone
	}
	return err
}
