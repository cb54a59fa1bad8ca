package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"sucai/internal/library"
)

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
