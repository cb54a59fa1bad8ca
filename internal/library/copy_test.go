package library_test

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

// onTwo runs a test from each shape to each; under -short inside the embedded one alone.
func onTwo(t *testing.T, run func(t *testing.T, from, to library.Engines)) {
	for _, from := range storetest.Chosen() {
		t.Run("from "+from.Name, func(t *testing.T) {
			storetest.Each(t, func(t *testing.T, to storetest.Engine) { run(t, from.Open(t), to.Open(t)) })
		})
	}
}

// A copy has everything, and each further pass takes what has changed.
func TestCopy(t *testing.T) {
	onTwo(t, func(t *testing.T, from, to library.Engines) {
		ls, ctx := opened(t, from), t.Context()
		fill(t, ls)
		for _, appID := range []string{"wxone", "wxtwo"} {
			a, err := ls.Known(ctx, appID)
			must(t, err)
			_, err = ls.Token(ctx, a, "secret of "+appID)
			must(t, err)
			_, err = ls.StableToken(ctx, a, "secret of "+appID, false)
			must(t, err)
		}
		want := read(t, from)
		if len(want.Grants) != 4 || len(want.Rows["wxone"]) != 14 || len(want.Pages["wxone image"]) != 5 {
			t.Fatalf("%d grants, %d rows, a list of %d", len(want.Grants), len(want.Rows["wxone"]), len(want.Pages["wxone image"]))
		}
		var last [2]int64
		done := copyTo(t, ls, to, library.CopyOptions{Watch: library.Watch{Progress: func(done, total int64) { last = [2]int64{done, total} }}})
		if done.Accounts != 3 || done.Materials != 28 || done.Unchanged+done.Removed+done.Failed != 0 || last != [2]int64{28, 28} {
			t.Errorf("%+v, progress %v", *done, last)
		}
		isCopy(t, read(t, to), want.noGrants())
		done = copyTo(t, ls, to, library.CopyOptions{Grants: true})
		if done.Materials != 0 || done.Unchanged != 28 || done.Bytes != 0 {
			t.Errorf("again: %+v", *done)
		}
		isCopy(t, read(t, to), want)
		change(t, ls)
		want = read(t, from)
		done = copyTo(t, ls, to, library.CopyOptions{Grants: true})
		if done.Materials != 3+14 || done.Unchanged != 12 || done.Removed != 1+8 { // lists are counted where an account went
			t.Errorf("after changes: %+v", *done)
		}
		isCopy(t, read(t, to), want)
		film := newFilm(t, ls, "wxone")
		want = read(t, from)
		copyTo(t, ls, to, library.CopyOptions{})
		isCopy(t, read(t, to), want.noGrants())

		// What one signed is good at the other.
		theirs := opened(t, to)
		c, err := ls.Accounts.Component(ctx, "wxplatform")
		must(t, err)
		_, err = theirs.ComponentToken(ctx, c.AppID, "secret", c.Ticket)
		must(t, err)
		for _, way := range [][2]*library.Libraries{{ls, theirs}, {theirs, ls}} {
			a, err := way[0].Known(ctx, "wxone")
			must(t, err)
			address, err := url.Parse(way[0].Of(a).VideoAddress(&library.Material{MediaID: film}))
			must(t, err)
			q := address.Query()
			m, err := way[1].SignedVideo(ctx, "wxone", film, q.Get("expires"), q.Get("vkey"))
			must(t, err)
			r, err := way[1].Blobs.Open(ctx, m.Blob, 0, m.Size)
			must(t, err)
			got, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil || string(got) != filmBytes {
				t.Errorf("the film at %s is %q, %v", address, got, err)
			}
			if _, err := way[1].SignedVideo(ctx, "wxtwo", film, q.Get("expires"), q.Get("vkey")); err != library.ErrAddressExpired {
				t.Errorf("signed for another account: %v", err)
			}
		}
	})
}

const filmBytes = "the bytes of a film"

// newFilm takes a video into an account as it is.
func newFilm(t testing.TB, ls *library.Libraries, appID string) (mediaID string) {
	t.Helper()
	a, err := ls.Known(t.Context(), appID)
	must(t, err)
	m := &library.Material{MediaID: "film", Type: wechat.Video, Number: library.NextNumber, Created: 1}
	must(t, ls.Of(a).ImportFile(t.Context(), m, strings.NewReader(filmBytes)))
	_, err = ls.Of(a).Import(t.Context(), []*library.Material{m})
	must(t, err)
	return m.MediaID
}

// The mixed shapes are copied like the others.
func TestCopyMixtures(t *testing.T) {
	one, two := storetest.Mixtures[0].Open(t), storetest.Mixtures[1].Open(t)
	ls := opened(t, one)
	fill(t, ls)
	copyTo(t, ls, two, library.CopyOptions{Grants: true})
	isCopy(t, read(t, two), read(t, one))
	back := storetest.Mixtures[0].Open(t)
	copyTo(t, opened(t, two), back, library.CopyOptions{Grants: true})
	isCopy(t, read(t, back), read(t, one))
}

// change does one of each thing that may happen to a filled store.
func change(t testing.TB, ls *library.Libraries) {
	t.Helper()
	ctx := t.Context()
	a, err := ls.Known(ctx, "wxone")
	must(t, err)
	l := ls.Of(a)
	images := read(t, ls.Engines).Pages["wxone image"]
	news := read(t, ls.Engines).Pages["wxone news"]
	_, err = upload(ctx, l, library.Permanent, picture(900, 5000)) // one more
	must(t, err)
	_, err = upload(ctx, l, library.Temporary, picture(901, 50))
	must(t, err)
	must(t, l.Delete(ctx, images[len(images)-1])) // one less
	must(t, l.UpdateNews(ctx, news[0], 0, wechat.Article{Title: "别", Content: "别的", ThumbMediaID: images[0]}, base, nil))
	_, err = ls.RotateSecret(ctx, "wxone") // ends its tokens
	must(t, err)
	must(t, ls.SetAccount(ctx, "wxempty", func(s *library.Settings) error { return s.Set("frozen", "true") }))
	two, err := ls.Known(ctx, "wxtwo")
	must(t, err)
	must(t, ls.Unauthorize(ctx, "wxplatform", a))
	must(t, ls.SetComponent(ctx, "wxplatform", func(s *library.ComponentSettings) error { return s.Set("name", "平台") }))
	_, err = ls.RotateCloudEnv(ctx, "env")
	must(t, err)
	must(t, ls.RemoveCloudEnv(ctx, "other"))
	must(t, ls.RemoveAccount(ctx, "wxtwo")) // and another of the same name
	must(t, ls.Tidy(ctx))
	again := newAccount(t, ls, "wxtwo")
	if again.Account.Uin == two.Uin {
		t.Fatal("the same account")
	}
	for n := range 14 {
		_, err := upload(ctx, again, library.Permanent, picture(uint64(800+n), 100))
		must(t, err)
	}
	newAccount(t, ls, "wxthree")
	must(t, ls.RemoveAccount(ctx, "wxempty"))
	_, err = ls.Authorize(ctx, "wxplatform", again.Account, []int{4}, "")
	must(t, err)
}

// What is copied while clients write is whole, and one quiet pass later the same.
func TestCopyWhileWritten(t *testing.T) {
	onTwo(t, func(t *testing.T, from, to library.Engines) {
		ls := opened(t, from)
		newAccount(t, ls, "wxone")
		stop := writers(t, ls, "wxone", 40)
		for range 3 {
			copyTo(t, ls, to, library.CopyOptions{Grants: true})
		}
		stop()
		copyTo(t, ls, to, library.CopyOptions{Grants: true})
		isCopy(t, read(t, to), read(t, from))
	})
}

// brokenBlobs are blobs of which something becomes of the one that is opened.
type brokenBlobs struct {
	library.Blobs
	open func(name string) error // before
}

func (b *brokenBlobs) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if err := b.open(name); err != nil {
		return nil, err
	}
	return b.Blobs.Open(ctx, name, offset, length)
}

// A material that goes while it is copied is no fault. One whose bytes are gone is one,
// and the rest goes on. Trouble ends the pass, and the next one goes on.
func TestCopyOfTheBroken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		from, to := storetest.Engines[0].Open(t), e.Open(t)
		blobs := &brokenBlobs{Blobs: from.Blobs, open: func(string) error { return nil }}
		from.Blobs = blobs
		ls := opened(t, from)
		l := newAccount(t, ls, "wxone")
		var ms []*library.Material
		for n := range 10 {
			m, err := upload(t.Context(), l, library.Permanent, picture(uint64(n), 2000))
			must(t, err)
			ms = append(ms, m)
		}
		var faults []string
		o := library.CopyOptions{Watch: library.Watch{Fault: func(f library.Fault) { faults = append(faults, f.String()) }}}
		must(t, ls.Blobs.Remove(t.Context(), ms[1].Blob))
		blobs.open = func(name string) error {
			if name == ms[0].Blob {
				return errors.Join(l.Delete(t.Context(), ms[0].MediaID), ls.Blobs.Remove(t.Context(), name))
			}
			return nil
		}
		done := copyTo(t, ls, to, o)
		want := "wxone " + ms[1].MediaID + ": its blob " + ms[1].Blob + " is missing"
		if done.Materials != 8 || done.Failed != 1 || !slices.Equal(faults, []string{want}) {
			t.Errorf("%+v, faults %q", *done, faults)
		}
		must(t, l.Delete(t.Context(), ms[1].MediaID))

		// A disk that cannot read one file any more.
		trouble := errors.New("input/output error")
		m, err := upload(t.Context(), l, library.Permanent, picture(77, 2000))
		must(t, err)
		faults, blobs.open = nil, func(name string) error {
			if name == m.Blob {
				return trouble
			}
			return nil
		}
		done = copyTo(t, ls, to, o)
		if done.Unchanged != 8 || done.Failed != 0 || done.Unreadable != 1 || len(faults) != 1 || !strings.Contains(faults[0], "cannot be read: input/output error") {
			t.Errorf("%+v, faults %q", *done, faults)
		}
		if st, err := to.Accounts.Store(t.Context()); err != nil || !st.Unfinished {
			t.Errorf("it counts as finished: %+v, %v", st, err)
		}
		if v, err := ls.Verify(t.Context(), library.Watch{}); err != nil || v.Unreadable != 1 || v.Damaged+v.Missing != 0 || v.Sound() {
			t.Errorf("verified: %+v, %v", v, err)
		}
		// One that could not be read for a moment.
		tries := 0
		blobs.open = func(name string) error {
			if tries++; name == m.Blob && tries < 3 {
				return trouble
			}
			return nil
		}
		if done = copyTo(t, ls, to, library.CopyOptions{}); done.Materials != 1 || done.Failed+done.Unreadable != 0 {
			t.Errorf("%+v", *done)
		}
		isCopy(t, read(t, to), read(t, from))
	})
}

// What is no copy of the source is left alone.
func TestCopyRefused(t *testing.T) {
	onTwo(t, func(t *testing.T, from, to library.Engines) {
		ls := opened(t, from)
		fill(t, ls)
		other := opened(t, to)
		newAccount(t, other, "wxother")
		before, own := read(t, to), read(t, from)
		refused := func(target library.Engines, want string) {
			t.Helper()
			if _, err := ls.Copy(t.Context(), target, library.CopyOptions{}); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		}
		with := func(target library.Engines, blobs library.Blobs) library.Engines {
			target.Blobs = blobs
			return target
		}
		fresh := storetest.Engines[0].Open
		refused(to, "another store")
		refused(from, "the source itself")
		refused(with(fresh(t), to.Blobs), "belong to another database")
		refused(with(fresh(t), from.Blobs), "belong to another database")
		copied := fresh(t)
		copyTo(t, ls, copied, library.CopyOptions{})
		refused(with(copied, fresh(t).Blobs), "there are no blobs in")
		refused(with(fresh(t), copied.Blobs), "belong to another database") // of another copy of the same
		for _, crossed := range []library.Engines{with(copied, from.Blobs), with(from, copied.Blobs), with(copied, fresh(t).Blobs)} {
			if _, err := library.Open(t.Context(), crossed, library.Options{}); err == nil {
				t.Error("a store opens with the blobs of its copy, or a copy with those of its source, or without")
			}
		}
		isCopy(t, read(t, to), before)
		isCopy(t, read(t, from), own)
	})
}

// A pass that broke off leaves a copy that no server opens and that nobody copies from: the
// flags may be the wrong way round, and the source would be emptied.
func TestUnfinishedCopy(t *testing.T) {
	from, dir := storetest.Engines[0].Open(t), t.TempDir()
	ls := opened(t, from)
	fill(t, ls)
	before := read(t, from)
	path := filepath.Join(dir, "sucai.db")
	copier := func() (library.Engines, func()) {
		db, err := sqlstore.OpenSQLite(t.Context(), path, sqlstore.Copier)
		must(t, err)
		b, err := blobs.OpenDir(filepath.Join(dir, "blobs"))
		must(t, err)
		return library.Engines{Materials: db, Accounts: db, Blobs: b}, func() { must(t, db.Close()) }
	}
	served := func() error {
		db, err := sqlstore.OpenSQLite(t.Context(), path, sqlstore.Server)
		if err == nil {
			must(t, db.Close())
		}
		return err
	}
	to, end := copier()
	broken, cancel := context.WithCancel(t.Context())
	if _, err := ls.Copy(broken, to, library.CopyOptions{Watch: library.Watch{Progress: func(int64, int64) { cancel() }}}); err == nil {
		t.Fatal("it came to its end")
	}
	partial := opened(t, to)
	for _, target := range []library.Engines{from, storetest.Engines[0].Open(t)} {
		if _, err := partial.Copy(t.Context(), target, library.CopyOptions{}); err == nil || !strings.Contains(err.Error(), "the wrong way round") {
			t.Errorf("copied from what is not finished: %v", err)
		}
	}
	isCopy(t, read(t, from), before)
	end()
	if err := served(); err == nil || !strings.Contains(err.Error(), "is a copy that is not finished: run the same copy again") {
		t.Errorf("served: %v", err)
	}
	to, end = copier()
	copyTo(t, ls, to, library.CopyOptions{})
	isCopy(t, read(t, to), before)
	end()
	must(t, served())
	to, end = copier()
	defer end()
	if _, err := ls.Copy(t.Context(), to, library.CopyOptions{}); err == nil || !strings.Contains(err.Error(), "on which a server has run") {
		t.Errorf("copied to what was served: %v", err)
	}
}

// A pass that hangs, and in whose place another one has come to its end, changes nothing
// any more: a server may run on the target by then.
func TestCopyTakenOver(t *testing.T) {
	ls := opened(t, storetest.Engines[0].Open(t))
	l := newAccount(t, ls, "wxone")
	for n := range 3 {
		_, err := upload(t.Context(), l, library.Permanent, picture(uint64(n), 2000))
		must(t, err)
	}
	newAccount(t, ls, "wxtwo")
	targets := storetest.Nodes(t, 3)
	held, release, ended := make(chan bool), make(chan bool), make(chan error)
	go func() {
		hang := sync.OnceFunc(func() { held <- true; <-release })
		_, err := ls.Copy(t.Context(), targets[0], library.CopyOptions{Watch: library.Watch{Progress: func(int64, int64) { hang() }}})
		ended <- err
	}()
	<-held
	_, err := ls.Copy(t.Context(), targets[1], library.CopyOptions{})
	must(t, err)
	served := opened(t, targets[2])
	a, err := served.Known(t.Context(), "wxtwo")
	must(t, err)
	m, err := upload(t.Context(), served.Of(a), library.Permanent, picture(100, 2000))
	must(t, err)
	token, err := served.Token(t.Context(), a, "secret of wxtwo")
	must(t, err)
	release <- true
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "another copy to the same target, or a server on it, has begun since") {
		t.Errorf("the first pass: %v", err)
	}
	_, err = served.Of(a).Get(t.Context(), m.MediaID, nil)
	must(t, err)
	_, err = served.Authenticate(t.Context(), token.AccessToken)
	must(t, err)
}

// Blobs that are away as a whole are trouble, and none of them is lost: the copy is not at
// its end.
func TestCopyOfTheUnmounted(t *testing.T) {
	dir := t.TempDir()
	to := storetest.Engines[0].Open(t)
	ls := opened(t, storetest.EmbeddedAt(t, dir))
	l := newAccount(t, ls, "wxone")
	_, err := upload(t.Context(), l, library.Permanent, picture(1, 2000))
	must(t, err)
	mounted, away := filepath.Join(dir, "blobs"), filepath.Join(dir, "away")
	must(t, os.Rename(mounted, away))
	if done, err := ls.Copy(t.Context(), to, library.CopyOptions{}); err == nil || done.Failed > 0 {
		t.Errorf("copied: %+v, %v", done, err)
	}
	if v, err := ls.Verify(t.Context(), library.Watch{}); err == nil || v.Missing > 0 {
		t.Errorf("verified: %+v, %v", v, err)
	}
	st, err := to.Accounts.Store(t.Context())
	must(t, err)
	if !st.Unfinished {
		t.Error("the copy counts as finished")
	}
	must(t, os.Rename(away, mounted))
	done, err := ls.Copy(t.Context(), to, library.CopyOptions{})
	must(t, err)
	if done.Materials != 1 || done.Failed > 0 {
		t.Errorf("copied: %+v", done)
	}
}
