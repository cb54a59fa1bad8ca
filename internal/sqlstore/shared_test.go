package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

// What databases of PostgreSQL's protocol have in common, those that are spread over
// several machines too: transactions that are refused and made again, and rows of which
// one account's keep nobody of another account waiting.

// Every transaction that is undone because of others is made again.
func TestConflictsAreRepeated(t *testing.T) {
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	a := account(t, s, "a", 1)
	for _, text := range []string{
		`create sequence refusals`,
		`create function refuse() returns trigger language plpgsql as $$
		declare n bigint := nextval('refusals'); -- not taken back with the transaction
		begin
			if n = 1 then raise 'in the way' using errcode = '40001'; end if;
			if n = 2 then raise 'a circle' using errcode = '40P01'; end if;
			return null;
		end $$`,
		`create trigger refuse after insert or update or delete on material for each statement execute function refuse()`,
	} {
		_, err := s.DB().Exec(text)
		must(t, err)
	}
	news := image(a, "news")
	news.Type, news.Articles = wechat.News, wechat.Articles("[]")
	for _, write := range []struct {
		what string
		do   func(ctx context.Context) error
	}{
		{"insert", func(ctx context.Context) error { return s.Insert(ctx, news, math.MaxInt64) }},
		{"insert unlisted", func(ctx context.Context) error { return s.Insert(ctx, image(a, "temporary"), 0) }},
		{"import", func(ctx context.Context) error {
			m := image(a, "imported")
			m.Number = library.NextNumber
			_, err := s.Import(ctx, a.ID, []*library.Material{m})
			return err
		}},
		{"update", func(ctx context.Context) error { news.Version++; return s.UpdateArticles(ctx, news) }},
		{"delete", func(ctx context.Context) error { return s.Delete(ctx, a.ID, "news") }},
		{"delete all", func(ctx context.Context) error { return s.DeleteExpired(ctx, 1) }},
	} {
		_, err := s.DB().Exec(`alter sequence refusals restart`)
		must(t, err)
		if err := write.do(t.Context()); err != nil {
			t.Errorf("%s: %v", write.what, err)
		}
		var times int64
		must(t, s.DB().QueryRow(`select last_value from refusals`).Scan(&times))
		if times < 3 {
			t.Errorf("%s was made %d times, two of them were refused", write.what, times)
		}
	}
	if got := listed(t, s, a); len(got) != 1 || got[0] != "imported" {
		t.Errorf("there is %q", got)
	}
}

// While a transaction of one account holds all rows of it that it can, others write.
func TestAccountsDoNotWaitForEachOther(t *testing.T) {
	address := storetest.Postgres(t)
	s, other := open(t, withParameter(t, address, "application_name", "waits"), sqlstore.Server), open(t, address, sqlstore.Server)
	a, b := account(t, s, "a", 1), account(t, s, "b", 2)
	fill := func(a *library.Account) {
		for i := range 40 {
			must(t, s.Insert(t.Context(), image(a, fmt.Sprint(i)), math.MaxInt64))
		}
		_, err := s.CountCall(t.Context(), a.ID, "x", 1, 100)
		must(t, err)
	}
	fill(a)
	fill(b)
	tx, err := other.DB().Begin()
	must(t, err)
	defer tx.Rollback()
	for _, text := range []string{
		`update account set created = created where id = $1`,
		`update counter set live = live where account = $1`,
		`update bucket set live = live where account = $1`,
		`update material set name = name where account = $1`,
		`update calls set used = used where account = $1`,
	} {
		res, err := tx.Exec(text, a.ID)
		must(t, err)
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			t.Fatalf("%s: %d rows, %v", text, n, err)
		}
	}
	_, err = tx.Exec(`insert into material (account, media_id, type, number, name, introduction, key, blob, size, format, width, height, articles_format, created, updated, expires, version)
		values ($1, 'held', 'image', 41, '', '', 'held', 'held', 1, 'png', 1, 1, 0, 1, 1, 0, 1)`, a.ID)
	must(t, err)
	_, err = tx.Exec(`insert into access_grant (hash, account, kind, expires, ends) values ('held', $1, 'token', 1, 1)`, a.ID)
	must(t, err)
	// Who waits for the transaction waits until its time is over, and fails.
	for _, write := range []struct {
		what string
		do   func(ctx context.Context) error
	}{
		{"insert", func(ctx context.Context) error { return s.Insert(ctx, image(b, "new"), math.MaxInt64) }},
		{"insert unlisted", func(ctx context.Context) error { return s.Insert(ctx, image(b, "temporary"), 0) }},
		{"import", func(ctx context.Context) error {
			m := image(b, "imported")
			m.Number = library.NextNumber
			_, err := s.Import(ctx, b.ID, []*library.Material{m})
			return err
		}},
		{"delete", func(ctx context.Context) error { return s.Delete(ctx, b.ID, "new") }},
		{"page", func(ctx context.Context) error {
			_, err := s.Page(ctx, b.ID, wechat.Image, 0, 20, nil, func(*library.Material) error { return nil })
			return err
		}},
		{"count a call", func(ctx context.Context) error { _, err := s.CountCall(ctx, b.ID, "x", 1, 100); return err }},
		{"token", func(ctx context.Context) error {
			return s.ChangeAccount(ctx, "b", func(_ *library.Account, g library.Grants) error {
				if err := g.End(library.PlainGrant, 1, 0); err != nil {
					return err
				}
				return g.Add(&library.Grant{Hash: [32]byte{1}, Kind: library.PlainGrant, Expires: 9, Ends: 9})
			})
		}},
		{"new account", func(ctx context.Context) error {
			return s.CreateAccount(ctx, &library.Account{AppID: "c", Uin: 3, Salt: []byte{1}, Hash: []byte{1}})
		}},
		{"read of the account itself", func(ctx context.Context) error { _, err := s.Material(ctx, a.ID, "1", 0); return err }},
	} {
		if err := write.do(t.Context()); err != nil {
			t.Errorf("%s: %v", write.what, err)
		}
	}
	// That it is held indeed, one of the account finds out.
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan error)
	go func() { waits <- s.Insert(ctx, image(a, "waits"), math.MaxInt64) }()
	for waiting := 0; waiting == 0; {
		must(t, other.DB().QueryRow(`select count(*) from pg_stat_activity where application_name = 'waits' and wait_event_type = 'Lock'`).Scan(&waiting))
		select {
		case err := <-waits:
			t.Fatalf("an insert into the account ended with %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-waits; err == nil {
		t.Error("an insert into the account did not wait")
	}
	must(t, tx.Rollback())
	if got := listed(t, s, b); len(got) != 41 {
		t.Errorf("%d are in b", len(got))
	}
}

// Nothing that databases of several machines lack: no locks but those of rows, and none
// that outlasts a start. Nothing that grows with a library: an offset skips rows of one
// bucket alone.
func TestNoLocksButOfRows(t *testing.T) {
	s := open(t, withParameter(t, storetest.Postgres(t), "application_name", "started"), sqlstore.Server)
	for _, text := range sqlstore.AllStatements() {
		lower := strings.ToLower(text)
		for _, word := range []string{"advisory", "lock table", "listen ", "notify", "nextval", "with hold"} {
			if strings.Contains(lower, word) {
				t.Errorf("%s: %s", word, text)
			}
		}
		if strings.Contains(lower, "offset") && !strings.Contains(lower, "account <= $3 and account >= $4") && !strings.Contains(lower, "number <= $5 and number >= $6") {
			t.Errorf("an offset that no bucket bounds: %s", text)
		}
	}
	var n int
	must(t, s.DB().QueryRow(`select count(*) from pg_locks join pg_stat_activity using (pid) where locktype = 'advisory' and application_name = 'started'`).Scan(&n))
	if n != 0 {
		t.Errorf("%d advisory locks are held after the start", n)
	}
}

// Two who remove the same account delete the same rows at the same time. None of them goes
// on before nothing is left, or else nobody would know that something is.
func TestTwoRemoveAnAccount(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	one, two := open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)
	for round := range 3 {
		a := account(t, one, fmt.Sprint("a", round), int64(round+1))
		must(t, one.Insert(t.Context(), image(a, "x"), math.MaxInt64))
		_, err := one.DB().Exec(`insert into material (account, media_id, type, number, name, introduction, key, blob, size, format, width, height, articles_format, created, updated, expires, version)
			select cast($1 as bigint), 'm' || g, 'image', 10 + g, '', '', 'k' || cast($1 as bigint) || '-' || g, 'b' || g, 1, 'png', 1, 1, 0, 1, 1, 0, 1 from generate_series(1, 20000) g`, a.ID)
		must(t, err)
		must(t, one.RemoveAccount(t.Context(), a.AppID))
		ctx, leave := context.WithCancel(t.Context())
		first := make(chan error, 1)
		go func() { first <- one.DeleteAll(ctx, a.ID) }()
		time.Sleep(20 * time.Millisecond)
		err = two.DeleteAll(t.Context(), a.ID)
		leave()
		<-first // broken off, or done
		var rows int
		must(t, one.DB().QueryRow(`select count(*) from material where account = $1`, a.ID).Scan(&rows))
		if err != nil || rows > 0 {
			t.Errorf("%d rows are left, %v", rows, err)
		}
	}
}

// Who finds a message taken by another node looks for the next: that is no trouble.
func TestTakenByAnother(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	var nodes []*sqlstore.Store
	for range 2 {
		s := open(t, address, sqlstore.Server)
		s.Observe(func(op library.Operation, _ time.Duration, err error) {
			if err != nil && !errors.Is(err, library.ErrNotFound) {
				t.Errorf("%v: %v", op, err)
			}
		})
		nodes = append(nodes, s)
	}
	const messages = 60
	for i := range messages {
		c := &library.Component{AppID: fmt.Sprint("c", i), Salt: []byte{1}, Hash: []byte{1}}
		must(t, nodes[0].CreateComponent(t.Context(), c))
		must(t, nodes[0].ChangeComponent(t.Context(), c.AppID, func(_ *library.Component, h library.Holdings) error {
			return h.AddPush(&library.Push{InfoType: "t", Message: []byte("x"), Created: 1, Due: 1})
		}))
	}
	var all sync.WaitGroup
	var took atomic.Int64
	for _, s := range nodes {
		for range 8 {
			all.Go(func() {
				for {
					p, err := s.TakePush(t.Context(), 10, 40)
					if errors.Is(err, library.ErrNotFound) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					took.Add(1)
					p.Due, p.Delivered = 0, true
					if err := s.FinishPush(t.Context(), p, 0); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	all.Wait()
	if took.Load() != messages {
		t.Errorf("%d of %d were taken", took.Load(), messages)
	}
}
