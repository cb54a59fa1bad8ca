package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"sucai/internal/library"
	"sucai/wechat"
)

// Run checks an engine against the contract.
func Run(t *testing.T, open func(t testing.TB) library.Engines) {
	for name, check := range map[string]func(t *testing.T, s *store){
		"material: inserted, read, deleted":         insertReadDelete,
		"material: accounts never see each other":   accountsApart,
		"material: caps":                            caps,
		"material: unique ids and keys":             uniqueNames,
		"material: unlisted":                        unlisted,
		"material: pages":                           pages,
		"material: pages against a model":           pagesAgainstModel,
		"material: a page is one snapshot":          oneSnapshot,
		"material: updates compare versions":        updates,
		"material: large articles are left out":     largeArticles,
		"material: names that cannot be":            impossibleNames,
		"material: import":                          imports,
		"material: expired and removed":             expiredAndRemoved,
		"material: unreferenced blobs":              unreferenced,
		"material: many at once":                    manyAtOnce,
		"material: removed while others add":        removedUnderUs,
		"account: created, read, changed, removed":  accounts,
		"account: changes exclude each other":       changesExclude,
		"account: a failed change leaves nothing":   failedChange,
		"account: grants":                           grants,
		"account: identity":                         identity,
		"account: calls are counted":                countsCalls,
		"cloud: created, read, rotated, removed":    cloudEnvs,
		"cloud: removed with accounts":              cloudEnvsOfRemoved,
		"cloud: trouble is no absence":              cloudTrouble,
		"component: created, changed, removed":      components,
		"component: a failed change leaves nothing": failedComponentChange,
		"component: grants":                         componentGrants,
		"component: codes are good once":            codes,
		"component: authorisations":                 authorizations,
		"component: accounts removed meanwhile":     authorizedUnderUs,
		"cloud: accounts removed meanwhile":         cloudEnvsUnderUs,
		"component: tickets fall due":               ticketsDue,
		"component: a message is one taker's":       pushes,
		"component: messages are dropped":           droppedPushes,
		"component: a code goes with what it is of": codesOfAuthorizations,
		"blob: put, open, remove":                   putOpenRemove,
		"blob: errors come out and nothing is left": putFails,
		"blob: claimed by one store":                claim,
		"blob: listed by age":                       listBlobs,
		"all: a cancelled call is no absence":       cancelled,
		"all: ready":                                ready,
	} {
		t.Run(name, func(t *testing.T) { check(t, opened(t, open)) })
	}
}

func opened(t *testing.T, open func(t testing.TB) library.Engines) *store {
	s := &store{Engines: open(t), ctx: context.Background()}
	id, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	s.must(t, s.Blobs.Claim(s.ctx, id.ID))
	return s
}

type store struct {
	library.Engines
	ctx context.Context
	n   int
}

func (s *store) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if err != want { // exactly: callers compare
		t.Fatalf("error %v, want %v", err, want)
	}
}

func (s *store) account(t testing.TB, appID string) *library.Account {
	t.Helper()
	s.n++
	a := &library.Account{AppID: appID, Uin: 3e9 + int64(s.n), Salt: []byte("salt"), Hash: []byte("hash"), Created: 1}
	s.must(t, s.Accounts.CreateAccount(s.ctx, a))
	if a.ID == 0 {
		t.Fatal("no ID was set")
	}
	return a
}

func material(a *library.Account, id string, t wechat.Type) *library.Material {
	m := &library.Material{
		Account: a.ID, MediaID: id, Type: t, Name: id + ".name", Introduction: "介绍 " + id, Key: fmt.Sprintf("key-%d-%s", a.ID, id),
		Blob: "blob-" + id, Size: 7, Format: "png", Width: 3, Height: 4, Created: 100, Updated: 200, Version: 5,
	}
	if t == wechat.News {
		m.Blob, m.Format = "", ""
		m.Articles, m.ArticlesFormat = wechat.Articles("[\"\x01/x\\u0000\"]"), wechat.ArticlesFormat
		m.Size = int64(len(m.Articles))
	}
	return m
}

const noCap = math.MaxInt64

func (s *store) insert(t testing.TB, a *library.Account, typ wechat.Type, ids ...string) {
	t.Helper()
	for _, id := range ids {
		s.must(t, s.Materials.Insert(s.ctx, material(a, id, typ), noCap))
	}
}

func (s *store) page(t testing.TB, a *library.Account, typ wechat.Type, offset, count int64) (ids []string, total int64) {
	t.Helper()
	total, err := s.Materials.Page(s.ctx, a.ID, typ, offset, count, nil, func(m *library.Material) error {
		ids = append(ids, m.MediaID)
		return nil
	})
	s.must(t, err)
	return ids, total
}

func (s *store) wantPage(t testing.TB, a *library.Account, typ wechat.Type, offset, count int64, total int64, ids ...string) {
	t.Helper()
	got, n := s.page(t, a, typ, offset, count)
	if !slices.Equal(got, ids) || n != total {
		t.Fatalf("page at %d: %v of %d, want %v of %d", offset, got, n, ids, total)
	}
}

func same(t testing.TB, got, want *library.Material) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", *want); g != w {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
}

func insertReadDelete(t *testing.T, s *store) {
	a := s.account(t, "a")
	for i, typ := range wechat.Listed {
		m := material(a, "id-"+string(typ), typ)
		s.must(t, s.Materials.Insert(s.ctx, m, noCap))
		if m.Number != 1 {
			t.Fatalf("first number of %s is %d", typ, m.Number)
		}
		got, err := s.Materials.Material(s.ctx, a.ID, m.MediaID, noCap)
		s.must(t, err)
		same(t, got, m)
		if typ == wechat.News {
			got, err = s.Materials.NewsByKey(s.ctx, a.ID, m.Key, noCap)
			s.must(t, err)
			same(t, got, m)
			_, err = s.Materials.ByKey(s.ctx, m.Key)
			wantErr(t, err, library.ErrNotFound)
		} else {
			got, err = s.Materials.ByKey(s.ctx, m.Key)
			s.must(t, err)
			same(t, got, m)
			_, err = s.Materials.NewsByKey(s.ctx, a.ID, m.Key, noCap)
			wantErr(t, err, library.ErrNotFound)
		}
		n, err := s.Materials.Counts(s.ctx, a.ID)
		s.must(t, err)
		if n[typ] != 1 {
			t.Fatalf("%d: counts %v", i, n)
		}
	}
	for _, typ := range wechat.Listed {
		id := "id-" + string(typ)
		s.must(t, s.Materials.Delete(s.ctx, a.ID, id))
		wantErr(t, s.Materials.Delete(s.ctx, a.ID, id), library.ErrNotFound)
		_, err := s.Materials.Material(s.ctx, a.ID, id, noCap)
		wantErr(t, err, library.ErrNotFound)
		s.wantPage(t, a, typ, 0, 20, 0)
	}
	_, err := s.Materials.ByKey(s.ctx, "")
	wantErr(t, err, library.ErrNotFound)
}

func accountsApart(t *testing.T, s *store) {
	a, b := s.account(t, "a"), s.account(t, "b")
	s.insert(t, a, wechat.Image, "one", "two")
	mine := material(b, "one", wechat.Image) // the same id in another account
	mine.Name = "of b"
	s.must(t, s.Materials.Insert(s.ctx, mine, noCap))
	got, err := s.Materials.Material(s.ctx, b.ID, "one", noCap)
	s.must(t, err)
	if got.Name != "of b" {
		t.Fatalf("b sees %q", got.Name)
	}
	_, err = s.Materials.Material(s.ctx, b.ID, "two", noCap)
	wantErr(t, err, library.ErrNotFound)
	wantErr(t, s.Materials.Delete(s.ctx, b.ID, "two"), library.ErrNotFound)
	s.wantPage(t, a, wechat.Image, 0, 20, 2, "two", "one")
	s.wantPage(t, b, wechat.Image, 0, 20, 1, "one")
	s.must(t, s.Materials.Delete(s.ctx, b.ID, "one"))
	s.wantPage(t, a, wechat.Image, 0, 20, 2, "two", "one")
}

func caps(t *testing.T, s *store) {
	a := s.account(t, "a")
	for i := range 3 {
		s.must(t, s.Materials.Insert(s.ctx, material(a, fmt.Sprint(i), wechat.Voice), 3))
	}
	full := material(a, "full", wechat.Voice)
	wantErr(t, s.Materials.Insert(s.ctx, full, 3), library.ErrFull)
	_, err := s.Materials.Material(s.ctx, a.ID, "full", noCap)
	wantErr(t, err, library.ErrNotFound)
	s.insert(t, a, wechat.Image, "another type")
	s.must(t, s.Materials.Delete(s.ctx, a.ID, "1"))
	s.must(t, s.Materials.Insert(s.ctx, full, 3))
	s.wantPage(t, a, wechat.Voice, 0, 20, 3, "full", "2", "0")
}

func uniqueNames(t *testing.T, s *store) {
	a := s.account(t, "a")
	s.insert(t, a, wechat.Image, "one")
	wantErr(t, s.Materials.Insert(s.ctx, material(a, "one", wechat.Image), noCap), library.ErrExists)
	sameKey := material(a, "two", wechat.Image)
	sameKey.Key = material(a, "one", wechat.Image).Key
	wantErr(t, s.Materials.Insert(s.ctx, sameKey, noCap), library.ErrExists)
	s.wantPage(t, a, wechat.Image, 0, 20, 1, "one")
	s.insert(t, a, wechat.Image, "three")
	s.wantPage(t, a, wechat.Image, 0, 20, 2, "three", "one")
}

func unlisted(t *testing.T, s *store) {
	a := s.account(t, "a")
	m := material(a, "temporary", wechat.Image)
	m.Expires = 500
	s.must(t, s.Materials.Insert(s.ctx, m, 0))
	if m.Number != 0 {
		t.Fatalf("number %d", m.Number)
	}
	got, err := s.Materials.Material(s.ctx, a.ID, "temporary", noCap)
	s.must(t, err)
	same(t, got, m)
	s.wantPage(t, a, wechat.Image, 0, 20, 0)
	n, err := s.Materials.Counts(s.ctx, a.ID)
	s.must(t, err)
	if n[wechat.Image] != 0 {
		t.Fatalf("counted: %v", n)
	}
	s.must(t, s.Materials.Delete(s.ctx, a.ID, "temporary"))
	s.wantPage(t, a, wechat.Image, 0, 20, 0)
}

func pages(t *testing.T, s *store) {
	a := s.account(t, "a")
	s.wantPage(t, a, wechat.Image, 0, 20, 0)
	s.wantPage(t, a, wechat.Image, 1<<40, 20, 0)
	s.insert(t, a, wechat.Image, "1", "2", "3", "4", "5")
	s.wantPage(t, a, wechat.Image, 0, 2, 5, "5", "4")
	s.wantPage(t, a, wechat.Image, 2, 2, 5, "3", "2")
	s.wantPage(t, a, wechat.Image, 4, 2, 5, "1")
	s.wantPage(t, a, wechat.Image, 5, 2, 5)
	s.wantPage(t, a, wechat.Image, math.MaxInt64, 2, 5)
	s.insert(t, a, wechat.Image, "6") // shifts offsets by one
	s.wantPage(t, a, wechat.Image, 2, 2, 6, "4", "3")
	s.must(t, s.Materials.Delete(s.ctx, a.ID, "4"))
	s.wantPage(t, a, wechat.Image, 0, 20, 5, "6", "5", "3", "2", "1")
	s.wantPage(t, a, wechat.News, 0, 20, 0)

	s.insert(t, a, wechat.News, "news")
	_, err := s.Materials.Page(s.ctx, a.ID, wechat.News, 0, 20, nil, func(m *library.Material) error {
		want := material(a, "news", wechat.News)
		if m.Name != want.Name || m.Key != want.Key || string(m.Articles) != string(want.Articles) || m.ArticlesFormat != want.ArticlesFormat ||
			m.Size != want.Size || m.Created != want.Created || m.Updated != want.Updated || m.Type != wechat.News || m.Number != 1 {
			t.Errorf("listed %+v", m)
		}
		return nil
	})
	s.must(t, err)
	large := material(a, "large", wechat.News)
	large.Articles = append(large.Articles, make([]byte, library.SmallArticles)...)
	large.Size = int64(len(large.Articles))
	s.must(t, s.Materials.Insert(s.ctx, large, noCap))
	var asked, sizes []int64
	room := func(size int64) error { asked = append(asked, size); return nil }
	_, err = s.Materials.Page(s.ctx, a.ID, wechat.News, 0, 20, room, func(m *library.Material) error {
		sizes = append(sizes, int64(len(m.Articles)))
		return nil
	})
	s.must(t, err)
	if len(asked) != 1 || asked[0] != large.Size || len(sizes) != 2 || sizes[0] != large.Size || sizes[1] >= library.SmallArticles {
		t.Fatalf("room for %v was asked, articles of %v came", asked, sizes)
	}

	own := errors.New("mine")
	_, err = s.Materials.Page(s.ctx, a.ID, wechat.News, 0, 20, func(int64) error { return own }, func(*library.Material) error { return nil })
	wantErr(t, err, own)
	calls := 0
	_, err = s.Materials.Page(s.ctx, a.ID, wechat.Image, 0, 20, nil, func(*library.Material) error { calls++; return own })
	wantErr(t, err, own)
	if calls != 1 {
		t.Fatalf("%d calls after an error", calls)
	}
}

// oneSnapshot sees that a page and its total belong together while others write.
func oneSnapshot(t *testing.T, s *store) {
	a := s.account(t, "a")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 60 { // a second is always added and taken away again
			if err := s.Materials.Insert(s.ctx, material(a, fmt.Sprint(i), wechat.Image), noCap); err != nil {
				t.Error(err)
			}
			if i > 0 {
				if err := s.Materials.Delete(s.ctx, a.ID, fmt.Sprint(i-1)); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	for {
		if ids, total := s.page(t, a, wechat.Image, 0, 20); int64(len(ids)) != total {
			t.Fatalf("%d of %d", len(ids), total)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

// pagesAgainstModel compares every page with a slice, in a list long enough for all
// levels of counting and full of holes.
func pagesAgainstModel(t *testing.T, s *store) {
	a := s.account(t, "a")
	random := rand.New(rand.NewPCG(1, 2))
	var model []string // newest first
	next := 0
	add := func(n int) {
		var ms []*library.Material
		for range n {
			m := material(a, fmt.Sprintf("m%06d", next), wechat.Image)
			m.Number = library.NextNumber
			if next%40 == 0 { // numbers with gaps, up to several millions
				m.Number = int64(next+1) * 4000
			}
			ms = append(ms, m)
			model = append([]string{m.MediaID}, model...)
			next++
		}
		added, err := s.Materials.Import(s.ctx, a.ID, ms)
		s.must(t, err)
		if added != n {
			t.Fatalf("added %d of %d", added, n)
		}
	}
	remove := func(i int) {
		s.must(t, s.Materials.Delete(s.ctx, a.ID, model[i]))
		model = slices.Delete(model, i, i+1)
	}
	check := func(offset int) {
		end := min(offset+20, len(model))
		s.wantPage(t, a, wechat.Image, int64(offset), 20, int64(len(model)), model[min(offset, end):end]...)
	}
	for _, n := range []int{1, 30, 2, 31, 900, 150} {
		add(n)
		for _, offset := range []int{0, 1, len(model) / 2, len(model) - 1, len(model)} {
			check(offset)
		}
	}
	for range 300 {
		i := random.IntN(len(model))
		if random.IntN(3) == 0 {
			i = min(len(model)-1, 100) // a run of holes
		}
		remove(i)
		check(random.IntN(len(model) + 1))
	}
	add(40)
	for offset := 0; offset <= len(model); offset += 7 {
		check(offset)
	}
	for len(model) > 0 {
		remove(len(model) - 1)
		if len(model)%50 == 0 {
			check(len(model) / 2)
		}
	}
}

func updates(t *testing.T, s *store) {
	a := s.account(t, "a")
	s.insert(t, a, wechat.News, "one", "two")
	m, err := s.Materials.Material(s.ctx, a.ID, "one", noCap)
	s.must(t, err)
	m.Articles, m.Updated, m.Size = wechat.Articles(`["new"]`), 999, 7
	m.Version++
	s.must(t, s.Materials.UpdateArticles(s.ctx, m))
	got, err := s.Materials.Material(s.ctx, a.ID, "one", noCap)
	s.must(t, err)
	same(t, got, m)
	wantErr(t, s.Materials.UpdateArticles(s.ctx, m), library.ErrConflict) // an old version now
	got, err = s.Materials.Material(s.ctx, a.ID, "one", noCap)
	s.must(t, err)
	same(t, got, m)
	s.wantPage(t, a, wechat.News, 0, 20, 2, "two", "one") // not reordered
	m.MediaID = "none"
	wantErr(t, s.Materials.UpdateArticles(s.ctx, m), library.ErrNotFound)
}

func largeArticles(t *testing.T, s *store) {
	a := s.account(t, "a")
	s.insert(t, a, wechat.News, "one", "two", "three")
	size := material(a, "one", wechat.News).Size
	for _, c := range []struct {
		most int64
		want bool
	}{{size, true}, {size - 1, false}, {0, false}} {
		m, err := s.Materials.Material(s.ctx, a.ID, "one", c.most)
		s.must(t, err)
		if (m.Articles != nil) != c.want || m.Size != size {
			t.Fatalf("at most %d: articles %q, size %d", c.most, m.Articles, m.Size)
		}
		m, err = s.Materials.NewsByKey(s.ctx, a.ID, m.Key, c.most)
		s.must(t, err)
		if (m.Articles != nil) != c.want || m.Size != size {
			t.Fatalf("by key, at most %d: articles %q, size %d", c.most, m.Articles, m.Size)
		}
	}
}

func imports(t *testing.T, s *store) {
	a := s.account(t, "a")
	list := []*library.Material{material(a, "x", wechat.Image), material(a, "y", wechat.Image), material(a, "z", wechat.Image), material(a, "hidden", wechat.Image)}
	list[0].Number, list[1].Number, list[2].Number, list[3].Number = 40, library.NextNumber, 2000, 0
	n, err := s.Materials.Import(s.ctx, a.ID, list)
	s.must(t, err)
	if n != 4 || list[1].Number != 41 {
		t.Fatalf("added %d, y has number %d", n, list[1].Number)
	}
	s.wantPage(t, a, wechat.Image, 0, 20, 3, "z", "y", "x")
	s.wantPage(t, a, wechat.Image, 1, 1, 3, "y")
	again := []*library.Material{material(a, "y", wechat.Image), material(a, "w", wechat.Image)}
	again[0].Name, again[0].Number, again[1].Number = "changed", library.NextNumber, library.NextNumber
	n, err = s.Materials.Import(s.ctx, a.ID, again)
	s.must(t, err)
	got, err := s.Materials.Material(s.ctx, a.ID, "y", noCap)
	s.must(t, err)
	if n != 1 || got.Name != "y.name" || again[1].Number != 2001 {
		t.Fatalf("added %d, y is %q, w has number %d", n, got.Name, again[1].Number)
	}
	s.insert(t, a, wechat.Image, "next")
	s.wantPage(t, a, wechat.Image, 0, 20, 5, "next", "w", "z", "y", "x")
	s.must(t, s.Materials.Delete(s.ctx, a.ID, "z"))
	s.wantPage(t, a, wechat.Image, 2, 20, 4, "y", "x")
	got, err = s.Materials.Material(s.ctx, a.ID, "x", noCap)
	s.must(t, err)
	same(t, got, list[0])
}

func expiredAndRemoved(t *testing.T, s *store) {
	a, b := s.account(t, "a"), s.account(t, "b")
	for id, expires := range map[string]int64{"old": 10, "young": 1000} {
		m := material(a, id, wechat.Image)
		m.Expires = expires
		s.must(t, s.Materials.Insert(s.ctx, m, 0))
	}
	s.insert(t, a, wechat.Image, "kept")
	s.must(t, s.Materials.DeleteExpired(s.ctx, 500))
	_, err := s.Materials.Material(s.ctx, a.ID, "old", noCap)
	wantErr(t, err, library.ErrNotFound)
	for _, id := range []string{"young", "kept"} {
		_, err := s.Materials.Material(s.ctx, a.ID, id, noCap)
		s.must(t, err)
	}

	s.insert(t, b, wechat.Image, "of b")
	s.must(t, s.Accounts.RemoveAccount(s.ctx, "a"))
	removed, err := s.Materials.RemovedAccounts(s.ctx)
	s.must(t, err)
	if !slices.Equal(removed, []int64{a.ID}) {
		t.Fatalf("removed: %v, want %d", removed, a.ID)
	}
	s.must(t, s.Materials.DeleteAll(s.ctx, a.ID))
	removed, err = s.Materials.RemovedAccounts(s.ctx)
	s.must(t, err)
	if len(removed) != 0 {
		t.Fatalf("still there: %v", removed)
	}
	_, err = s.Materials.Material(s.ctx, a.ID, "kept", noCap)
	wantErr(t, err, library.ErrNotFound)
	for _, limit := range []int64{0, noCap} { // an upload that was under way
		wantErr(t, s.Materials.Insert(s.ctx, material(a, "late", wechat.Image), limit), library.ErrNotFound)
	}
	s.wantPage(t, b, wechat.Image, 0, 20, 1, "of b")
	if again := s.account(t, "a"); again.ID == a.ID {
		t.Fatal("an account's ID was given twice")
	}
}

func unreferenced(t *testing.T, s *store) {
	a := s.account(t, "a")
	s.insert(t, a, wechat.Image, "one")
	s.insert(t, a, wechat.News, "news")
	free, err := s.Materials.Unreferenced(s.ctx, []string{"blob-one", "blob-none", ""})
	s.must(t, err)
	if !slices.Equal(free, []string{"blob-none", ""}) {
		t.Fatalf("unreferenced: %q", free)
	}
}

func manyAtOnce(t *testing.T, s *store) {
	a := s.account(t, "a")
	const writers, each, limit = 8, 12, 80
	var wg sync.WaitGroup
	full := make(chan int, writers*each)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				switch err := s.Materials.Insert(s.ctx, material(a, fmt.Sprintf("%d-%d", w, i), wechat.Image), limit); {
				case err == library.ErrFull:
					full <- 1
				case err != nil:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(full) != writers*each-limit {
		t.Fatalf("%d were refused, want %d", len(full), writers*each-limit)
	}
	ids, total := s.page(t, a, wechat.Image, 0, limit)
	if total != limit || len(ids) != limit {
		t.Fatalf("%d of %d", len(ids), total)
	}
	seen := make(chan error, 2*limit)
	for range 2 { // two delete each
		wg.Go(func() {
			for _, id := range ids {
				seen <- s.Materials.Delete(s.ctx, a.ID, id)
			}
		})
	}
	wg.Wait()
	close(seen)
	deleted := 0
	for err := range seen {
		switch err {
		case nil:
			deleted++
		case library.ErrNotFound:
		default:
			t.Error(err)
		}
	}
	if deleted != limit {
		t.Fatalf("%d deletions succeeded, want %d", deleted, limit)
	}
	s.wantPage(t, a, wechat.Image, 0, 20, 0)
}

// removedUnderUs removes an account while others add to it: nothing may stay behind.
func removedUnderUs(t *testing.T, s *store) {
	for round := range 3 {
		a := s.account(t, fmt.Sprint("a", round))
		var wg sync.WaitGroup
		var added atomic.Int64
		for w := range 6 {
			wg.Go(func() {
				for i := range 200 {
					limit := int64(noCap)
					if w%2 == 0 {
						limit = 0
					}
					err := s.Materials.Insert(s.ctx, material(a, fmt.Sprintf("%d-%d", w, i), wechat.Image), limit)
					if err == library.ErrNotFound {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					added.Add(1)
				}
			})
		}
		for added.Load() < 10 && !t.Failed() {
			time.Sleep(time.Millisecond)
		}
		s.must(t, s.Accounts.RemoveAccount(s.ctx, a.AppID))
		s.must(t, s.Materials.DeleteAll(s.ctx, a.ID))
		wg.Wait()
		for w := range 6 {
			for i := range 200 {
				id := fmt.Sprintf("%d-%d", w, i)
				if _, err := s.Materials.Material(s.ctx, a.ID, id, noCap); err != library.ErrNotFound {
					t.Fatalf("%s of a removed account: %v", id, err)
				}
			}
		}
	}
}

// impossibleNames looks for what some databases refuse to compare with.
func impossibleNames(t *testing.T, s *store) {
	a := s.account(t, "a")
	for _, name := range []string{"\x00", "a\x00", "\xff", "a\xc3", "\xed\xa0\x80"} {
		_, err := s.Materials.Material(s.ctx, a.ID, name, noCap)
		wantErr(t, err, library.ErrNotFound)
		_, err = s.Materials.ByKey(s.ctx, name)
		wantErr(t, err, library.ErrNotFound)
		_, err = s.Materials.NewsByKey(s.ctx, a.ID, name, noCap)
		wantErr(t, err, library.ErrNotFound)
		wantErr(t, s.Materials.Delete(s.ctx, a.ID, name), library.ErrNotFound)
		_, err = s.Accounts.Account(s.ctx, name)
		wantErr(t, err, library.ErrNotFound)
		wantErr(t, s.Accounts.ChangeAccount(s.ctx, name, func(*library.Account, library.Grants) error { return nil }), library.ErrNotFound)
		wantErr(t, s.Accounts.RemoveAccount(s.ctx, name), library.ErrNotFound)
		_, err = s.Accounts.Component(s.ctx, name)
		wantErr(t, err, library.ErrNotFound)
		wantErr(t, s.Accounts.ChangeComponent(s.ctx, name, func(*library.Component, library.Holdings) error { return nil }), library.ErrNotFound)
		wantErr(t, s.Accounts.RemoveComponent(s.ctx, name), library.ErrNotFound)
		_, err = s.Accounts.CloudEnv(s.ctx, name)
		wantErr(t, err, library.ErrNotFound)
		_, err = s.Accounts.CloudEnvBySecretID(s.ctx, name)
		wantErr(t, err, library.ErrNotFound)
		wantErr(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("env", name)), library.ErrNotFound)
		wantErr(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("env", "a", name)), library.ErrNotFound)
		wantErr(t, s.Accounts.SetCloudKeys(s.ctx, cloudEnv(name, "a")), library.ErrNotFound)
		wantErr(t, s.Accounts.RemoveCloudEnv(s.ctx, name), library.ErrNotFound)
		free, err := s.Materials.Unreferenced(s.ctx, []string{name})
		s.must(t, err)
		if len(free) != 1 {
			t.Fatalf("a row names the blob %q", name)
		}
	}
	m := material(a, "article", wechat.News) // articles are bytes of any sort
	m.Articles = wechat.Articles("\x00\xff\x01")
	s.must(t, s.Materials.Insert(s.ctx, m, noCap))
	got, err := s.Materials.Material(s.ctx, a.ID, "article", noCap)
	s.must(t, err)
	same(t, got, m)
}

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
		return g.End(library.PlainGrant, 500)
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
}

func identity(t *testing.T, s *store) {
	one, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	two, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	if one.ID == "" || len(one.RootKey) != 32 || one.ID != two.ID || !bytes.Equal(one.RootKey, two.RootKey) {
		t.Fatalf("%+v, then %+v", one, two)
	}
}

func anything(io.ReaderAt, int64) error { return nil }

func putOpenRemove(t *testing.T, s *store) {
	content := bytes.Repeat([]byte("0123456789"), 30_000)
	var accepted []byte
	one, err := s.Blobs.Put(s.ctx, iotest.OneByteReader(bytes.NewReader(content[:100])), func(r io.ReaderAt, size int64) error {
		accepted = make([]byte, size)
		_, err := r.ReadAt(accepted, 0)
		return err
	})
	s.must(t, err)
	if !bytes.Equal(accepted, content[:100]) || one.Size != 100 {
		t.Fatalf("accept saw %q of %d", accepted, one.Size)
	}
	two, err := s.Blobs.Put(s.ctx, bytes.NewReader(content), anything)
	s.must(t, err)
	three, err := s.Blobs.Put(s.ctx, bytes.NewReader(content), anything)
	s.must(t, err)
	sum := fmt.Sprintf("%x-", sha256.Sum256(content))
	if !strings.HasPrefix(two.Name, sum) || len(two.Name) != len(sum)+8 || two.Name == three.Name {
		t.Fatalf("names %s and %s", two.Name, three.Name)
	}
	for _, c := range []struct{ offset, length int64 }{{0, int64(len(content))}, {7, 3}, {299_999, 1}, {300_000, 0}} {
		r, err := s.Blobs.Open(s.ctx, two.Name, c.offset, c.length)
		s.must(t, err)
		got := make([]byte, c.length)
		_, err = io.ReadFull(r, got)
		s.must(t, err)
		s.must(t, r.Close())
		if !bytes.Equal(got, content[c.offset:c.offset+c.length]) {
			t.Fatalf("%d bytes at %d differ", c.length, c.offset)
		}
	}
	if _, err := s.Blobs.Open(s.ctx, two.Name, 1, int64(len(content))); err == nil || err == library.ErrNotFound {
		t.Fatalf("a blob that is too short opens with %v", err)
	}
	s.must(t, s.Blobs.Remove(s.ctx, two.Name))
	s.must(t, s.Blobs.Remove(s.ctx, two.Name))
	_, err = s.Blobs.Open(s.ctx, two.Name, 0, 1)
	wantErr(t, err, library.ErrNotFound)
	r, err := s.Blobs.Open(s.ctx, three.Name, 0, 1)
	s.must(t, err)
	s.must(t, r.Close())
	for _, name := range []string{"", "x", "../STORE", "..", "aa/bb", "STORE", strings.Repeat("f", 64) + "-00000000"} {
		_, err := s.Blobs.Open(s.ctx, name, 0, 0)
		wantErr(t, err, library.ErrNotFound)
	}
	empty, err := s.Blobs.Put(s.ctx, strings.NewReader(""), anything)
	s.must(t, err)
	if empty.Size != 0 {
		t.Fatal("size of nothing")
	}
}

func putFails(t *testing.T, s *store) {
	own := errors.New("mine")
	_, err := s.Blobs.Put(s.ctx, io.MultiReader(strings.NewReader("begin"), iotest.ErrReader(own)), anything)
	wantErr(t, err, own)
	_, err = s.Blobs.Put(s.ctx, strings.NewReader("whole"), func(io.ReaderAt, int64) error { return own })
	wantErr(t, err, own)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := s.Blobs.Put(ctx, strings.NewReader("x"), anything); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	s.must(t, s.Blobs.List(s.ctx, time.Now().Add(time.Hour), func(names []string) error {
		t.Errorf("left behind: %q", names)
		return nil
	}))
}

func claim(t *testing.T, s *store) {
	id, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	s.must(t, s.Blobs.Claim(s.ctx, id.ID))
	err = s.Blobs.Claim(s.ctx, "another")
	if err == nil || !strings.Contains(err.Error(), "another") || !strings.Contains(err.Error(), id.ID) {
		t.Fatalf("claimed by another store: %v", err)
	}
}

func listBlobs(t *testing.T, s *store) {
	want := map[string]bool{}
	for i := range 20 {
		b, err := s.Blobs.Put(s.ctx, strings.NewReader(fmt.Sprint(i)), anything)
		s.must(t, err)
		want[b.Name] = true
	}
	s.must(t, s.Blobs.List(s.ctx, time.Now().Add(-time.Hour), func(names []string) error {
		t.Errorf("too young: %q", names)
		return nil
	}))
	got := map[string]bool{}
	s.must(t, s.Blobs.List(s.ctx, time.Now().Add(time.Hour), func(names []string) error {
		for _, n := range names {
			got[n] = true
		}
		return nil
	}))
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("listed %v, want %v", got, want)
	}
	own := errors.New("mine")
	wantErr(t, s.Blobs.List(s.ctx, time.Now().Add(time.Hour), func([]string) error { return own }), own)
}

func cancelled(t *testing.T, s *store) {
	a := s.account(t, "a")
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := s.Materials.Material(ctx, a.ID, "none", noCap)
	_, err2 := s.Accounts.Grant(ctx, [32]byte{})
	_, err3 := s.Accounts.Account(ctx, "none")
	err4 := s.Materials.Insert(ctx, material(a, "x", wechat.Image), noCap)
	for i, err := range []error{err, err2, err3, err4} {
		if err == nil || errors.Is(err, library.ErrNotFound) {
			t.Errorf("%d: trouble came out as %v", i, err)
		}
	}
	s.wantPage(t, a, wechat.Image, 0, 20, 0)
}

func ready(t *testing.T, s *store) {
	s.must(t, s.Materials.Ready(s.ctx))
	s.must(t, s.Blobs.Ready(s.ctx))
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
