package library_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

const base = "http://material.example.com"

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func opened(t testing.TB, e library.Engines) *library.Libraries {
	t.Helper()
	ls, err := library.Open(t.Context(), e, library.Options{})
	must(t, err)
	return ls
}

func newAccount(t testing.TB, ls *library.Libraries, appID string) *library.Library {
	t.Helper()
	a, _, err := ls.NewAccount(t.Context(), appID, "secret of "+appID)
	must(t, err)
	return ls.Of(a)
}

// picture is a file of an image, different for each seed.
func picture(seed uint64, size int) []byte {
	data := bytes.Clone(smallPNG)
	random := rand.New(rand.NewPCG(seed, 1))
	for len(data) < size {
		data = append(data, byte(random.Uint32()))
	}
	return data
}

func upload(ctx context.Context, l *library.Library, use library.Use, data []byte) (*library.Material, error) {
	up, err := l.Receive(ctx, use, wechat.Image, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return l.Add(ctx, up, "名字.png", "", "")
}

func addNews(ctx context.Context, l *library.Library, cover, content string) (*library.Material, error) {
	return l.AddNews(ctx, []wechat.Article{{Title: "题", Content: content, ThumbMediaID: cover}}, base)
}

// fill makes a store with something of everything.
func fill(t testing.TB, ls *library.Libraries) {
	t.Helper()
	ctx := t.Context()
	one, two := newAccount(t, ls, "wxone"), newAccount(t, ls, "wxtwo")
	newAccount(t, ls, "wxempty")
	must(t, ls.SetAccount(ctx, "wxone", func(s *library.Settings) error {
		return errors.Join(s.Set("name", "名"), s.Set("whitelist", "10.0.0.0/8"), s.Set("quota.token", "7"))
	}))
	for i, l := range []*library.Library{one, two} {
		var covers []string
		for n := range 12 {
			use := []library.Use{library.Permanent, library.Permanent, library.Temporary, library.Inline}[n%4]
			m, err := upload(ctx, l, use, picture(uint64(100*i+n), 1000*n))
			must(t, err)
			if use == library.Permanent {
				covers = append(covers, m.MediaID)
			}
		}
		for n := range 3 {
			content := "文" + strings.Repeat("<p></p>", n*10_000)
			m, err := addNews(ctx, l, covers[n], content)
			must(t, err)
			must(t, l.UpdateNews(ctx, m.MediaID, 0, wechat.Article{Title: fmt.Sprint("题 ", n), Content: content + "新", ThumbMediaID: covers[0]}, base, nil))
		}
		must(t, l.Delete(ctx, covers[3])) // a hole
	}
	c, _, err := ls.NewComponent(ctx, "wxplatform", "secret")
	must(t, err)
	_, err = ls.Ticket(ctx, c.AppID)
	must(t, err)
	for _, l := range []*library.Library{one, two} {
		_, err := ls.Authorize(ctx, c.AppID, l.Account, []int{11, 100}, "")
		must(t, err)
	}
	must(t, ls.NewCloudEnv(ctx, &library.CloudEnv{ID: "env", Owner: "wxone", Allow: []string{"wxtwo"}, Methods: []string{"officialAccount.material.get"}}))
	must(t, ls.NewCloudEnv(ctx, &library.CloudEnv{ID: "other", Owner: "wxtwo", Methods: []string{"x"}}))
}

// state is all of a store that a copy has too, without what is its own: IDs, and the
// endings of blobs' names.
type state struct {
	Store      library.Store
	Accounts   []library.Account
	Components []library.Component
	Allowed    map[string][]library.Authorization
	CloudEnvs  []*library.CloudEnv
	Rows       map[string][]library.Material
	Bytes      map[string]string // sha256 of the bytes, by appid and media_id
	Pages      map[string][]string
	Grants     map[string]library.Grant
}

func read(t testing.TB, e library.Engines) *state {
	t.Helper()
	ctx := context.Background()
	s := &state{Allowed: map[string][]library.Authorization{}, Rows: map[string][]library.Material{}, Bytes: map[string]string{}, Pages: map[string][]string{}, Grants: map[string]library.Grant{}}
	st, err := e.Accounts.Store(ctx)
	must(t, err)
	s.Store = library.Store{ID: st.ID, RootKey: st.RootKey}
	accounts, err := e.Accounts.AccountList(ctx)
	must(t, err)
	appIDs := map[int64]string{}
	for _, a := range accounts {
		appIDs[a.ID] = a.AppID
		s.readAccount(t, e, a)
		own := *a
		own.ID = 0
		s.Accounts = append(s.Accounts, own)
	}
	components, err := e.Accounts.ComponentList(ctx)
	must(t, err)
	for _, c := range components {
		appIDs[-c.ID] = c.AppID
		list, _, err := e.Accounts.AuthorizationPage(ctx, c.ID, 0, 100)
		must(t, err)
		for _, a := range list {
			own := *a
			own.Account, own.Component = 0, 0
			s.Allowed[c.AppID] = append(s.Allowed[c.AppID], own)
		}
		slices.SortFunc(s.Allowed[c.AppID], func(a, b library.Authorization) int { return strings.Compare(a.AppID, b.AppID) })
		own := *c
		own.ID = 0
		s.Components = append(s.Components, own)
	}
	s.CloudEnvs, err = e.Accounts.CloudEnvList(ctx)
	must(t, err)
	grants, err := e.Accounts.GrantList(ctx, [32]byte{}, 10_000)
	must(t, err)
	for _, g := range grants {
		own := *g
		own.Account, own.Component = 0, 0
		s.Grants[fmt.Sprintf("%x of %q %q", g.Hash, appIDs[g.Account], appIDs[-g.Component])] = own
	}
	return s
}

func (s *state) readAccount(t testing.TB, e library.Engines, a *library.Account) {
	t.Helper()
	ctx := context.Background()
	rows, err := e.Materials.Rows(ctx, a.ID, "", 100_000)
	must(t, err)
	for _, m := range rows {
		if m.Blob != "" {
			r, err := e.Blobs.Open(ctx, m.Blob, 0, m.Size)
			must(t, err)
			sum := sha256.New()
			_, err = io.Copy(sum, r)
			must(t, errors.Join(err, r.Close()))
			s.Bytes[a.AppID+" "+m.MediaID] = fmt.Sprintf("%x", sum.Sum(nil))
		}
		whole, err := e.Materials.Material(ctx, a.ID, m.MediaID, math.MaxInt64)
		must(t, err)
		whole.Account = 0
		if whole.Articles != nil { // too long to be shown
			whole.Articles = fmt.Appendf(nil, "%x", sha256.Sum256(whole.Articles))
		}
		whole.Blob, _, _ = strings.Cut(whole.Blob, "-")
		s.Rows[a.AppID] = append(s.Rows[a.AppID], *whole)
	}
	for _, typ := range wechat.Listed {
		_, err := e.Materials.Page(ctx, a.ID, typ, 0, 100_000, nil, func(m *library.Material) error {
			s.Pages[a.AppID+" "+string(typ)] = append(s.Pages[a.AppID+" "+string(typ)], m.MediaID)
			return nil
		})
		must(t, err)
	}
	wrong, err := e.Materials.Miscounts(ctx, a.ID)
	must(t, err)
	if len(wrong) > 0 {
		t.Errorf("%s: %q", a.AppID, wrong)
	}
}

// noGrants is the state of a copy without access tokens.
func (s *state) noGrants() *state {
	own := *s
	own.Grants = map[string]library.Grant{}
	own.Accounts = slices.Clone(s.Accounts)
	for i := range own.Accounts {
		own.Accounts[i].Stable.Token, own.Accounts[i].Stable.Expires = "", 0
	}
	return &own
}

func isCopy(t testing.TB, got, want *state) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b library.Settings) bool {
		return fmt.Sprint(a) == fmt.Sprint(b)
	})); diff != "" {
		t.Fatalf("not a copy (-want +got):\n%s", diff)
	}
}

func copyTo(t testing.TB, from *library.Libraries, to library.Engines, o library.CopyOptions) *library.Copied {
	t.Helper()
	if o.Fault == nil {
		o.Fault = func(f library.Fault) { t.Errorf("fault: %s", f) }
	}
	done, err := from.Copy(t.Context(), to, o)
	must(t, err)
	return done
}

// onTwo runs a test from each shape to each; under -short inside the embedded one alone.
func onTwo(t *testing.T, run func(t *testing.T, from, to library.Engines)) {
	for _, from := range storetest.Engines {
		t.Run("from "+from.Name, func(t *testing.T) {
			if from.Name != storetest.Engines[0].Name && testing.Short() {
				t.Skip("-short")
			}
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
	if testing.Short() {
		t.Skip("-short")
	}
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

// writers add, change and delete materials of an account, and remove the bytes of what
// they deleted as a sweep does, until they are stopped. So many are there before.
func writers(t testing.TB, ls *library.Libraries, appID string, before int) (stop func()) {
	t.Helper()
	a, err := ls.Known(t.Context(), appID)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	l := ls.Of(a)
	var wg sync.WaitGroup
	var started sync.WaitGroup
	for w := range 2 {
		started.Add(1)
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(w), 3))
			var mine []*library.Material
			for i := 0; ctx.Err() == nil; i++ {
				if i == before/2 {
					started.Done()
				}
				m, err := upload(ctx, l, library.Permanent, picture(uint64(1000*w+i), 100+random.IntN(20_000)))
				if err != nil {
					report(t, ctx, err)
					break
				}
				mine = append(mine, m)
				if i%3 == 0 {
					n, err := addNews(ctx, l, m.MediaID, "文")
					if err == nil {
						err = l.UpdateNews(ctx, n.MediaID, 0, wechat.Article{Title: "题", Content: fmt.Sprint(i), ThumbMediaID: m.MediaID}, base, nil)
					}
					report(t, ctx, err)
				}
				if i < before/2 || i%2 == 0 {
					continue
				}
				n := random.IntN(len(mine))
				err = l.Delete(ctx, mine[n].MediaID)
				if err == nil {
					err = ls.Blobs.Remove(ctx, mine[n].Blob)
				}
				report(t, ctx, err)
				mine = slices.Delete(mine, n, n+1)
			}
		})
	}
	started.Wait()
	return func() { cancel(); wg.Wait() }
}

// report fails a test by what is no end.
func report(t testing.TB, ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil {
		t.Error(err)
	}
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

// Each sort of fault is found, and counted once; what clients do meanwhile is none.
func TestVerify(t *testing.T) {
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		engines := e.Open(t)
		ls := opened(t, engines)
		fill(t, ls)
		sound := func() *library.Verified {
			t.Helper()
			v, err := ls.Verify(t.Context(), library.Watch{Fault: func(f library.Fault) { t.Errorf("fault: %s", f) }})
			must(t, err)
			if !v.Sound() || v.Unreferenced+v.Overdue != 0 {
				t.Errorf("%+v", *v)
			}
			return v
		}
		if v := sound(); v.Accounts != 3 || v.Materials != 28 || v.Blobs != 22 {
			t.Errorf("%+v", *v)
		}
		stop := writers(t, ls, "wxone", 40)
		for range 4 {
			sound()
		}
		stop()

		l := newAccount(t, ls, "wxbroken")
		blob := func(seed uint64) library.Blob {
			b, err := ls.Blobs.Put(t.Context(), bytes.NewReader(picture(seed, 3000)), func(io.ReaderAt, int64) error { return nil })
			must(t, err)
			return b
		}
		short, long, fine := blob(1), blob(2), blob(3)
		none := strings.Repeat("0", 64) + "-00000000"
		_, err := l.Import(t.Context(), []*library.Material{
			{MediaID: "fine", Type: wechat.Image, Number: library.NextNumber, Blob: fine.Name, Size: fine.Size},
			{MediaID: "missing", Type: wechat.Image, Number: library.NextNumber, Blob: none, Size: 5},
			{MediaID: "short", Type: wechat.Image, Number: library.NextNumber, Blob: short.Name, Size: short.Size + 1},
			{MediaID: "long", Type: wechat.Voice, Blob: long.Name, Size: long.Size - 1},
			{MediaID: "news", Type: wechat.News, Number: library.NextNumber, Articles: wechat.Articles("[]"), ArticlesFormat: wechat.ArticlesFormat, Size: 3},
			{MediaID: "text", Type: wechat.News, Number: library.NextNumber, Articles: wechat.Articles("[{"), ArticlesFormat: wechat.ArticlesFormat, Size: 2},
		})
		must(t, err)
		faults := map[string]string{}
		v, err := ls.Verify(t.Context(), library.Watch{Fault: func(f library.Fault) { faults[f.MediaID] = f.String() }})
		must(t, err)
		if v.Missing != 1 || v.Damaged != 4 || v.CountsWrong != 0 || v.Sound() || len(faults) != 5 {
			t.Errorf("%+v, %q", *v, faults)
		}
		for id, want := range map[string]string{"missing": "is missing", "short": "has 3000 of 3001 bytes", "long": "blob " + long.Name, "news": "its articles have 2 bytes, 3 were stored", "text": "its articles cannot be read"} {
			if !strings.HasPrefix(faults[id], "wxbroken "+id+": ") || !strings.Contains(faults[id], want) {
				t.Errorf("%s: %q, want %q", id, faults[id], want)
			}
		}
	})
}

// What was deleted a moment ago may have been uploaded years ago: a fault it is only where
// nobody sweeps.
func TestVerifyUnreferenced(t *testing.T) {
	dir := t.TempDir()
	ls := opened(t, storetest.EmbeddedAt(t, dir))
	want := func(overdue int64) {
		t.Helper()
		b, err := ls.Blobs.Put(t.Context(), strings.NewReader("deleted"), func(io.ReaderAt, int64) error { return nil })
		must(t, err)
		old := time.Now().Add(-72 * time.Hour)
		must(t, os.Chtimes(filepath.Join(dir, "blobs", b.Name[:2], b.Name[2:]), old, old))
		var faults []string
		v, err := ls.Verify(t.Context(), library.Watch{Fault: func(f library.Fault) { faults = append(faults, f.String()) }})
		must(t, err)
		if v.Unreferenced != 1 || v.Overdue != overdue || int64(len(faults)) != overdue || !v.Sound() {
			t.Errorf("%+v, %q", *v, faults)
		}
	}
	want(1)
	removed, err := ls.SweepInTurn(t.Context())
	must(t, err)
	if removed != 1 {
		t.Errorf("%d were swept", removed)
	}
	want(0)
}

// A store that is away is trouble, not thousands of lost materials.
func TestVerifyWithoutAStore(t *testing.T) {
	engines := storetest.Engines[0].Open(t)
	blobs := &brokenBlobs{Blobs: engines.Blobs, open: func(string) error { return nil }}
	engines.Blobs = &awayBlobs{blobs}
	ls := opened(t, engines)
	fill(t, ls)
	blobs.open = func(string) error { return errors.New("no route") }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := ls.Verify(ctx, library.Watch{Fault: func(f library.Fault) { t.Errorf("fault: %s", f) }})
	if err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Errorf("%v", err)
	}
}

type awayBlobs struct{ library.Blobs }

func (awayBlobs) Ready(context.Context) error { return errors.New("the store is away") }
