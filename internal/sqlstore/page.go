package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"sucai/internal/library"
	"sucai/wechat"
)

// A page at any offset is found without counting rows: the alive ones are counted in
// buckets of 32 numbers, those in buckets of 32, and so on, in the transaction that
// adds or removes a row. A search walks from the nearer end of the list down the
// levels, at most 31 counts each, and skips at most 31 rows.
const (
	fanBits = 5
	levels  = 4
)

// A page begins at a number, or at the one that is found by skipping rows inside a
// bucket: with a join instead, a planner may sort.
const (
	pageFrom = `select media_id, number, name, key, size, format, created, updated, articles_format, case when size <= $4 then articles end
		from material where account = $1 and type = $2 and number <= `
	pageOrder = ` order by number desc limit $3`
)

type bucketID struct {
	t      wechat.Type
	level  int
	number int64
}

var (
	addBucket = sqlText(`insert into bucket (account, type, level, bucket, live) values ($1, $2, $3, $4, $5)
		on conflict (account, type, level, bucket) do update set live = bucket.live + $5`)
	addBuckets = sqlText(`insert into bucket (account, type, level, bucket, live) values ($1, $2, 1, $3, $7), ($1, $2, 2, $4, $7), ($1, $2, 3, $5, $7), ($1, $2, 4, $6, $7)
		on conflict (account, type, level, bucket) do update set live = bucket.live + excluded.live returning level, bucket, live`)
	dropBucket = sqlText(`delete from bucket where account = $1 and type = $2 and level = $3 and bucket = $4 and live = 0`)
	newest     = sqlText(`select bucket, live from bucket where account = $1 and type = $2 and level = $3 and bucket <= $4 and bucket >= $5 order by bucket desc`)
	oldest     = sqlText(`select bucket, live from bucket where account = $1 and type = $2 and level = $3 and bucket <= $4 and bucket >= $5 order by bucket asc`)

	selectPage     = sqlText(pageFrom + `$5` + pageOrder)
	newestInside   = sqlText(pageFrom + `(select number from material where account = $1 and type = $2 and number <= $5 and number >= $6 order by number desc limit 1 offset $7)` + pageOrder)
	oldestInside   = sqlText(pageFrom + `(select number from material where account = $1 and type = $2 and number <= $5 and number >= $6 order by number asc limit 1 offset $7)` + pageOrder)
	selectArticles = sqlText(`select articles from material where account = $1 and type = 'news' and number = $2`)
	selectCounter  = sqlText(`select live, next from counter where account = $1 and type = $2`)
)

// What finds the lowest bucket of an offset, and how many rows of it are to be skipped, by so
// many levels in one statement: a database over the network takes less time for its work
// than for each answer. SQLite finds it sooner by a statement a level.
var newestSearch, oldestSearch = searches("desc"), searches("asc")

func searches(order string) (list [levels + 1]statement) {
	for top := 1; top <= levels; top++ {
		text, skip, inside := "with", "$3", ""
		for level := top; level >= 1; level-- {
			text += fmt.Sprintf(` l%d as materialized (
				select bucket, %s - upto + live as skip from (
					select bucket, live, cast(sum(live) over (order by bucket %s rows unbounded preceding) as bigint) as upto
					from bucket where account = $1 and type = $2 and level = %[1]d%[4]s) as counted
				where upto > %[2]s and upto - live <= %[2]s)`, level, skip, order, inside)
			if level > 1 {
				text += ","
			}
			skip = fmt.Sprintf("(select skip from l%d)", level)
			inside = fmt.Sprintf(" and bucket >= (select bucket from l%d) * 32 and bucket <= (select bucket from l%[1]d) * 32 + 31", level)
		}
		list[top] = postgresText(text + " select bucket, skip from l1")
	}
	return list
}

// addToBuckets counts n more alive at a number. Buckets without any are dropped.
func (q query) addToBuckets(account int64, t wechat.Type, number, n int64) error {
	rows, err := q.rows(addBuckets, account, t, number>>fanBits, number>>(2*fanBits), number>>(3*fanBits), number>>(4*fanBits), n)
	if err != nil {
		return err
	}
	defer rows.Close()
	var empty []bucketID
	for rows.Next() {
		b, live := bucketID{t: t}, int64(0)
		if err := rows.Scan(&b.level, &b.number, &live); err != nil {
			return err
		}
		if live == 0 {
			empty = append(empty, b)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, b := range empty {
		if _, err := q.exec(dropBucket, account, t, b.level, b.number); err != nil {
			return err
		}
	}
	return nil
}

// Page implements library.Materials. Nobody is waited for inside a snapshot: it would keep
// a connection from others, and PostgreSQL from tidying up. So where large articles turn up
// it is left, and the page is read anew in another one when there is room for them.
func (s *Store) Page(ctx context.Context, account int64, t wechat.Type, offset, count int64, room library.Room, each func(*library.Material) error) (total int64, err error) {
	var list []*library.Material
	var largest, most int64 // bytes of articles: that were left out, that there is room for
	for {
		err = s.view(ctx, callTime, func(q query) (err error) {
			if total, list, err = q.page(account, t, offset, count); err != nil {
				return err
			}
			if largest = largestLeftOut(list); largest == 0 || largest > most {
				return nil
			}
			return q.handOut(list, each)
		})
		switch {
		case err != nil:
			return total, err
		case largest == 0:
			return total, wrap(query{}.handOut(list, each))
		case largest <= most:
			return total, nil
		}
		if most = largest; room != nil {
			if err := room(most); err != nil {
				return total, err
			}
		}
	}
}

// handOut gives one after the other, and reads the articles that were left out. Once some
// were handed out there is no other try.
func (q query) handOut(list []*library.Material, each func(*library.Material) error) error {
	for _, m := range list {
		if isLeftOut(m) {
			if err := q.row(selectArticles, m.Account, m.Number).Scan((*[]byte)(&m.Articles)); err != nil {
				return &callbackError{wrap(err)}
			}
		}
		if err := each(m); err != nil {
			return &callbackError{err}
		}
		m.Articles = nil
	}
	return nil
}

func isLeftOut(m *library.Material) bool { return m.Type == wechat.News && m.Articles == nil }

// largestLeftOut gives the size of the largest articles that have not been read, 0 where
// all have.
func largestLeftOut(list []*library.Material) (size int64) {
	for _, m := range list {
		if isLeftOut(m) {
			size = max(size, m.Size)
		}
	}
	return size
}

// page gives how many there are in all, and the rows at an offset without their large
// articles.
func (q query) page(account int64, t wechat.Type, offset, count int64) (total int64, list []*library.Material, err error) {
	var next int64
	err = q.row(selectCounter, account, t).Scan(&total, &next)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, nil // the account was removed under us
	}
	if err != nil || offset >= total {
		return total, nil, err
	}
	st, args := selectPage, []any{account, t, count, library.SmallArticles, int64(math.MaxInt64)}
	if offset > 0 {
		at, err := q.placeOf(account, t, offset, total, next)
		if err != nil {
			return total, nil, err
		}
		if st = oldestInside; at.newest {
			st = newestInside
		}
		args = append(args[:4], at.high, at.low, at.skip)
	}
	rows, err := q.rows(st, args...)
	if err != nil {
		return total, nil, err
	}
	defer rows.Close()
	list = make([]*library.Material, 0, count)
	for rows.Next() {
		m := &library.Material{Account: account, Type: t}
		err := rows.Scan(&m.MediaID, &m.Number, &m.Name, &m.Key, &m.Size, &m.Format, &m.Created, &m.Updated,
			&m.ArticlesFormat, (*[]byte)(&m.Articles))
		if err != nil {
			return total, nil, err
		}
		list = append(list, m)
	}
	return total, list, rows.Err()
}

// place is where a page begins: so many rows are skipped inside a range of numbers, from
// its newest, or else from its oldest.
type place struct {
	newest          bool
	low, high, skip int64
}

// placeOf finds the place of an offset from the newest, which is below total.
func (q query) placeOf(account int64, t wechat.Type, offset, total, next int64) (at place, err error) {
	walk, search := newest, newestSearch
	at = place{true, 0, math.MaxInt64, offset}
	if offset > total/2 {
		walk, search, at.newest, at.skip = oldest, oldestSearch, false, total-1-offset
	}
	// The last step skips as many rows as one bucket has, so fewer need no more buckets.
	if at.skip < 1<<fanBits {
		return at, nil
	}
	top := levels
	for top > 1 && next <= 1<<(top*fanBits) {
		top-- // one bucket would hold all
	}
	if q.prepared == nil { // on PostgreSQL
		var b int64
		err := q.row(search[top], account, t, at.skip).Scan(&b, &at.skip)
		if errors.Is(err, sql.ErrNoRows) {
			return at, errCounts
		}
		at.low, at.high = b<<fanBits, (b+1)<<fanBits-1
		return at, err
	}
	for level := top; level >= 1; level-- {
		b, left, err := q.bucketAt(walk, account, t, level, at.low>>(level*fanBits), at.high>>(level*fanBits), at.skip)
		if err != nil {
			return at, err
		}
		at.low, at.high, at.skip = b<<(level*fanBits), (b+1)<<(level*fanBits)-1, left
	}
	return at, nil
}

// bucketAt walks the buckets from one end until the skipped ones are used up.
func (q query) bucketAt(walk statement, account int64, t wechat.Type, level int, low, high, skip int64) (bucket, left int64, err error) {
	rows, err := q.rows(walk, account, t, level, high, low)
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var live int64
		if err := rows.Scan(&bucket, &live); err != nil {
			return 0, 0, err
		}
		if skip < live {
			return bucket, skip, nil
		}
		skip -= live
	}
	if err := rows.Err(); err != nil {
		return 0, 0, err
	}
	return 0, 0, errCounts
}

var errCounts = errors.New("the counts of a list do not add up")
