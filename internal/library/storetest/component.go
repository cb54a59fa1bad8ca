package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"sucai/internal/library"
)

func (s *store) component(t testing.TB, appID string) *library.Component {
	t.Helper()
	c := &library.Component{AppID: appID, Salt: []byte("salt"), Hash: []byte("hash"), Created: 1}
	s.must(t, s.Accounts.CreateComponent(s.ctx, c))
	if c.ID == 0 {
		t.Fatal("no ID was set")
	}
	return c
}

// hold changes what belongs to a component.
func (s *store) hold(t testing.TB, c *library.Component, fn func(h library.Holdings) error) {
	t.Helper()
	s.must(t, s.Accounts.ChangeComponent(s.ctx, c.AppID, func(_ *library.Component, h library.Holdings) error { return fn(h) }))
}

func components(t *testing.T, s *store) {
	a := s.component(t, "b")
	b := s.component(t, "a")
	wantErr(t, s.Accounts.CreateComponent(s.ctx, &library.Component{AppID: "a", Salt: []byte{}, Hash: []byte{}}), library.ErrExists)
	_, err := s.Accounts.Component(s.ctx, "none")
	wantErr(t, err, library.ErrNotFound)
	_, err = s.Accounts.ComponentByID(s.ctx, a.ID+100)
	wantErr(t, err, library.ErrNotFound)
	wantErr(t, s.Accounts.ChangeComponent(s.ctx, "none", nil), library.ErrNotFound)

	s.must(t, s.Accounts.ChangeComponent(s.ctx, "b", func(c *library.Component, _ library.Holdings) error {
		c.Salt, c.Hash, c.Settings.Name, c.Settings.Sets = []byte("s"), []byte("h"), "名", []int{1, 11}
		c.Ticket, c.TicketMade, c.NextTicket = "ticket", 5, 6
		return nil
	}))
	want := *a
	want.Salt, want.Hash, want.Settings.Name, want.Settings.Sets = []byte("s"), []byte("h"), "名", []int{1, 11}
	want.Ticket, want.TicketMade, want.NextTicket = "ticket", 5, 6
	for _, read := range []func() (*library.Component, error){
		func() (*library.Component, error) { return s.Accounts.Component(s.ctx, "b") },
		func() (*library.Component, error) { return s.Accounts.ComponentByID(s.ctx, a.ID) },
	} {
		got, err := read()
		s.must(t, err)
		if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("got  %s\nwant %s", g, w)
		}
	}
	list, err := s.Accounts.ComponentList(s.ctx)
	s.must(t, err)
	if len(list) != 2 || list[0].ID != b.ID || list[1].ID != a.ID {
		t.Fatalf("listed: %v", list)
	}

	// Changes exclude each other.
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			err := s.Accounts.ChangeComponent(s.ctx, "a", func(c *library.Component, _ library.Holdings) error {
				c.TicketMade++
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got, err := s.Accounts.Component(s.ctx, "a"); err != nil || got.TicketMade != 20 {
		t.Fatalf("%d of 20 changes were kept, %v", got.TicketMade, err)
	}

	// All goes with it, and its id is nobody else's.
	account := s.account(t, "account")
	s.hold(t, a, func(h library.Holdings) error {
		return errors.Join(h.AddGrant(&library.Grant{Hash: [32]byte{1}, Kind: library.ComponentGrant, Expires: 9, Ends: 9}),
			h.SetAuthorization(&library.Authorization{Account: account.ID, Sets: []int{1}}), h.AddCode(&library.Code{Hash: [32]byte{1}}),
			h.AddPush(&library.Push{Message: []byte("x"), Due: 1}))
	})
	s.must(t, s.Accounts.RemoveComponent(s.ctx, "b"))
	wantErr(t, s.Accounts.RemoveComponent(s.ctx, "b"), library.ErrNotFound)
	_, err = s.Accounts.Grant(s.ctx, [32]byte{1})
	wantErr(t, err, library.ErrNotFound)
	_, err = s.Accounts.Authorization(s.ctx, a.ID, account.ID)
	wantErr(t, err, library.ErrNotFound)
	_, err = s.Accounts.TakePush(s.ctx, 10, 20)
	wantErr(t, err, library.ErrNotFound)
	if again := s.component(t, "b"); again.ID == a.ID {
		t.Fatal("an id was given again")
	}
	s.hold(t, b, func(h library.Holdings) error { return h.AddCode(&library.Code{Hash: [32]byte{1}}) })

	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err = s.Accounts.Component(ctx, "none")
	_, err2 := s.Accounts.Authorization(ctx, 1, 1)
	_, err3 := s.Accounts.TakePush(ctx, 1, 2)
	for i, err := range []error{err, err2, err3} {
		if err == nil || errors.Is(err, library.ErrNotFound) {
			t.Errorf("%d: trouble came out as %v", i, err)
		}
	}
}

func failedComponentChange(t *testing.T, s *store) {
	c, account := s.component(t, "c"), s.account(t, "a")
	own := errors.New("mine")
	wantErr(t, s.Accounts.ChangeComponent(s.ctx, "c", func(c *library.Component, h library.Holdings) error {
		c.Ticket = "kept"
		s.must(t, errors.Join(h.AddGrant(&library.Grant{Hash: [32]byte{1}, Kind: library.ComponentGrant}),
			h.SetAuthorization(&library.Authorization{Account: account.ID}), h.AddCode(&library.Code{Hash: [32]byte{1}}),
			h.AddPush(&library.Push{Message: []byte("x"), Due: 1})))
		return own
	}), own)
	_, err := s.Accounts.Grant(s.ctx, [32]byte{1})
	wantErr(t, err, library.ErrNotFound)
	_, total, err := s.Accounts.AuthorizationPage(s.ctx, c.ID, 0, 10)
	s.must(t, err)
	pushes, err := s.Accounts.Pushes(s.ctx, c.ID, 10)
	s.must(t, err)
	got, err := s.Accounts.Component(s.ctx, "c")
	s.must(t, err)
	if got.Ticket != "" || total != 0 || len(pushes) != 0 {
		t.Fatalf("%+v, %d authorisations, %d pushes were kept", got, total, len(pushes))
	}
	s.hold(t, c, func(h library.Holdings) error {
		_, err := h.TakeCode([32]byte{1}, "")
		wantErr(t, err, library.ErrNotFound)
		return nil
	})
}

func componentGrants(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	a, b := s.account(t, "a"), s.account(t, "b")
	hash := func(n byte) [32]byte { return sha256.Sum256([]byte{n}) }
	add := func(c *library.Component, n byte, account int64) {
		t.Helper()
		s.hold(t, c, func(h library.Holdings) error {
			return h.AddGrant(&library.Grant{Hash: hash(n), Account: account, Kind: library.AuthorizerGrant, Expires: 1000, Ends: 1000})
		})
	}
	ends := func(n byte, component, account, want int64) {
		t.Helper()
		g, err := s.Accounts.Grant(s.ctx, hash(n))
		s.must(t, err)
		if g.Component != component || g.Account != account || g.Ends != want {
			t.Fatalf("grant %d: %+v, want end %d", n, g, want)
		}
	}
	add(c, 1, 0)
	add(c, 2, a.ID)
	add(c, 3, b.ID)
	add(other, 4, 0)
	add(other, 5, a.ID)
	s.must(t, s.Accounts.ChangeAccount(s.ctx, "a", func(_ *library.Account, g library.Grants) error {
		return errors.Join(g.Add(&library.Grant{Hash: hash(6), Kind: library.PlainGrant, Expires: 1000, Ends: 1000}),
			g.End(library.PlainGrant, 700, 0))
	}))
	s.hold(t, c, func(h library.Holdings) error { return h.EndGrants(a.ID, 500, 0) })
	ends(1, c.ID, 0, 1000)
	ends(2, c.ID, a.ID, 500)
	ends(3, c.ID, b.ID, 1000)
	ends(4, other.ID, 0, 1000)
	ends(5, other.ID, a.ID, 1000)
	ends(6, 0, a.ID, 700)
	s.hold(t, c, func(h library.Holdings) error { return errors.Join(h.EndGrants(0, 400, 0), h.EndGrants(a.ID, 600, 0)) })
	ends(1, c.ID, 0, 400)
	ends(2, c.ID, a.ID, 500) // it had ended earlier
	ends(4, other.ID, 0, 1000)
	s.hold(t, other, func(h library.Holdings) error { return h.EndGrants(0, 0, 1000) })
	ends(4, other.ID, 0, 1000) // it had come to its own end
	s.must(t, s.Accounts.RemoveAccount(s.ctx, "a"))
	_, err := s.Accounts.Grant(s.ctx, hash(5))
	wantErr(t, err, library.ErrNotFound)
	ends(3, c.ID, b.ID, 1000)
}

func codes(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	take := func(c *library.Component, n byte, kind library.CodeKind) (code *library.Code, err error) {
		s.hold(t, c, func(h library.Holdings) error {
			code, err = h.TakeCode([32]byte{n}, kind)
			return nil
		})
		return code, err
	}
	s.hold(t, c, func(h library.Holdings) error {
		return errors.Join(h.AddCode(&library.Code{Hash: [32]byte{1}, Kind: library.AuthorizationCode, Account: 7, Expires: 100}),
			h.AddCode(&library.Code{Hash: [32]byte{2}, Kind: library.PreAuthCode, Expires: 200}))
	})
	for _, wrong := range []func() (*library.Code, error){
		func() (*library.Code, error) { return take(c, 3, library.AuthorizationCode) },
		func() (*library.Code, error) { return take(c, 1, library.PreAuthCode) },
		func() (*library.Code, error) { return take(other, 1, library.AuthorizationCode) },
	} {
		_, err := wrong()
		wantErr(t, err, library.ErrNotFound)
	}
	code, err := take(c, 1, library.AuthorizationCode)
	s.must(t, err)
	if code.Account != 7 || code.Expires != 100 || code.Component != c.ID {
		t.Fatalf("%+v", code)
	}
	_, err = take(c, 1, library.AuthorizationCode)
	wantErr(t, err, library.ErrNotFound)

	s.must(t, s.Accounts.ForgetComponents(s.ctx, 200))
	_, err = take(c, 2, library.PreAuthCode)
	s.must(t, err) // it had not expired before 200
	s.hold(t, c, func(h library.Holdings) error {
		return h.AddCode(&library.Code{Hash: [32]byte{4}, Kind: library.PreAuthCode, Expires: 199})
	})
	s.must(t, s.Accounts.ForgetComponents(s.ctx, 200))
	_, err = take(c, 4, library.PreAuthCode)
	wantErr(t, err, library.ErrNotFound)

	// Of many who come with one code, one gets it.
	s.hold(t, c, func(h library.Holdings) error { return h.AddCode(&library.Code{Hash: [32]byte{5}}) })
	var wg sync.WaitGroup
	var took atomic.Int64
	for range 10 {
		wg.Go(func() {
			if _, err := take(c, 5, ""); err == nil {
				took.Add(1)
			}
		})
	}
	wg.Wait()
	if took.Load() != 1 {
		t.Errorf("%d took the same code", took.Load())
	}
}

func authorizations(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	var accounts []*library.Account
	for i := range 5 {
		accounts = append(accounts, s.account(t, fmt.Sprint("account", i)))
	}
	set := func(c *library.Component, a *library.Account, sets ...int) {
		t.Helper()
		s.hold(t, c, func(h library.Holdings) error {
			return h.SetAuthorization(&library.Authorization{Account: a.ID, Sets: sets, RefreshToken: "r-" + a.AppID, Created: 1, Updated: 2})
		})
	}
	page := func(offset, count int64) (appIDs []string, total int64) {
		t.Helper()
		list, total, err := s.Accounts.AuthorizationPage(s.ctx, c.ID, offset, count)
		s.must(t, err)
		for _, a := range list {
			appIDs = append(appIDs, a.AppID)
		}
		return appIDs, total
	}
	for _, a := range accounts {
		set(c, a, 1, 11, 100)
	}
	set(other, accounts[0])
	got, err := s.Accounts.Authorization(s.ctx, c.ID, accounts[1].ID)
	s.must(t, err)
	want := library.Authorization{Component: c.ID, Account: accounts[1].ID, AppID: "account1", Sets: []int{1, 11, 100}, RefreshToken: "r-account1", Created: 1, Updated: 2}
	if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", want); g != w {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
	if none, err := s.Accounts.Authorization(s.ctx, other.ID, accounts[0].ID); err != nil || len(none.Sets) != 0 {
		t.Fatalf("without sets: %+v, %v", none, err)
	}
	_, err = s.Accounts.Authorization(s.ctx, other.ID, accounts[1].ID)
	wantErr(t, err, library.ErrNotFound)

	all, total := page(0, 10)
	first, _ := page(0, 2)
	rest, _ := page(2, 10)
	none, behind := page(5, 10)
	if total != 5 || behind != 5 || len(all) != 5 || len(none) != 0 || !slices.Equal(append(first, rest...), all) {
		t.Fatalf("pages: %v of %d, %v and %v, %v", all, total, first, rest, none)
	}
	set(c, accounts[1], 3)
	if again, total := page(0, 10); total != 5 || !slices.Equal(again, all) {
		t.Fatalf("granted anew: %v of %d", again, total)
	}

	s.hold(t, c, func(h library.Holdings) error {
		got, err := h.Authorization(accounts[1].ID)
		s.must(t, err)
		if !slices.Equal(got.Sets, []int{3}) {
			t.Fatalf("%+v", got)
		}
		_, err = h.Authorization(accounts[4].ID + 100)
		wantErr(t, err, library.ErrNotFound)
		wantErr(t, h.SetAuthorization(&library.Authorization{Account: accounts[4].ID + 100}), library.ErrNotFound)
		s.must(t, h.RemoveAuthorization(accounts[1].ID))
		wantErr(t, h.RemoveAuthorization(accounts[1].ID), library.ErrNotFound)
		return nil
	})
	if _, total := page(0, 10); total != 4 {
		t.Fatalf("%d after one was withdrawn", total)
	}
	// It goes with the account.
	s.must(t, s.Accounts.RemoveAccount(s.ctx, "account0"))
	_, err = s.Accounts.Authorization(s.ctx, other.ID, accounts[0].ID)
	wantErr(t, err, library.ErrNotFound)
	if list, total := page(0, 10); total != 3 || len(list) != 3 {
		t.Fatalf("%v of %d after an account was removed", list, total)
	}
	_, _, err = s.Accounts.AuthorizationPage(s.ctx, other.ID+100, 0, 1)
	wantErr(t, err, library.ErrNotFound)
}

// A page of authorisations is the same slice of one list at any offset, whatever was
// withdrawn in between.
func pagesOfAuthorizations(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	const accounts = 150
	var want []string
	var ids []int64
	for i := range accounts {
		ids = append(ids, s.account(t, fmt.Sprintf("account%03d", i)).ID)
	}
	allow := func(c *library.Component, id int64) {
		s.hold(t, c, func(h library.Holdings) error {
			return h.SetAuthorization(&library.Authorization{Account: id, Sets: []int{1}, RefreshToken: "r"})
		})
	}
	for i := accounts - 1; i >= 0; i-- { // in an order that is not that of the list
		allow(c, ids[i])
		if i%7 == 0 {
			allow(other, ids[i])
		}
	}
	for i, id := range ids {
		switch {
		case i%5 == 1 || i > 40 && i < 90:
			s.hold(t, c, func(h library.Holdings) error { return h.RemoveAuthorization(id) })
		case i == 100:
			s.must(t, s.Accounts.RemoveAccount(s.ctx, "account100"))
		default:
			want = append(want, fmt.Sprintf("account%03d", i))
		}
	}
	for offset := range int64(len(want) + 2) {
		for _, count := range []int64{1, 3, 500} {
			list, total, err := s.Accounts.AuthorizationPage(s.ctx, c.ID, offset, count)
			s.must(t, err)
			var got []string
			for _, a := range list {
				got = append(got, a.AppID)
			}
			from := min(offset, int64(len(want)))
			if expect := want[from:min(from+count, int64(len(want)))]; total != int64(len(want)) || !slices.Equal(got, expect) {
				t.Fatalf("%d at %d of %d: %v, want %v", count, offset, total, got, expect)
			}
		}
	}
	s.must(t, s.Accounts.RemoveComponent(s.ctx, "c"))
	if list, total, err := s.Accounts.AuthorizationPage(s.ctx, other.ID, 10, 20); err != nil || total != 22 || len(list) != 12 {
		t.Fatalf("of another: %d of %d, %v", len(list), total, err)
	}
}

// A code stands for the authorisation for which it was issued.
func codesOfAuthorizations(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	a, b := s.account(t, "a"), s.account(t, "b")
	grant := func(h library.Holdings) error { return h.SetAuthorization(&library.Authorization{Account: a.ID}) }
	for name, change := range map[string]func(h library.Holdings) error{
		"removed":  func(h library.Holdings) error { return h.RemoveAuthorization(a.ID) },
		"replaced": grant,
	} {
		s.hold(t, c, func(h library.Holdings) error {
			return errors.Join(grant(h), h.AddCode(&library.Code{Hash: [32]byte{1}, Kind: library.AuthorizationCode, Account: a.ID}),
				h.AddCode(&library.Code{Hash: [32]byte{2}, Kind: library.AuthorizationCode, Account: b.ID}),
				h.AddCode(&library.Code{Hash: [32]byte{3}, Kind: library.PreAuthCode}))
		})
		s.hold(t, other, func(h library.Holdings) error {
			return h.AddCode(&library.Code{Hash: [32]byte{4}, Kind: library.AuthorizationCode, Account: a.ID})
		})
		s.hold(t, c, change)
		s.hold(t, c, func(h library.Holdings) error {
			if _, err := h.TakeCode([32]byte{1}, library.AuthorizationCode); err != library.ErrNotFound {
				t.Errorf("%s: its code is left, %v", name, err)
			}
			_, err := h.TakeCode([32]byte{2}, library.AuthorizationCode)
			_, err2 := h.TakeCode([32]byte{3}, library.PreAuthCode)
			return errors.Join(err, err2)
		})
		s.hold(t, other, func(h library.Holdings) error {
			_, err := h.TakeCode([32]byte{4}, library.AuthorizationCode)
			return err
		})
	}
}

func ticketsDue(t *testing.T, s *store) {
	for name, next := range map[string]int64{"never": 0, "late": 30, "early": 10, "later": 31} {
		c := s.component(t, name)
		s.must(t, s.Accounts.ChangeComponent(s.ctx, c.AppID, func(c *library.Component, _ library.Holdings) error {
			c.NextTicket = next
			return nil
		}))
	}
	for _, c := range []struct {
		now, limit int64
		want       []string
	}{{9, 10, nil}, {10, 10, []string{"early"}}, {30, 10, []string{"early", "late"}}, {99, 2, []string{"early", "late"}}} {
		got, err := s.Accounts.TicketsDue(s.ctx, c.now, c.limit)
		s.must(t, err)
		if !slices.Equal(got, c.want) {
			t.Errorf("at %d: %v, want %v", c.now, got, c.want)
		}
	}
}

func pushes(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	add := func(c *library.Component, infoType string, due int64) *library.Push {
		t.Helper()
		p := &library.Push{InfoType: infoType, Message: []byte("<xml>" + infoType), Created: 5, Due: due}
		s.hold(t, c, func(h library.Holdings) error { return h.AddPush(p) })
		if p.ID == 0 || p.Component != c.ID {
			t.Fatalf("added: %+v", p)
		}
		return p
	}
	finish := func(p *library.Push, next int64) {
		t.Helper()
		s.must(t, s.Accounts.FinishPush(s.ctx, p, next))
	}
	one, two, foreign := add(c, "one", 20), add(c, "two", 10), add(other, "foreign", 25)
	_, err := s.Accounts.TakePush(s.ctx, 9, 50)
	wantErr(t, err, library.ErrNotFound)
	got, err := s.Accounts.TakePush(s.ctx, 30, 50)
	s.must(t, err)
	if got.ID != two.ID || got.Tries != 1 || got.Due != 50 || got.Lease != 50 || string(got.Message) != "<xml>two" || got.InfoType != "two" || got.Created != 5 {
		t.Fatalf("taken: %+v", got)
	}
	// The other of this component is not given meanwhile, that of another is.
	if next, err := s.Accounts.TakePush(s.ctx, 30, 500); err != nil || next.ID != foreign.ID {
		t.Fatalf("taken next: %+v, %v", next, err)
	}
	_, err = s.Accounts.TakePush(s.ctx, 49, 99)
	wantErr(t, err, library.ErrNotFound)

	// The first taker was too slow: message and component are another's now.
	first, err := s.Accounts.TakePush(s.ctx, 50, 90)
	s.must(t, err)
	if first.ID != one.ID {
		t.Fatalf("taken after the lease: %+v", first)
	}
	got.Due, got.Outcome = 60, "slow"
	finish(got, 0) // its own, but it does not let the component go
	_, err = s.Accounts.TakePush(s.ctx, 89, 99)
	wantErr(t, err, library.ErrNotFound)
	again, err := s.Accounts.TakePush(s.ctx, 90, 120)
	s.must(t, err)
	if again.ID != two.ID || again.Tries != 2 {
		t.Fatalf("taken again: %+v", again)
	}
	second, err := s.Accounts.TakePush(s.ctx, 120, 150)
	s.must(t, err)
	if second.ID != one.ID || second.Tries != 2 {
		t.Fatalf("taken again: %+v", second)
	}
	first.Due, first.Delivered = 0, true
	wantErr(t, s.Accounts.FinishPush(s.ctx, first, 0), library.ErrConflict)
	again.Due, again.Outcome = 135, "refused"
	finish(again, 0)

	// Who has the component lets it go, or keeps it at rest for a while.
	second.Due, second.Delivered, second.Outcome = 0, true, "success"
	finish(second, 140)
	wantErr(t, s.Accounts.FinishPush(s.ctx, second, 0), library.ErrConflict)
	_, err = s.Accounts.TakePush(s.ctx, 139, 500)
	wantErr(t, err, library.ErrNotFound)
	third, err := s.Accounts.TakePush(s.ctx, 140, 500)
	s.must(t, err)
	if third.ID != two.ID {
		t.Fatalf("taken after the rest: %+v", third)
	}
	third.Due = 600
	finish(third, 0)

	list, err := s.Accounts.Pushes(s.ctx, c.ID, 10)
	s.must(t, err)
	if len(list) != 2 || list[0].ID != two.ID || list[0].Outcome != "refused" || list[0].Due != 600 || list[0].Delivered ||
		!list[1].Delivered || list[1].Due != 0 || len(list[1].Message) != 0 {
		t.Fatalf("listed: %+v, %+v", list[0], list[1])
	}
	if short, err := s.Accounts.Pushes(s.ctx, c.ID, 1); err != nil || len(short) != 1 || short[0].ID != two.ID {
		t.Fatalf("listed: %v, %v", short, err)
	}

	// What is done is forgotten, what waits is not.
	s.must(t, s.Accounts.ForgetComponents(s.ctx, 5))
	if list, err := s.Accounts.Pushes(s.ctx, c.ID, 10); err != nil || len(list) != 2 {
		t.Fatalf("forgotten too early: %v, %v", list, err)
	}
	s.must(t, s.Accounts.ForgetComponents(s.ctx, 6))
	if list, err := s.Accounts.Pushes(s.ctx, c.ID, 10); err != nil || len(list) != 1 || list[0].ID != two.ID {
		t.Fatalf("left: %v, %v", list, err)
	}

	// Of many takers, each message has one, and no component two at once.
	for range 10 {
		add(c, "many", 1000)
		add(other, "many", 1000)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	takers, busy := map[int64]int{}, map[int64]bool{}
	var left atomic.Int64
	left.Store(22) // with the two that waited
	for i := range 4 {
		wg.Go(func() {
			for n := int64(0); left.Load() > 0; n++ {
				p, err := s.Accounts.TakePush(s.ctx, 1000, 5000+n*4+int64(i))
				if err == library.ErrNotFound {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if busy[p.Component] {
					t.Errorf("component %d has two takers", p.Component)
				}
				takers[p.ID]++
				busy[p.Component] = true
				mu.Unlock()
				left.Add(-1)
				mu.Lock()
				busy[p.Component] = false
				mu.Unlock()
				p.Due = 0
				if err := s.Accounts.FinishPush(s.ctx, p, 0); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for id, n := range takers {
		if n != 1 {
			t.Errorf("message %d was taken %d times", id, n)
		}
	}
	if len(takers) != 22 {
		t.Errorf("%d messages were taken", len(takers))
	}
}

// An account goes while platforms are authorised and others withdrawn: nothing of it is
// left, and what is left is counted.
func authorizedUnderUs(t *testing.T, s *store) {
	platforms := []*library.Component{s.component(t, "c0"), s.component(t, "c1")}
	for round := range 8 {
		a := s.account(t, fmt.Sprint("a", round))
		hash := func(i int) [32]byte { return sha256.Sum256(fmt.Append(nil, round, i)) }
		authorize := func(i int) error {
			return s.Accounts.ChangeComponent(s.ctx, platforms[i].AppID, func(_ *library.Component, h library.Holdings) error {
				if err := h.SetAuthorization(&library.Authorization{Account: a.ID, Sets: []int{11}}); err != nil {
					return err
				}
				return h.AddGrant(&library.Grant{Hash: hash(i), Account: a.ID, Kind: library.AuthorizerGrant, Expires: 9, Ends: 9})
			})
		}
		withdraw := func() error {
			return s.Accounts.ChangeComponent(s.ctx, "c0", func(_ *library.Component, h library.Holdings) error { return h.RemoveAuthorization(a.ID) })
		}
		s.must(t, authorize(0))
		var wg sync.WaitGroup
		for _, do := range []func() error{withdraw, func() error { return authorize(1) }, func() error { return s.Accounts.RemoveAccount(s.ctx, a.AppID) }} {
			wg.Go(func() {
				if err := do(); err != nil && err != library.ErrNotFound {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for i, c := range platforms {
			if list, total, err := s.Accounts.AuthorizationPage(s.ctx, c.ID, 0, 10); err != nil || total != 0 || len(list) != 0 {
				t.Fatalf("round %d: %d of %d are left of %s, %v", round, len(list), total, c.AppID, err)
			}
			_, err := s.Accounts.Authorization(s.ctx, c.ID, a.ID)
			wantErr(t, err, library.ErrNotFound)
			_, err = s.Accounts.Grant(s.ctx, hash(i))
			wantErr(t, err, library.ErrNotFound)
		}
	}
}

// A message that was dropped is nobody's any more, and those of others stay.
func droppedPushes(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	add := func(c *library.Component, account int64, infoType string) {
		t.Helper()
		s.hold(t, c, func(h library.Holdings) error {
			return h.AddPush(&library.Push{Account: account, InfoType: infoType, Message: []byte("x"), Due: 1})
		})
	}
	event := func(want string, account int64) {
		t.Helper()
		s.hold(t, c, func(h library.Holdings) error {
			got, err := h.DropEvents(account, "dropped event")
			if got != want {
				t.Errorf("%q was dropped, want %q", got, want)
			}
			return err
		})
	}
	shown := func(c *library.Component) (outcomes []string) {
		t.Helper()
		list, err := s.Accounts.Pushes(s.ctx, c.ID, 10)
		s.must(t, err)
		for _, p := range list {
			if (p.Due == 0) != (p.Outcome != "") || (p.Due == 0) != (len(p.Message) == 0) {
				t.Errorf("%+v", p)
			}
			outcomes = append(outcomes, fmt.Sprint(p.Account, p.InfoType, ":", p.Outcome))
		}
		return outcomes
	}
	want := func(c *library.Component, outcomes ...string) {
		t.Helper()
		if got := shown(c); !slices.Equal(got, outcomes) {
			t.Errorf("got  %q\nwant %q", got, outcomes)
		}
	}
	event("", 7)
	add(c, 7, "a")
	taken, err := s.Accounts.TakePush(s.ctx, 1, 50)
	s.must(t, err)
	add(c, 7, "b")
	add(c, 8, "b")
	add(c, 0, "ticket")
	add(other, 7, "b")
	add(other, 0, "ticket")
	event("b", 7)
	event("", 7)
	want(c, "0ticket:", "8b:", "7b:dropped event", "7a:dropped event")

	// What was being delivered is not delivered again, and lets the component go.
	taken.Due, taken.Outcome = 20, "failed"
	wantErr(t, s.Accounts.FinishPush(s.ctx, taken, 12), library.ErrConflict)
	s.hold(t, other, func(h library.Holdings) error { return h.DropPushes("b", "dropped") })
	want(other, "0ticket:", "7b:dropped")
	for _, c := range []struct{ now, component int64 }{{11, other.ID}, {12, c.ID}} {
		if next, err := s.Accounts.TakePush(s.ctx, c.now, 90); err != nil || next.Component != c.component {
			t.Fatalf("taken at %d: %+v, %v", c.now, next, err)
		}
	}
	s.hold(t, c, func(h library.Holdings) error { return h.DropPushes("ticket", "dropped") })
	want(c, "0ticket:dropped", "8b:", "7b:dropped event", "7a:dropped event")
	s.hold(t, c, func(h library.Holdings) error { return h.DropPushes("", "all") })
	want(c, "0ticket:dropped", "8b:all", "7b:dropped event", "7a:dropped event")
	want(other, "0ticket:", "7b:dropped")
}
