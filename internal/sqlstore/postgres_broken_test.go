package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

// endConnections ends all others of one name, in the way of an administrator.
const endConnections = `select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1 and pid <> pg_backend_pid()`

// A restart breaks many connections that were used a moment ago: no call meets them all.
func TestManyConnectionsBreak(t *testing.T) {
	t.Parallel()
	address := withParameter(t, storetest.Postgres(t), "application_name", t.Name())
	s, other := open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)
	account(t, s, "a", 1)
	for range 3 {
		for range 2 { // the driver looks after what is used again for the first time, and after long rests
			var held []*sql.Conn
			for range 12 {
				c, err := s.DB().Conn(t.Context())
				must(t, err)
				held = append(held, c)
			}
			for _, c := range held {
				must(t, c.Close())
			}
		}
		_, err := other.DB().Exec(endConnections, t.Name())
		must(t, err)
		_, err = s.Account(t.Context(), "a")
		must(t, err)
	}
}

// A database that has become read-only behind a pooler is left for one that can be written to.
func TestBecomesStandby(t *testing.T) {
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	a := account(t, s, "a", 1)
	s.DB().SetMaxOpenConns(1)
	_, err := s.DB().Exec(`set default_transaction_read_only = on`) // of the one connection
	must(t, err)
	must(t, s.Insert(t.Context(), image(a, "x"), math.MaxInt64))
}

// A server that has no connection left for now is asked again.
func TestNoConnectionLeft(t *testing.T) {
	t.Setenv("TEST_POSTGRES_URL", "")
	address := storetest.Postgres(t)
	s := open(t, address, sqlstore.Server)
	account(t, s, "a", 1)
	server, err := storetest.StartedPostgres()
	must(t, err)
	admin, err := sql.Open("pgx", server.URL)
	must(t, err)
	_, err = admin.Exec(`create role few login`)
	must(t, err)
	schema := mustQuery(t, address, "search_path")
	_, err = admin.Exec(`grant all on schema ` + schema + ` to few; grant all on all tables in schema ` + schema + ` to few`)
	must(t, err)
	t.Cleanup(func() {
		if _, err := admin.Exec(`drop owned by few; drop role few`); err != nil {
			t.Error(err)
		}
		admin.Close()
	})
	few := strings.Replace(address, "postgres@", "few@", 1)
	one, two := open(t, few, sqlstore.Server), open(t, few, sqlstore.Server)
	_, err = admin.Exec(`alter role few connection limit 1`)
	must(t, err)
	one.DB().SetMaxIdleConns(0)
	two.DB().SetMaxIdleConns(0)
	for left := 1; left > 0; time.Sleep(time.Millisecond) {
		must(t, admin.QueryRow(`select count(*) from pg_stat_activity where usename = 'few'`).Scan(&left))
	}
	held, err := one.DB().Conn(t.Context())
	must(t, err)
	time.AfterFunc(300*time.Millisecond, func() { held.Close() })
	_, err = two.Account(t.Context(), "a")
	must(t, err)
}

// Connections that the server has ended are replaced without anybody noticing.
func TestServerEndsConnections(t *testing.T) {
	t.Parallel()
	address := withParameter(t, storetest.Postgres(t), "application_name", t.Name())
	s, other := open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)
	a := account(t, s, "a", 1)
	for round := range 5 {
		var wg sync.WaitGroup // several idle connections
		for i := range 8 {
			wg.Go(func() {
				if err := s.Insert(t.Context(), image(a, fmt.Sprintf("%d-%d", round, i)), math.MaxInt64); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		_, err := other.DB().Exec(endConnections, t.Name())
		must(t, err)
		switch round {
		case 0:
			_, err = s.Material(t.Context(), a.ID, "0-0", 0)
		case 1:
			err = s.Delete(t.Context(), a.ID, "0-1")
		case 2:
			_, err = s.Counts(t.Context(), a.ID)
		case 3:
			_, err = s.Page(t.Context(), a.ID, wechat.Image, 0, 20, nil, func(*library.Material) error { return nil })
		}
		must(t, err)
	}
	if got := len(listed(t, s, a)); got != 39 {
		t.Errorf("%d are there", got)
	}
}

// A media_id that is deleted by somebody else and imported again, at another place, while a
// delete waits, is left: no count is taken from the place that it has no more.
func TestDeleteBesideImport(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	a := account(t, s, "a", 1)
	must(t, s.Insert(t.Context(), image(a, "x"), math.MaxInt64))
	tx, err := s.DB().BeginTx(t.Context(), nil)
	must(t, err)
	defer tx.Rollback()
	_, err = tx.Exec(`select 1 from counter where account = $1 for update`, a.ID)
	must(t, err)
	deleted := make(chan error)
	go func() { deleted <- s.Delete(t.Context(), a.ID, "x") }()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		must(t, s.DB().QueryRow(`select count(*) from pg_stat_activity a, pg_locks l where l.pid = a.pid and not l.granted and a.application_name = 'sucai' and a.pid in
			(select pid from pg_locks where relation = 'counter'::regclass)`).Scan(&waiting))
	}
	_, err = tx.Exec(`with gone as (delete from material where media_id = 'x' returning *)
		insert into material (account, media_id, type, number, name, introduction, key, blob, size, format, width, height, articles_format, created, updated, expires, version)
		select account, media_id, type, number + 1000, name, introduction, key || 'x', blob, size, format, width, height, articles_format, created, updated, expires, version from gone`)
	must(t, err)
	must(t, tx.Commit())
	if err := <-deleted; err != library.ErrNotFound {
		t.Errorf("the delete of what is gone: %v", err)
	}
	m, err := s.Material(t.Context(), a.ID, "x", 0)
	must(t, err)
	if m.Number != 1001 {
		t.Errorf("number %d", m.Number)
	}
}

// A row that somebody holds, and a pool that is used up, are trouble in time.
func TestNobodyWaitsLong(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	s, other := open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)
	a := account(t, s, "a", 1)
	trouble := func(what string, call func() error) {
		t.Helper()
		start := time.Now()
		err := call()
		if took := time.Since(start); err == nil || errors.Is(err, library.ErrNotFound) || took > 4*time.Second {
			t.Errorf("%s: %v after %s", what, err, took)
		}
	}
	tx, err := other.DB().Begin()
	must(t, err)
	_, err = tx.Exec(`update counter set live = live where account = $1`, a.ID)
	must(t, err)
	trouble("a held counter", func() error { return s.Insert(t.Context(), image(a, "x"), math.MaxInt64) })
	must(t, tx.Rollback())

	var held []*sql.Conn
	for range sqlstore.Connections {
		c, err := s.DB().Conn(t.Context())
		must(t, err)
		held = append(held, c)
	}
	trouble("no connection", func() error { _, err := s.Material(t.Context(), a.ID, "x", 0); return err })
	for _, c := range held {
		must(t, c.Close())
	}
	must(t, s.Insert(t.Context(), image(a, "x"), math.MaxInt64))
	if got := listed(t, s, a); len(got) != 1 {
		t.Errorf("afterwards there is %q", got)
	}
}

// What was cancelled is not committed, whenever that was.
func TestCancelledInserts(t *testing.T) {
	t.Parallel()
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	a := account(t, s, "a", 1)
	told := map[string]bool{}
	for i := range 60 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
		id := fmt.Sprint(i)
		switch err := s.Insert(ctx, image(a, id), math.MaxInt64); {
		case err == nil:
			told[id] = true
		case errors.Is(err, library.ErrNotFound), errors.Is(err, library.ErrExists):
			t.Errorf("%d: %v", i, err)
		}
		cancel()
	}
	there := map[string]bool{}
	for _, id := range listed(t, s, a) {
		there[id] = true
	}
	for id := range told {
		if !there[id] {
			t.Errorf("%s is lost", id)
		}
	}
}
