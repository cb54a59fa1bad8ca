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
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sucai/internal/library"
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
