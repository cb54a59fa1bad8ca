package storetest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"sucai/internal/library"
	"sucai/wechat"
)

// rows reads all rows of an account, so many at a time.
func (s *store) rows(t testing.TB, a *library.Account, count int64) (list []*library.Material) {
	t.Helper()
	for after := ""; ; after = list[len(list)-1].MediaID {
		piece, err := s.Materials.Rows(s.ctx, a.ID, after, count)
		s.must(t, err)
		if int64(len(piece)) > count {
			t.Fatalf("%d rows, %d were asked for", len(piece), count)
		}
		if list = append(list, piece...); len(piece) == 0 {
			return list
		}
	}
}

func allRows(t *testing.T, s *store) {
	a, b := s.account(t, "a"), s.account(t, "b")
	s.insert(t, b, wechat.Image, "a", "zz")
	if got := s.rows(t, a, 10); got != nil {
		t.Fatalf("rows of nothing: %v", got)
	}
	// In an order of no language, but of bytes.
	ids := []string{"-", "A", "B", "Z", "_", "a", "a ", "a-", "aB", "a_", "ab", "b", "é", "素材", "\U0001F600"}
	want := map[string]*library.Material{}
	for i, n := range rand.New(rand.NewPCG(1, 1)).Perm(len(ids)) {
		m, limit := material(a, ids[n], wechat.Listed[i%len(wechat.Listed)]), int64(noCap)
		if i%3 == 0 { // temporary, and expired long ago
			m.Expires, limit = int64(1+i), 0
		}
		s.must(t, s.Materials.Insert(s.ctx, m, limit))
		want[m.MediaID] = m
	}
	for _, count := range []int64{1, 2, 7, 100} {
		got := s.rows(t, a, count)
		if len(got) != len(ids) {
			t.Fatalf("by %d: %d rows, want %d", count, len(got), len(ids))
		}
		for i, m := range got {
			head := *want[ids[i]]
			head.Articles = nil
			same(t, m, &head)
		}
	}
	// What comes and goes between two pieces hides nothing else.
	first, err := s.Materials.Rows(s.ctx, a.ID, "", 5)
	s.must(t, err)
	s.must(t, s.Materials.Delete(s.ctx, a.ID, first[4].MediaID))
	s.insert(t, a, wechat.Image, "0", "aA")
	rest, err := s.Materials.Rows(s.ctx, a.ID, first[4].MediaID, 100)
	s.must(t, err)
	var got []string
	for _, m := range rest {
		got = append(got, m.MediaID)
	}
	if !slices.Equal(got, slices.Concat(ids[5:8], []string{"aA"}, ids[8:])) {
		t.Fatalf("rows behind %q: %q", first[4].MediaID, got)
	}
}

// addsUp wants the counts of an account to be those of its rows.
func (s *store) addsUp(t testing.TB, a *library.Account) {
	t.Helper()
	wrong, err := s.Materials.Miscounts(s.ctx, a.ID)
	s.must(t, err)
	if len(wrong) > 0 {
		t.Errorf("%q", wrong)
	}
}

// countsAddUp looks at the counts before, while and after rows come and go. That wrong
// ones are found is tested where they can be made.
func countsAddUp(t *testing.T, s *store) {
	a, b := s.account(t, "a"), s.account(t, "b")
	s.addsUp(t, a)
	s.insert(t, b, wechat.Image, "of b")
	var ms []*library.Material
	for i := range 200 {
		m := material(a, fmt.Sprint(i), wechat.Listed[i%len(wechat.Listed)])
		m.Number = int64(i) * int64(i) * 400 // up to the last level, the first never listed
		ms = append(ms, m)
	}
	_, err := s.Materials.Import(s.ctx, a.ID, ms)
	s.must(t, err)
	s.addsUp(t, a)
	s.insert(t, a, wechat.Voice, "next")
	done := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := w; i < len(ms); i += 2 {
				if err := s.Materials.Delete(s.ctx, a.ID, ms[i].MediaID); err != nil {
					t.Error(err)
				}
				if err := s.Materials.Insert(s.ctx, material(a, fmt.Sprint("new ", i), wechat.Image), noCap); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	for looking := true; looking; {
		select {
		case <-done:
			looking = false
		default:
		}
		s.addsUp(t, a)
	}
	for _, m := range s.rows(t, a, 50) {
		s.must(t, s.Materials.Delete(s.ctx, a.ID, m.MediaID))
	}
	s.addsUp(t, a)
	s.addsUp(t, b)
}

func adopts(t *testing.T, s *store) {
	key := func(n byte) []byte { return bytes.Repeat([]byte{n}, 32) }
	one, two := &library.Store{ID: "one", RootKey: key(1)}, &library.Store{ID: "two", RootKey: key(2)}
	own, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	if own.Copied || own.Unfinished || own.Claimed || own.Place == "" {
		t.Fatalf("a new store: %+v", own)
	}
	want := func(st *library.Store, unfinished bool) {
		t.Helper()
		got, err := s.Accounts.Store(s.ctx)
		s.must(t, err)
		if got.ID != st.ID || !bytes.Equal(got.RootKey, st.RootKey) || !got.Copied || !got.Claimed || got.Unfinished != unfinished || got.Place != own.Place {
			t.Fatalf("%+v, want a copy of %+v", got, st)
		}
	}
	s.must(t, s.Accounts.Adopt(s.ctx, one))
	want(one, true)
	wantErr(t, s.Accounts.Adopt(s.ctx, two), library.ErrConflict) // though nothing is in it yet
	a := s.account(t, "a")
	s.component(t, "c")
	for range 2 {
		s.must(t, s.Accounts.FinishCopy(s.ctx))
		want(one, false)
	}
	wantErr(t, s.Accounts.Adopt(s.ctx, two), library.ErrConflict)
	want(one, false)
	s.must(t, s.Accounts.Adopt(s.ctx, one))
	want(one, true)
	s.must(t, s.Accounts.RemoveAccount(s.ctx, "a"))
	s.must(t, s.Materials.DeleteAll(s.ctx, a.ID))
	s.must(t, s.Accounts.Adopt(s.ctx, one))
	want(one, true)
}

// adoptsClaimed has had blobs of its own, perhaps.
func adoptsClaimed(t *testing.T, s *store) {
	s.must(t, s.Accounts.SetClaimed(s.ctx))
	wantErr(t, s.Accounts.Adopt(s.ctx, &library.Store{ID: "one", RootKey: make([]byte, 32)}), library.ErrConflict)
}

// adoptsNothing fills a store before it is to become a copy.
func adoptsNothing(t *testing.T, s *store) {
	own, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	s.account(t, "a")
	wantErr(t, s.Accounts.Adopt(s.ctx, &library.Store{ID: "one", RootKey: make([]byte, 32)}), library.ErrConflict)
	wantErr(t, s.Accounts.Adopt(s.ctx, own), library.ErrConflict) // it is the store itself
	got, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	if got.ID != own.ID || !bytes.Equal(got.RootKey, own.RootKey) || got.Copied {
		t.Fatalf("%+v, want %+v", got, own)
	}
}

func listsGrants(t *testing.T, s *store) {
	a, c := s.account(t, "a"), s.component(t, "c")
	var want []*library.Grant
	for i := range 9 {
		g := &library.Grant{Hash: sha256.Sum256([]byte{byte(i)}), Account: a.ID, Kind: library.PlainGrant, Expires: 1000, Ends: int64(100 * i)}
		switch i % 3 {
		case 1:
			g.Account, g.Component, g.Kind = 0, c.ID, library.ComponentGrant
		case 2:
			g.Component, g.Kind = c.ID, library.AuthorizerGrant
		}
		want = append(want, g)
	}
	s.must(t, s.Accounts.ImportGrants(s.ctx, want))
	slices.SortFunc(want, func(a, b *library.Grant) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	for _, count := range []int64{1, 4, 100} {
		var got []*library.Grant
		for after := [32]byte{}; ; after = got[len(got)-1].Hash {
			piece, err := s.Accounts.GrantList(s.ctx, after, count)
			s.must(t, err)
			if got = append(got, piece...); len(piece) == 0 {
				break
			}
		}
		if len(got) != len(want) {
			t.Fatalf("by %d: %d grants, want %d", count, len(got), len(want))
		}
		for i := range got {
			if *got[i] != *want[i] {
				t.Errorf("%+v, want %+v", *got[i], *want[i])
			}
		}
	}
	fresh := *want[0]
	fresh.Hash = sha256.Sum256([]byte("fresh"))
	wantErr(t, s.Accounts.ImportGrants(s.ctx, []*library.Grant{&fresh, want[1]}), library.ErrExists)
	_, err := s.Accounts.Grant(s.ctx, fresh.Hash)
	wantErr(t, err, library.ErrNotFound) // all or none
	s.must(t, s.Accounts.DropGrants(s.ctx))
	for _, g := range want {
		_, err := s.Accounts.Grant(s.ctx, g.Hash)
		wantErr(t, err, library.ErrNotFound)
	}
	s.must(t, s.Accounts.DropGrants(s.ctx))
}
