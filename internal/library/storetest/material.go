package storetest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/wechat"
)

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

// roomBeforeSnapshot changes what is listed while a page waits for room: the page is of
// what there is afterwards, and asks again where that is larger.
func roomBeforeSnapshot(t *testing.T, s *store) {
	a := s.account(t, "a")
	s.insert(t, a, wechat.News, "small")
	large := func(m *library.Material, bytes int) *library.Material {
		m.Articles = wechat.Articles(strings.Repeat("x", bytes))
		m.Size, m.Updated = int64(bytes), int64(bytes)
		m.Version++
		return m
	}
	const one, two = library.SmallArticles + 1, 3 * library.SmallArticles
	for _, id := range []string{"deleted", "grows"} {
		s.must(t, s.Materials.Insert(s.ctx, large(material(a, id, wechat.News), one), noCap))
	}
	var asked []int64
	room := func(size int64) error {
		if asked = append(asked, size); len(asked) > 1 {
			return nil
		}
		m, err := s.Materials.Material(s.ctx, a.ID, "grows", noCap)
		s.must(t, err)
		s.must(t, s.Materials.UpdateArticles(s.ctx, large(m, two)))
		s.must(t, s.Materials.Delete(s.ctx, a.ID, "deleted"))
		s.insert(t, a, wechat.News, "added")
		return nil
	}
	var got []string
	total, err := s.Materials.Page(s.ctx, a.ID, wechat.News, 0, 20, room, func(m *library.Material) error {
		got = append(got, fmt.Sprint(m.MediaID, " ", len(m.Articles), " ", m.Size, " ", m.Updated))
		return nil
	})
	s.must(t, err)
	n := material(a, "small", wechat.News).Size
	want := []string{fmt.Sprint("added ", n, " ", n, " 200"), fmt.Sprint("grows ", two, " ", two, " ", two), fmt.Sprint("small ", n, " ", n, " 200")}
	if total != 3 || !slices.Equal(got, want) {
		t.Fatalf("%d: %q, want %q", total, got, want)
	}
	if !slices.Equal(asked, []int64{one, two}) {
		t.Fatalf("room was asked for %v", asked)
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

// pagesOfSparseLists looks at every page of lists whose numbers are near to each other and
// far apart, so that they are searched in one level of counting and in more.
func pagesOfSparseLists(t *testing.T, s *store) {
	for i, step := range []int64{1, 50, 3000, 200_000} {
		a := s.account(t, fmt.Sprint("a", i))
		var ms []*library.Material
		var model []string
		for n := range 130 {
			m := material(a, fmt.Sprint("m", n), wechat.Image)
			m.Number = int64(n+1) * step
			ms, model = append(ms, m), append([]string{m.MediaID}, model...)
		}
		_, err := s.Materials.Import(s.ctx, a.ID, ms)
		s.must(t, err)
		for offset := 0; offset < len(model); offset += 3 {
			s.wantPage(t, a, wechat.Image, int64(offset), 3, int64(len(model)), model[offset:min(offset+3, len(model))]...)
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
