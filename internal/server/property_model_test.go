package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// Clients make random calls, and each answer is held against a model: an account as
// simply as the documents' words can be written.

// modelAccount is what an account must hold.
type modelAccount struct {
	appID, secret string

	grants []*modelGrant
	stable struct {
		token                       string
		expires, forced, day, times int64
	}

	listed    map[wechat.Type][]*modelMaterial // the oldest first
	temporary []*modelMaterial
	inline    []*modelMaterial
	dead      []*modelMaterial // deleted
	films     []modelFilm
}

type modelGrant struct {
	token         string
	stable        bool
	expires, ends int64
}

// modelFilm is an address at which a video was to be had.
type modelFilm struct {
	path    string
	expires int64
	of      *modelMaterial
}

type modelMaterial struct {
	id            string
	typ           wechat.Type // as it is listed
	name, intro   string
	address       string // path of its url; "" until an answer told it
	ext, mime     string
	data          []byte
	created       int64
	updated       int64
	expires       int64
	articles      []modelArticle
	dead          bool
	began, answer int64 // when it was added, on the clock of requests
}

type modelArticle struct {
	title, author, digest, content, source, cover, thumb string
	flags                                                [3]int
	url                                                  string // its path; "" until an answer told it
}

// refusal is what a call with a token must answer, nil where it is good.
func (a *modelAccount) refusal(token string, now int64) *wechat.Error {
	if token == "" {
		return wechat.ErrTokenMissing
	}
	for _, g := range a.grants {
		switch {
		case g.token != token:
		case now < g.ends:
			return nil
		case g.ends == g.expires && now < g.expires+24*3600:
			return wechat.ErrTokenExpired
		}
	}
	return wechat.ErrInvalidCredential
}

func (a *modelAccount) supersede(stable bool, at int64) {
	for _, g := range a.grants {
		if g.stable == stable {
			g.ends = min(g.ends, at)
		}
	}
}

// all gives every material that can be read with get_material.
func (a *modelAccount) all() (list []*modelMaterial) {
	for _, t := range wechat.Listed {
		list = append(list, a.listed[t]...)
	}
	return list
}

// world is a server, its clock, and who uses it.
type world struct {
	*fixture
	clock    atomic.Int64
	mark     atomic.Uint32 // makes each file another one
	requests atomic.Int64
}

const worldBegins = 1_700_000_000

func newWorld(t *testing.T) *world {
	w := &world{fixture: &fixture{t: t}}
	w.clock.Store(worldBegins)
	var err error
	w.ls, err = library.Open(t.Context(), storetest.Shape().Open(t), library.Options{Now: func() time.Time { return time.Unix(w.clock.Load(), 0) }})
	must(t, err)
	w.server = New(w.ls, Options{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))})
	w.listen()
	return w
}

func (w *world) account(t rapid.TB) *modelAccount {
	a, secret, err := w.ls.NewAccount(w.t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return &modelAccount{appID: a.AppID, secret: secret, listed: map[wechat.Type][]*modelMaterial{}}
}

// player is a client: it makes calls, and knows what each must answer.
type player struct {
	rapid.TB
	*world
	roll  func(n int) int // from 0 to n-1
	own   *modelAccount
	host  string // by which it reaches the server
	token string
	// alone tells that nobody else changes the account, so that lists and tokens are
	// known in full.
	alone bool
}

func pick[T any](p *player, list []T) T { return list[p.roll(len(list))] }

func (p *player) base() string { return "http://" + p.host }

func (p *player) now() int64 { return p.clock.Load() }

func (p *player) send(method, path, contentType string, body []byte) (*http.Response, string) {
	p.Helper()
	req, err := http.NewRequest(method, p.fixture.base+path, bytes.NewReader(body))
	if err != nil {
		p.Fatal(err)
	}
	req.Host = p.host
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		p.Fatal(err)
	}
	return res, string(data)
}

// call makes a call of the API as clients do: where the token is refused, once more with
// a new one. It must be refused just when the model says so.
func (p *player) call(method, endpoint, contentType string, body []byte) (*http.Response, string) {
	p.Helper()
	path := "/cgi-bin/" + endpoint + "?"
	if strings.Contains(endpoint, "?") {
		path = "/cgi-bin/" + endpoint + "&"
	}
	for {
		refused := p.own.refusal(p.token, p.now())
		res, got := p.send(method, path+"access_token="+url.QueryEscape(p.token), contentType, body)
		if refused == nil {
			return res, got
		}
		p.wantError(endpoint+" with a refused token", got, refused)
		p.refresh()
	}
}

func (p *player) post(endpoint string, args any) string {
	p.Helper()
	body, err := json.Marshal(args)
	if err != nil {
		p.Fatal(err)
	}
	_, got := p.call("POST", endpoint, "", body)
	return got
}

func (p *player) want(what, got, want string) {
	p.Helper()
	if got != want {
		p.Fatalf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func (p *player) wantError(what, got string, want *wechat.Error) {
	p.Helper()
	p.want(what, got, fmt.Sprintf(`{"errcode":%d,"errmsg":%s}`, want.Code, quoted(want.Msg)))
}

// match finds the groups of an answer's form.
func (p *player) match(what, got, form string) []string {
	p.Helper()
	found := regexp.MustCompile("^(?s:" + form + ")$").FindStringSubmatch(got)
	if found == nil {
		p.Fatalf("%s: %s is not of the form %s", what, got, form)
	}
	return found[1:]
}

// quoted is a JSON string in which only what must be is escaped.
func quoted(s string) string {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}
