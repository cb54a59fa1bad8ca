package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"sucai/internal/library"
	"sucai/wechat"
)

const (
	materialHead = `account, media_id, type, number, name, introduction, key, blob, size, format, width, height,
	articles_format, created, updated, expires, version`
	materialColumns = materialHead + `, articles`
)

var (
	takeNumber = sqlText(`update counter set next = next + 1, live = live + 1
		where account = $1 and type = $2 and live < $3 returning next - 1`)
	addLive = sqlText(`update counter set live = live + $3, next = case when next < $4 then $4 else next end
		where account = $1 and type = $2`)
	lockNext    = sqlText(`select next from counter where account = $1 and type = $2` + forUpdate)
	keepCounter = sqlText(`select 1 from counter where account = $1 and type = $2` + forStay)
	dropLive    = sqlText(`update counter set live = live - 1 where account = $1 and type = $2`)

	insertMaterial = sqlText(`insert into material (` + materialColumns + `)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`)
	importMaterial = sqlText(`insert into material (` + materialColumns + `)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) on conflict (account, media_id) do nothing`)
	selectMaterial = sqlText(`select ` + materialHead + `, case when type = 'news' and size <= $3 then articles end
		from material where account = $1 and media_id = $2`)
	selectByKey     = sqlText(`select ` + materialColumns + ` from material where key = $1 and key <> '' and type <> 'news'`)
	selectNewsByKey = sqlText(`select ` + materialHead + `, case when size <= $3 then articles end
		from material where account = $1 and key = $2 and key <> '' and type = 'news'`)
	selectNumber   = sqlText(`select 1 from material where account = $1 and type = $2 and number = $3`)
	selectPlace    = sqlText(`select id, type, number from material where account = $1 and media_id = $2`)
	updateArticles = sqlText(`update material set articles = $3, articles_format = $4, updated = $5, version = $6, size = $7
		where account = $1 and media_id = $2 and version = $6 - 1`)
	deleteMaterial = sqlText(`delete from material where account = $1 and id = $2`)
	deleteExpired  = sqlText(`delete from material where (account, id) in (select account, id from material where expires > 0 and expires < $1 limit 1000)`)
	deleteSome     = sqlText(`delete from material where account = $1 and id in (select id from material where account = $1 limit 1000)`)
	selectAny      = sqlText(`select media_id from material where account = $1 order by media_id limit 1`)
	deleteBuckets  = sqlText(`delete from bucket where account = $1`)
	deleteCounters = sqlText(`delete from counter where account = $1`)
	selectCounts   = sqlText(`select type, live from counter where account = $1`)
	selectOrphans  = sqlText(`select distinct account from counter where account not in (select id from account)`)
)

func materialValues(m *library.Material) []any {
	return []any{m.Account, m.MediaID, m.Type, sql.NullInt64{Int64: m.Number, Valid: m.Number > 0}, m.Name, m.Introduction,
		m.Key, m.Blob, m.Size, m.Format, m.Width, m.Height,
		m.ArticlesFormat, m.Created, m.Updated, m.Expires, m.Version, []byte(m.Articles)}
}

func (q query) material(st statement, args ...any) (*library.Material, error) {
	return scanMaterial(q.row(st, args...))
}

func scanMaterial(row interface{ Scan(...any) error }) (*library.Material, error) {
	m := &library.Material{}
	var number sql.NullInt64
	err := row.Scan(&m.Account, &m.MediaID, &m.Type, &number, &m.Name, &m.Introduction,
		&m.Key, &m.Blob, &m.Size, &m.Format, &m.Width, &m.Height,
		&m.ArticlesFormat, &m.Created, &m.Updated, &m.Expires, &m.Version, (*[]byte)(&m.Articles))
	m.Number = number.Int64
	return m, err
}

func (s *Store) material(ctx context.Context, st statement, args ...any) (m *library.Material, err error) {
	err = s.look(ctx, func(q query) error {
		m, err = q.material(st, args...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Material implements library.Materials.
func (s *Store) Material(ctx context.Context, account int64, mediaID string, maxArticles int64) (*library.Material, error) {
	if impossible(mediaID) {
		return nil, library.ErrNotFound
	}
	return s.material(ctx, selectMaterial, account, mediaID, maxArticles)
}

// ByKey implements library.Materials.
func (s *Store) ByKey(ctx context.Context, key string) (*library.Material, error) {
	if impossible(key) {
		return nil, library.ErrNotFound
	}
	return s.material(ctx, selectByKey, key)
}

// NewsByKey implements library.Materials.
func (s *Store) NewsByKey(ctx context.Context, account int64, key string, maxArticles int64) (*library.Material, error) {
	if impossible(key) {
		return nil, library.ErrNotFound
	}
	return s.material(ctx, selectNewsByKey, account, key, maxArticles)
}

// Import implements library.Materials.
func (s *Store) Import(ctx context.Context, account int64, ms []*library.Material) (added int, err error) {
	var rows []*library.Material
	err = s.change(ctx, batchTime, func(q query) error {
		rows = nil
		next, err := q.lockCounters(account, ms)
		if err != nil {
			return err
		}
		live := map[wechat.Type]int64{}
		buckets := map[bucketID]int64{}
		for _, m := range ms {
			row := *m
			row.Account = account
			if m.Number == library.NextNumber {
				row.Number = next[m.Type]
			}
			n, err := q.exec(importMaterial, materialValues(&row)...)
			if err != nil {
				return fmt.Errorf("%s: %w", m.MediaID, err)
			}
			if n == 0 {
				rows = append(rows, nil) // there already
				continue
			}
			rows = append(rows, &row)
			if row.Number == 0 {
				continue
			}
			next[m.Type] = max(next[m.Type], row.Number+1)
			live[m.Type]++
			for level := 1; level <= levels; level++ {
				buckets[bucketID{m.Type, level, row.Number >> (level * fanBits)}]++
			}
		}
		for t, n := range live {
			if _, err := q.exec(addLive, account, t, n, next[t]); err != nil {
				return err
			}
		}
		for b, n := range buckets {
			if _, err := q.exec(addBucket, account, b.t, b.level, b.number, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for i, m := range ms {
		m.Account = account
		if rows[i] != nil {
			added++
			*m = *rows[i]
		}
	}
	return added, nil
}

// lockCounters gives the next numbers of the types of materials, which nobody else takes
// until the transaction ends. All lock them in one order.
func (q query) lockCounters(account int64, ms []*library.Material) (map[wechat.Type]int64, error) {
	types := map[wechat.Type]bool{}
	for _, m := range ms {
		types[m.Type] = true
	}
	next := map[wechat.Type]int64{}
	for _, t := range slices.Sorted(maps.Keys(types)) {
		var n int64
		if err := q.row(lockNext, account, t).Scan(&n); err != nil {
			return nil, err
		}
		next[t] = n
	}
	return next, nil
}

// UpdateArticles implements library.Materials.
func (s *Store) UpdateArticles(ctx context.Context, m *library.Material) error {
	return s.change(ctx, callTime, func(q query) error {
		n, err := q.exec(updateArticles, m.Account, m.MediaID, []byte(m.Articles), m.ArticlesFormat, m.Updated, m.Version, m.Size)
		if err != nil || n == 1 {
			return err
		}
		if _, err := q.material(selectMaterial, m.Account, m.MediaID, 0); err != nil {
			return err
		}
		return library.ErrConflict
	})
}

// Delete implements library.Materials.
func (s *Store) Delete(ctx context.Context, account int64, mediaID string) error {
	if impossible(mediaID) {
		return library.ErrNotFound
	}
	return s.change(ctx, callTime, func(q query) error {
		var id int64 // another row may take the media_id before this one is locked
		var t wechat.Type
		var number sql.NullInt64
		if err := q.row(selectPlace, account, mediaID).Scan(&id, &t, &number); err != nil {
			return err
		}
		if number.Valid {
			if _, err := q.exec(dropLive, account, t); err != nil {
				return err
			}
		}
		n, err := q.exec(deleteMaterial, account, id)
		switch {
		case err != nil:
			return err
		case n == 0: // somebody else was first
			return library.ErrNotFound
		case number.Valid:
			return q.addToBuckets(account, t, number.Int64, -1)
		}
		return nil
	})
}

// DeleteExpired implements library.Materials.
func (s *Store) DeleteExpired(ctx context.Context, before int64) error {
	return s.inPieces(ctx, func(q query) (int64, error) { return q.exec(deleteExpired, before) })
}

// DeleteAll implements library.Materials. The counters go last, since they tell that
// there is something left to delete; who still uploads has locked them, and is waited for.
func (s *Store) DeleteAll(ctx context.Context, account int64) error {
	some := func(q query) (n int64, err error) {
		if n, err = q.exec(deleteSome, account); err != nil || n > 0 {
			return n, err
		}
		// None, too, where another node has just deleted the very same, and there are more.
		var mediaID string
		if err = q.row(selectAny, account).Scan(&mediaID); errors.Is(err, sql.ErrNoRows) {
			return 0, nil
		}
		return 1, err
	}
	if err := s.inPieces(ctx, some); err != nil {
		return err
	}
	return s.change(ctx, batchTime, func(q query) error {
		if _, err := q.exec(deleteCounters, account); err != nil {
			return err
		}
		for late := int64(1); late > 0; {
			var err error
			if late, err = some(q); err != nil {
				return err
			}
		}
		_, err := q.exec(deleteBuckets, account)
		return err
	})
}

// inPieces repeats a statement, each time in a transaction of its own, until it changes
// nothing more; in between others have their turn.
func (s *Store) inPieces(ctx context.Context, piece func(q query) (int64, error)) error {
	for left := int64(1); left > 0; {
		err := s.change(ctx, batchTime, func(q query) (err error) {
			left, err = piece(q)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// RemovedAccounts implements library.Materials.
func (s *Store) RemovedAccounts(ctx context.Context) (ids []int64, err error) {
	err = s.look(ctx, func(q query) error {
		ids = nil
		rows, err := q.rows(selectOrphans)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}

// Counts implements library.Materials.
func (s *Store) Counts(ctx context.Context, account int64) (map[wechat.Type]int64, error) {
	counts := map[wechat.Type]int64{}
	err := s.look(ctx, func(q query) error {
		rows, err := q.rows(selectCounts, account)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t wechat.Type
			var n int64
			if err := rows.Scan(&t, &n); err != nil {
				return err
			}
			counts[t] = n
		}
		return rows.Err()
	})
	return counts, err
}
