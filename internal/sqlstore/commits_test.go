package sqlstore_test

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"strings"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
)

// newProxy gives a proxy and the address of a database through it.
func newProxy(t *testing.T, address string) (*storetest.Proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	p := storetest.NewProxy(t, u.Host)
	u.Host = p.Addr
	return p, u.String()
}

// A commit whose answer is lost is neither success nor absence, and an insert finds out:
// while the database answers within the time of the call, the caller is told of the one
// row that is there.
func TestLostCommits(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	p, through := newProxy(t, address)
	s, direct := open(t, through, sqlstore.Server), open(t, address, sqlstore.Server)
	a := account(t, direct, "a", 1)
	uin := int64(1)
	losses := []storetest.Loss{storetest.BeforeCommit, storetest.WhileCommitted, storetest.BeforeAnswer, storetest.AmidAnswer}
	for _, when := range losses {
		for _, limit := range []int64{0, math.MaxInt64, 1} {
			id := fmt.Sprintf("%s-%d", when, limit)
			uin++
			b := account(t, direct, id, uin)
			m := image(b, id)
			lost := 0
			p.Set(storetest.LostCommits(when, 2, func() { lost++ }))
			must(t, s.Insert(t.Context(), m, limit))
			if lost == 0 {
				t.Errorf("%s: no commit was lost", id)
			}
			if want := min(limit, 1); m.Number == 0 && want == 1 {
				t.Errorf("%s: number %d", id, m.Number)
			}
			got, err := direct.Material(t.Context(), b.ID, id, 0)
			must(t, err)
			if got.Number != m.Number {
				t.Errorf("%s: number %d, stored is %d", id, m.Number, got.Number)
			}
			if n := int64(len(listed(t, direct, b))); n != min(limit, 1) {
				t.Errorf("%s: %d are listed", id, n)
			}
			p.Set(storetest.Fault{})
			if err := s.Insert(t.Context(), image(b, id), math.MaxInt64); err != library.ErrExists {
				t.Errorf("%s: the same again without trouble: %v", id, err)
			}
		}
	}

	// A key of somebody else is not taken for one's own.
	must(t, direct.Insert(t.Context(), image(a, "other"), math.MaxInt64))
	taken := image(a, "taken")
	taken.Key = image(a, "other").Key
	p.Set(storetest.LostCommits(storetest.BeforeCommit, 1, nil))
	if err := s.Insert(t.Context(), taken, math.MaxInt64); err != library.ErrExists {
		t.Errorf("a taken key: %v", err)
	}

	for _, when := range losses {
		id := "deleted " + string(when)
		must(t, direct.Insert(t.Context(), image(a, id), math.MaxInt64))
		p.Set(storetest.LostCommits(when, 1, nil))
		err := s.Delete(t.Context(), a.ID, id)
		if err == nil || errors.Is(err, library.ErrNotFound) || !sqlstore.IsUnknown(err) {
			t.Errorf("%s: %v", id, err)
		}
	}

	// While the server stays away, it is trouble, and in time.
	p.Set(storetest.LostCommits(storetest.WhileCommitted, 1, func() { p.Set(storetest.Fault{Refuse: true}) }))
	start := time.Now()
	err := s.Insert(t.Context(), image(a, "away"), math.MaxInt64)
	if !sqlstore.IsUnknown(err) || errors.Is(err, library.ErrNotFound) || time.Since(start) > 4*time.Second {
		t.Errorf("away: %v after %s", err, time.Since(start))
	}
	p.Set(storetest.Fault{})
	if got := listed(t, s, a); strings.Join(got, ",") != "away,deleted before the server hears of it,other" {
		t.Errorf("afterwards there is %q", got)
	}
}

// Who saw the row of such an insert in a list may have deleted it before the insert is
// run again. It must not come back: it is trouble then. What others do meanwhile is no
// reason for trouble.
func TestDeletedBeforeTheInsertKnows(t *testing.T) {
	address := storetest.Postgres(t)
	p, through := newProxy(t, address)
	s, direct := open(t, through, sqlstore.Server), open(t, address, sqlstore.Server)
	for i, c := range []struct {
		what      string
		when      storetest.Loss
		meanwhile func(a *library.Account)
		trouble   bool
		want      string
	}{
		{"nothing", storetest.BeforeAnswer, func(*library.Account) {}, false, "it,first"},
		{"deleted", storetest.BeforeAnswer, func(a *library.Account) { must(t, direct.Delete(t.Context(), a.ID, "it")) }, true, "first"},
		{"deleted and more added", storetest.BeforeAnswer, func(a *library.Account) {
			must(t, direct.Delete(t.Context(), a.ID, "it"))
			must(t, direct.Insert(t.Context(), image(a, "more"), math.MaxInt64))
		}, true, "more,first"},
		{"not kept", storetest.BeforeCommit, func(*library.Account) {}, false, "it,first"},
		{"not kept, and more added", storetest.BeforeCommit, func(a *library.Account) {
			must(t, direct.Insert(t.Context(), image(a, "more"), math.MaxInt64))
		}, false, "it,more,first"},
		{"not kept, and another deleted", storetest.BeforeCommit, func(a *library.Account) { must(t, direct.Delete(t.Context(), a.ID, "first")) }, false, "it"},
	} {
		a := account(t, direct, c.what, int64(i+1))
		must(t, direct.Insert(t.Context(), image(a, "first"), math.MaxInt64))
		lost := make(chan struct{})
		p.Set(storetest.LostCommits(c.when, 1, func() {
			p.Set(storetest.Fault{Refuse: true})
			close(lost)
		}))
		answer := make(chan error, 1)
		m := image(a, "it")
		go func() { answer <- s.Insert(t.Context(), m, math.MaxInt64) }()
		<-lost
		if c.when == storetest.BeforeCommit { // what it left open ends with its connection
			waitFor(t, direct, `select count(*) = 0 from pg_locks where relation = 'material'::regclass`)
		}
		c.meanwhile(a)
		p.Set(storetest.Fault{})
		err := <-answer
		if (err != nil) != c.trouble || errors.Is(err, library.ErrNotFound) || errors.Is(err, library.ErrExists) {
			t.Errorf("%s: %v", c.what, err)
		}
		if got := strings.Join(listed(t, direct, a), ","); got != c.want {
			t.Errorf("%s: afterwards there is %q", c.what, got)
		}
	}
}

// waitFor waits until a query gives true.
func waitFor(t *testing.T, s *sqlstore.Store, query string) {
	t.Helper()
	for yes := false; !yes; time.Sleep(time.Millisecond) {
		must(t, s.DB().QueryRow(query).Scan(&yes))
	}
}
