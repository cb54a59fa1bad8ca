package sqlstore_test

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

// The contract is tested in storetest; here is what only PostgreSQL has.

func TestMain(m *testing.M) { os.Exit(storetest.Waiting{M: m}.Run()) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, address string, role sqlstore.Role) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.OpenPostgres(t.Context(), address, role)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func account(t testing.TB, s *sqlstore.Store, appID string, uin int64) *library.Account {
	t.Helper()
	a := &library.Account{AppID: appID, Uin: uin, Salt: []byte{1}, Hash: []byte{1}}
	must(t, s.CreateAccount(t.Context(), a))
	return a
}

func image(a *library.Account, id string) *library.Material {
	return &library.Material{Account: a.ID, MediaID: id, Type: wechat.Image, Name: id, Key: fmt.Sprint("key ", a.ID, id), Blob: "blob " + id, Format: "png", Version: 1}
}

// listed gives the media_ids of an account's images, and checks that the counts add up.
func listed(t testing.TB, s *sqlstore.Store, a *library.Account) (ids []string) {
	t.Helper()
	total, err := s.Page(t.Context(), a.ID, wechat.Image, 0, 1<<20, nil, func(m *library.Material) error {
		ids = append(ids, m.MediaID)
		return nil
	})
	must(t, err)
	if total != int64(len(ids)) {
		t.Errorf("%d are listed, %d counted", len(ids), total)
	}
	rows, err := s.DB().Query(`select level, sum(live) from bucket where account = $1 and type = 'image' group by level`, a.ID)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var level, live int64
		must(t, rows.Scan(&level, &live))
		if live != total {
			t.Errorf("the buckets of level %d hold %d of %d", level, live, total)
		}
	}
	must(t, rows.Err())
	return ids
}

// Several nodes add, import and delete at once, in two accounts and two types.
func TestManyNodesWriteAtOnce(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	nodes := []*sqlstore.Store{open(t, address, sqlstore.Server), open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)}
	a, b := account(t, nodes[0], "a", 1), account(t, nodes[0], "b", 2)
	const each = 30
	var wg sync.WaitGroup
	for i, node := range nodes {
		for w := range 3 {
			wg.Go(func() {
				for n := range each {
					id := fmt.Sprintf("%d-%d-%d", i, w, n)
					check := func(what string, err error) {
						if err != nil {
							t.Errorf("%s %s: %v", what, id, err)
						}
					}
					check("insert", node.Insert(t.Context(), image(a, id), math.MaxInt64))
					check("insert", node.Insert(t.Context(), image(b, id), math.MaxInt64))
					if n%3 == 0 {
						check("delete", node.Delete(t.Context(), a.ID, id))
					}
					// Types in an order that differs from node to node.
					voice, more := image(a, id+"v"), image(a, id+"i")
					voice.Type, voice.Number, more.Number = wechat.Voice, library.NextNumber, library.NextNumber
					list := []*library.Material{voice, more}
					if i%2 == 0 {
						list[0], list[1] = more, voice
					}
					_, err := node.Import(t.Context(), a.ID, list)
					check("import", err)
				}
			})
		}
	}
	wg.Wait()
	const n = 3 * 3 * each
	if got := len(listed(t, nodes[1], a)); got != 2*n-n/3 {
		t.Errorf("%d in a, want %d", got, 2*n-n/3)
	}
	if got := len(listed(t, nodes[2], b)); got != n {
		t.Errorf("%d in b, want %d", got, n)
	}
}

func withParameter(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return strings.ReplaceAll(u.String(), "+", "%20")
}

func mustQuery(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u.Query().Get(name)
}

// Behind a pooler that knows no prepared statements, the address turns them off.
func TestWithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	for _, mode := range []string{"exec", "cache_describe", "describe_exec"} {
		s := open(t, withParameter(t, address, "default_query_exec_mode", mode), sqlstore.Server)
		a := account(t, s, mode, int64(len(mode)))
		for i := range 70 {
			must(t, s.Insert(t.Context(), image(a, fmt.Sprint(i)), math.MaxInt64))
		}
		m := image(a, "news")
		m.Type, m.Number, m.Articles = wechat.News, library.NextNumber, wechat.Articles("\x01")
		_, err := s.Import(t.Context(), a.ID, []*library.Material{m})
		must(t, err)
		m.Version++
		must(t, s.UpdateArticles(t.Context(), m))
		must(t, s.Delete(t.Context(), a.ID, "69"))
		if _, err := s.Material(t.Context(), a.ID, "69", 0); err != library.ErrNotFound {
			t.Errorf("%s: %v", mode, err)
		}
		if got := listed(t, s, a); len(got) != 69 || got[0] != "68" {
			t.Errorf("%s: %q", mode, got)
		}
		_, err = s.Page(t.Context(), a.ID, wechat.Image, 34, 1, nil, func(m *library.Material) error {
			if m.MediaID != "34" {
				t.Errorf("%s: %s in the middle", mode, m.MediaID)
			}
			return nil
		})
		must(t, err)
		g := &library.Grant{Hash: [32]byte{byte(len(mode))}, Kind: library.PlainGrant, Expires: 9, Ends: 9}
		must(t, s.ChangeAccount(t.Context(), mode, func(_ *library.Account, gs library.Grants) error {
			return errors.Join(gs.End(library.PlainGrant, 5, 0), gs.Add(g))
		}))
		_, err = s.Grant(t.Context(), g.Hash)
		must(t, err)
		within, err := s.CountCall(t.Context(), a.ID, "x", 1, 1)
		must(t, err)
		if !within {
			t.Errorf("%s: not counted", mode)
		}
		must(t, s.ForgetGrants(t.Context(), 1, 1))
		must(t, s.RemoveAccount(t.Context(), mode))
		must(t, s.DeleteAll(t.Context(), a.ID))
	}
}

// tidying finds the statements that remove many rows in the background. They may gather
// the ids of a piece, and may scan a table of which they remove a large part, but must
// not have to.
var tidying = regexp.MustCompile(`limit 1000|where day <|where ends <`)
