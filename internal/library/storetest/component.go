package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
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
