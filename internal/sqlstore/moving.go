package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"sucai/internal/library"
	"sucai/wechat"
)

// checkTime bounds the check of one account's counts, which reads all its rows.
const checkTime = 10 * time.Minute

var (
	selectRows = sqlText(`select ` + materialHead + `, null from material where account = $1 and media_id > $2 order by media_id limit $3`)

	selectCounters = sqlText(`select type, live, next from counter where account = $1`)
	selectTotals   = sqlText(`select type, count(*), max(number) from material where account = $1 and number is not null group by type`)
	// The buckets of a level that are not what the rows say, and those that are missing.
	selectBucketGaps = sqlText(`select coalesce(r.bucket, b.bucket), coalesce(r.live, 0), coalesce(b.live, 0)
		from (select number >> $4 as bucket, count(*) as live from material where account = $1 and type = $2 and number is not null group by 1) r
		full join (select bucket, live from bucket where account = $1 and type = $2 and level = $3) b on b.bucket = r.bucket
		where coalesce(r.live, 0) <> coalesce(b.live, 0) order by 1 limit 10`)

	lockStore      = sqlText(`select id, copied, claimed from store` + forUpdate)
	selectAnything = sqlText(`select exists (select 1 from account) or exists (select 1 from component) or exists (select 1 from counter)`)
	adoptStore     = sqlText(`update store set id = $1, root_key = $2, pass = $3, copied = true, claimed = true, unfinished = true where one = 1`)
	keepPass       = sqlText(`select 1 from store where pass = $1` + forUpdate)

	selectGrants = sqlText(`select hash, account, component, kind, expires, ends from access_grant where hash > $1 order by hash limit $2`)
	dropGrants   = sqlText(`delete from access_grant`)
)

// Rows implements library.Materials.
func (s *Store) Rows(ctx context.Context, account int64, after string, count int64) (list []*library.Material, err error) {
	err = s.look(ctx, func(q query) error {
		list = nil
		rows, err := q.rows(selectRows, account, after, count)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scanMaterial(rows)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
	return list, err
}

// Miscounts implements library.Materials.
func (s *Store) Miscounts(ctx context.Context, account int64) (wrong []string, err error) {
	err = s.view(ctx, checkTime, func(q query) error {
		wrong = nil
		there, err := pairs(q, selectTotals, account)
		if err != nil {
			return err
		}
		kept, err := pairs(q, selectCounters, account)
		if err != nil {
			return err
		}
		for _, t := range wechat.Listed {
			live, top := there[t][0], there[t][1]
			counter, ok := kept[t]
			if !ok {
				wrong = append(wrong, fmt.Sprintf("%s: there is no counter", t))
			} else if counter[0] != live {
				wrong = append(wrong, fmt.Sprintf("%s: %d are counted, %d are there", t, counter[0], live))
			}
			if ok && counter[1] <= top {
				wrong = append(wrong, fmt.Sprintf("%s: the next number is %d, but %d is taken", t, counter[1], top))
			}
			for level := 1; level <= levels; level++ {
				gaps, err := q.bucketGaps(account, t, level)
				if err != nil {
					return err
				}
				wrong = append(wrong, gaps...)
			}
		}
		return nil
	})
	return wrong, err
}

// pairs gives the two numbers that a statement has of each type.
func pairs(q query, st statement, account int64) (map[wechat.Type][2]int64, error) {
	rows, err := q.rows(st, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	list := map[wechat.Type][2]int64{}
	for rows.Next() {
		var t wechat.Type
		var n [2]int64
		if err := rows.Scan(&t, &n[0], &n[1]); err != nil {
			return nil, err
		}
		list[t] = n
	}
	return list, rows.Err()
}

func (q query) bucketGaps(account int64, t wechat.Type, level int) (wrong []string, err error) {
	rows, err := q.rows(selectBucketGaps, account, t, level, level*fanBits)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var bucket, live, counted int64
		if err := rows.Scan(&bucket, &live, &counted); err != nil {
			return nil, err
		}
		first := bucket << (level * fanBits)
		wrong = append(wrong, fmt.Sprintf("%s: from number %d to %d, %d are counted, %d are there", t, first, first+1<<(level*fanBits)-1, counted, live))
	}
	return wrong, rows.Err()
}

// errPass ends a copy that another one has taken the place of.
var errPass = errors.New("another copy to the same target, or a server on it, has begun since: this one ends")

// Adopt implements library.Accounts.
func (s *Store) Adopt(ctx context.Context, st *library.Store) error {
	pass := rand.Text()
	s.pass.Store(nil)
	err := s.change(ctx, callTime, func(q query) error {
		var id string
		var copied, claimed, used bool
		if err := q.row(lockStore).Scan(&id, &copied, &claimed); err != nil {
			return err
		}
		if err := q.row(selectAnything).Scan(&used); err != nil {
			return err
		}
		if (used || claimed) && (id != st.ID || !copied) {
			return library.ErrConflict
		}
		_, err := q.exec(adoptStore, st.ID, st.RootKey, pass)
		return err
	})
	if err == nil {
		s.pass.Store(&pass)
	}
	return err
}

// holdsPass makes sure, until the transaction ends, that neither another copy nor a server
// has taken the place of the copy that this store makes, if it makes any.
func (s *Store) holdsPass(q query) error {
	pass := s.pass.Load()
	if pass == nil {
		return nil
	}
	var one int
	err := q.row(keepPass, *pass).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return &callbackError{errPass}
	}
	return err
}

// GrantList implements library.Accounts.
func (s *Store) GrantList(ctx context.Context, after [32]byte, count int64) (list []*library.Grant, err error) {
	err = s.look(ctx, func(q query) error {
		list = nil
		rows, err := q.rows(selectGrants, after[:], count)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			g := &library.Grant{}
			var hash []byte
			if err := rows.Scan(&hash, &g.Account, &g.Component, &g.Kind, &g.Expires, &g.Ends); err != nil {
				return err
			}
			copy(g.Hash[:], hash)
			list = append(list, g)
		}
		return rows.Err()
	})
	return list, err
}

// ImportGrants implements library.Accounts.
func (s *Store) ImportGrants(ctx context.Context, gs []*library.Grant) error {
	return s.change(ctx, batchTime, func(q query) error {
		for _, g := range gs {
			if err := q.addGrant(g); err != nil {
				return err
			}
		}
		return nil
	})
}

// DropGrants implements library.Accounts.
func (s *Store) DropGrants(ctx context.Context) error {
	return s.change(ctx, batchTime, func(q query) error {
		_, err := q.exec(dropGrants)
		return err
	})
}
