package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sucai/internal/library"
)

func accounts(t *testing.T, s *store) {
	_, err := s.Accounts.Account(s.ctx, "a")
	wantErr(t, err, library.ErrNotFound)
	b, a := s.account(t, "b"), s.account(t, "a")
	wantErr(t, s.Accounts.CreateAccount(s.ctx, &library.Account{AppID: "a", Uin: 1, Salt: []byte{1}, Hash: []byte{1}}), library.ErrExists)
	wantErr(t, s.Accounts.CreateAccount(s.ctx, &library.Account{AppID: "c", Uin: a.Uin, Salt: []byte{1}, Hash: []byte{1}}), library.ErrExists)
	s.must(t, s.Accounts.ChangeAccount(s.ctx, "a", func(a *library.Account, _ library.Grants) error {
		a.Settings.Name = "名字"
		a.Stable = library.StableToken{Token: "t", Expires: 77}
		a.Salt, a.Hash = []byte{1}, []byte{2}
		return nil
	}))
	want := *a
	want.Settings.Name, want.Stable, want.Salt, want.Hash = "名字", library.StableToken{Token: "t", Expires: 77}, []byte{1}, []byte{2}
	for _, read := range []func() (*library.Account, error){
		func() (*library.Account, error) { return s.Accounts.Account(s.ctx, "a") },
		func() (*library.Account, error) { return s.Accounts.AccountByID(s.ctx, a.ID) },
		func() (*library.Account, error) { return s.Accounts.AccountByUin(s.ctx, a.Uin) },
	} {
		got, err := read()
		s.must(t, err)
		if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", want); g != w {
			t.Fatalf("got  %s\nwant %s", g, w)
		}
	}
	list, err := s.Accounts.AccountList(s.ctx)
	s.must(t, err)
	if len(list) != 2 || list[0].AppID != "a" || list[1].ID != b.ID {
		t.Fatalf("list: %+v", list)
	}
	s.must(t, s.Accounts.RemoveAccount(s.ctx, "a"))
	wantErr(t, s.Accounts.RemoveAccount(s.ctx, "a"), library.ErrNotFound)
	_, err = s.Accounts.AccountByID(s.ctx, a.ID)
	wantErr(t, err, library.ErrNotFound)
	_, err = s.Accounts.AccountByUin(s.ctx, a.Uin)
	wantErr(t, err, library.ErrNotFound)
	wantErr(t, s.Accounts.ChangeAccount(s.ctx, "a", func(*library.Account, library.Grants) error { return nil }), library.ErrNotFound)
}

func changesExclude(t *testing.T, s *store) {
	s.account(t, "a")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				err := s.Accounts.ChangeAccount(s.ctx, "a", func(a *library.Account, _ library.Grants) error {
					a.Stable.Expires++
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	a, err := s.Accounts.Account(s.ctx, "a")
	s.must(t, err)
	if a.Stable.Expires != 40 {
		t.Fatalf("%d of 40 changes were kept", a.Stable.Expires)
	}
}

func failedChange(t *testing.T, s *store) {
	s.account(t, "a")
	own := errors.New("mine")
	g := &library.Grant{Hash: [32]byte{9}, Kind: library.PlainGrant, Expires: 10, Ends: 10}
	err := s.Accounts.ChangeAccount(s.ctx, "a", func(a *library.Account, grants library.Grants) error {
		a.Settings.Name = "lost"
		s.must(t, grants.Add(g))
		return own
	})
	wantErr(t, err, own)
	a, err := s.Accounts.Account(s.ctx, "a")
	s.must(t, err)
	_, err = s.Accounts.Grant(s.ctx, g.Hash)
	wantErr(t, err, library.ErrNotFound)
	if a.Settings.Name != "" {
		t.Fatal("the change was kept")
	}
}

func grants(t *testing.T, s *store) {
	a, b := s.account(t, "a"), s.account(t, "b")
	hash := func(n byte) [32]byte { return sha256.Sum256([]byte{n}) }
	add := func(appID string, n byte, kind library.GrantKind, expires, ends int64) {
		t.Helper()
		s.must(t, s.Accounts.ChangeAccount(s.ctx, appID, func(_ *library.Account, g library.Grants) error {
			return g.Add(&library.Grant{Hash: hash(n), Kind: kind, Expires: expires, Ends: ends})
		}))
	}
	want := func(n byte, account int64, ends int64) {
		t.Helper()
		g, err := s.Accounts.Grant(s.ctx, hash(n))
		s.must(t, err)
		if g.Hash != hash(n) || g.Account != account || g.Ends != ends {
			t.Fatalf("grant %d: %+v", n, g)
		}
	}
	_, err := s.Accounts.Grant(s.ctx, hash(1))
	wantErr(t, err, library.ErrNotFound)
	add("a", 1, library.PlainGrant, 1000, 1000)
	add("a", 2, library.PlainGrant, 400, 400)
	add("a", 3, library.StableGrant, 1000, 1000)
	add("b", 4, library.PlainGrant, 1000, 1000)
	s.must(t, s.Accounts.ChangeAccount(s.ctx, "a", func(_ *library.Account, g library.Grants) error {
		return g.End(library.PlainGrant, 500, 400)
	}))
	want(1, a.ID, 500)
	want(2, a.ID, 400) // its own end was earlier
	want(3, a.ID, 1000)
	want(4, b.ID, 1000)

	s.must(t, s.Accounts.ForgetGrants(s.ctx, 450, 450)) // 2 has ended by itself, before both
	want(1, a.ID, 500)
	_, err = s.Accounts.Grant(s.ctx, hash(2))
	wantErr(t, err, library.ErrNotFound)
	s.must(t, s.Accounts.ForgetGrants(s.ctx, 2000, 900)) // 1 was ended early; 3 and 4 are to be remembered
	_, err = s.Accounts.Grant(s.ctx, hash(1))
	wantErr(t, err, library.ErrNotFound)
	want(3, a.ID, 1000)
	s.must(t, s.Accounts.RemoveAccount(s.ctx, "a"))
	_, err = s.Accounts.Grant(s.ctx, hash(3))
	wantErr(t, err, library.ErrNotFound)
	want(4, b.ID, 1000)

	add("b", 5, library.PlainGrant, 600, 600)
	s.must(t, s.Accounts.ChangeAccount(s.ctx, "b", func(_ *library.Account, g library.Grants) error {
		return g.End(library.PlainGrant, 0, 600)
	}))
	want(4, b.ID, 0)
	want(5, b.ID, 600) // it is remembered as expired
}

func clock(t *testing.T, s *store) {
	before := time.Now()
	at, err := s.Accounts.Clock(s.ctx)
	s.must(t, err)
	// The servers of the tests run on this machine.
	if after := time.Now(); at.Before(before.Add(-time.Second)) || at.After(after.Add(time.Second)) {
		t.Errorf("the clock shows %s between %s and %s", at, before, after)
	}
}

func identity(t *testing.T, s *store) {
	one, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	two, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	if one.ID == "" || len(one.RootKey) != 32 || one.ID != two.ID || !bytes.Equal(one.RootKey, two.RootKey) {
		t.Fatalf("%+v, then %+v", one, two)
	}
	if two.Claimed {
		t.Error("the blobs have a place before anybody said so")
	}
	for range 2 {
		s.must(t, s.Accounts.SetClaimed(s.ctx))
		if two, err = s.Accounts.Store(s.ctx); err != nil || !two.Claimed || two.ID != one.ID {
			t.Errorf("claimed: %+v, %v", two, err)
		}
	}
}

func countsCalls(t *testing.T, s *store) {
	a, b := s.account(t, "a"), s.account(t, "b")
	count := func(account *library.Account, endpoint string, day, limit int64) bool {
		t.Helper()
		within, err := s.Accounts.CountCall(s.ctx, account.ID, endpoint, day, limit)
		s.must(t, err)
		return within
	}
	for i := range 5 {
		if got := count(a, "x", 10, 3); got != (i < 3) {
			t.Errorf("call %d of 3: %v", i+1, got)
		}
	}
	if !count(a, "x", 11, 3) || !count(a, "y", 10, 3) || !count(b, "x", 10, 3) {
		t.Error("another day, endpoint or account was refused")
	}
	if count(b, "z", 10, 0) {
		t.Error("a limit of 0 lets a call through")
	}
	if !count(a, "x", 10, 4) || count(a, "x", 10, 4) {
		t.Error("a higher limit does not go on from what was counted")
	}
	s.must(t, s.Accounts.ForgetCalls(s.ctx, 11))
	if !count(a, "x", 10, 1) {
		t.Error("a forgotten day is still counted")
	}
	if count(a, "x", 11, 1) {
		t.Error("the day itself was forgotten")
	}
	// Many at once are counted exactly.
	var wg sync.WaitGroup
	var within atomic.Int64
	for range 4 {
		wg.Go(func() {
			for range 10 {
				ok, err := s.Accounts.CountCall(s.ctx, a.ID, "many", 10, 25)
				if err != nil {
					t.Error(err)
				}
				if ok {
					within.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if within.Load() != 25 {
		t.Errorf("%d of 25 calls were counted", within.Load())
	}
}
