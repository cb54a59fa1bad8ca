package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/gif"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/image/bmp"
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

func newWorld(t *testing.T, e storetest.Engine) *world {
	w := &world{fixture: &fixture{t: t}}
	w.clock.Store(worldBegins)
	var err error
	w.ls, err = library.Open(t.Context(), e.Open(t), library.Options{Now: func() time.Time { return time.Unix(w.clock.Load(), 0) }})
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

// Tokens.

func (p *player) refresh() {
	if !p.alone || p.roll(2) == 0 {
		p.plainToken()
		return
	}
	p.stableToken(false)
}

func (p *player) plainToken() {
	_, got := p.send("GET", "/cgi-bin/token?grant_type=client_credential&appid="+p.own.appID+"&secret="+p.own.secret, "", nil)
	p.own.supersede(false, p.now()+300)
	p.take(got, false)
}

// take takes a new token out of an answer.
func (p *player) take(got string, stable bool) {
	token := p.match("token", got, `\{"access_token":"(\d+_[A-Za-z0-9_-]{100,200})","expires_in":7200\}`)[0]
	if slices.ContainsFunc(p.own.grants, func(g *modelGrant) bool { return g.token == token }) {
		p.Fatalf("the same token again: %s", token)
	}
	p.token = token
	end := p.now() + 7200
	p.own.grants = append(p.own.grants, &modelGrant{token, stable, end, end})
	if stable {
		p.own.stable.token, p.own.stable.expires = token, end
	}
}

func (p *player) stableToken(force bool) {
	s, now := &p.own.stable, p.now()
	_, got := p.send("POST", "/cgi-bin/stable_token", "", fmt.Appendf(nil,
		`{"grant_type":"client_credential","appid":"%s","secret":"%s","force_refresh":%v}`, p.own.appID, p.own.secret, force))
	if s.expires-now > 300 && !(force && now-s.forced >= 30) {
		p.want("the same stable token", got, fmt.Sprintf(`{"access_token":"%s","expires_in":%d}`, s.token, s.expires-now))
		p.token = s.token
		return
	}
	if force {
		if day := (now + 8*3600) / (24 * 3600); day != s.day { // days begin at midnight in China
			s.day, s.times = day, 0
		}
		if s.times == 20 {
			p.wantError("the 21st forced refresh of a day", got, wechat.ErrQuota)
			return
		}
		s.times++
		s.forced = now
		p.own.supersede(true, now)
	}
	p.take(got, true)
}

// forceOften refreshes by force up to more often than a day allows.
func (p *player) forceOften() {
	for range pick(p, []int{1, 1, 2, 2, 2, 2, 21}) {
		p.stableToken(true)
		p.clock.Add(int64(pick(p, []int{30, 31, 29})))
	}
}

func (p *player) badCredentials() {
	grant, id, secret := "client_credential", p.own.appID, p.own.secret
	var want *wechat.Error
	switch p.roll(5) {
	case 0:
		id, want = "", wechat.ErrAppIDMissing
	case 1:
		id, grant, want = "wxnobody", "x", wechat.ErrInvalidAppID
	case 2:
		grant, secret, want = "x", "", wechat.ErrInvalidGrantType
	case 3:
		secret, want = "", wechat.ErrSecretMissing
	case 4:
		secret, want = "x"+secret, wechat.ErrInvalidSecret
	}
	q := url.Values{"grant_type": {grant}, "appid": {id}, "secret": {secret}}
	_, got := p.send("GET", "/cgi-bin/token?"+q.Encode(), "", nil)
	p.wantError("token", got, want)
	body, err := json.Marshal(map[string]any{"grant_type": grant, "appid": id, "secret": secret, "force_refresh": true})
	if err != nil {
		p.Fatal(err)
	}
	_, got = p.send("POST", "/cgi-bin/stable_token", "", body)
	p.wantError("stable_token", got, want)
}

// oldToken calls with any token that the account ever had.
func (p *player) oldToken() {
	tokens := []string{"", "1_x"}
	for _, g := range p.own.grants {
		tokens = append(tokens, g.token)
	}
	mine := p.token
	p.token = pick(p, tokens)
	p.counts()
	if p.roll(2) == 0 {
		p.token = mine
	}
}

// waitToTheEnd calls with a token in its last second, and in the next.
func (p *player) waitToTheEnd() {
	if len(p.own.grants) == 0 {
		p.Skip("no token")
	}
	g := pick(p, p.own.grants[max(0, len(p.own.grants)-4):])
	end := g.ends
	if p.roll(3) == 0 {
		end = g.expires + 24*3600
	}
	for ; end > p.now(); p.clock.Store(min(end, max(end-1, p.now()+1))) {
		p.token = g.token
		p.counts()
	}
	p.token = g.token
	p.counts()
}

// Files.

type modelFile struct {
	typ       wechat.Type // of the upload
	ext, mime string
	data      func(mark ...byte) []byte
	permanent bool // it is taken as permanent material alone
}

var modelFiles = []modelFile{
	{wechat.Image, "png", "image/png", behind(pngBytes(1, 1)), false},
	{wechat.Image, "jpg", "image/jpeg", behind(jpegBytes(1, 1)), false},
	{wechat.Image, "gif", "image/gif", behind(encodedBy(func(w io.Writer) error { return gif.Encode(w, picture(1, 1), nil) })), false},
	{wechat.Image, "bmp", "image/bmp", behind(encodedBy(func(w io.Writer) error { return bmp.Encode(w, picture(1, 1)) })), true},
	{wechat.Voice, "mp3", "audio/mpeg", within(mp3Bytes(), 400), false},
	{wechat.Voice, "amr", "audio/amr", within(amrBytes(9), 20), false},
	{wechat.Voice, "wav", "audio/wav", within(wavBytes(0.1), 100), true},
	{wechat.Video, "mp4", "video/mp4", mp4Bytes, false},
	{wechat.Thumb, "jpg", "image/jpeg", behind(jpegBytes(2, 1)), false},
}

func behind(data []byte) func(...byte) []byte {
	return func(mark ...byte) []byte { return slices.Concat(data, mark) }
}

func within(data []byte, at int) func(...byte) []byte {
	return func(mark ...byte) []byte { return slices.Concat(data[:at], mark, data[at+len(mark):]) }
}

func encodedBy(encode func(io.Writer) error) []byte {
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		panic(err)
	}
	return out.Bytes()
}

var modelNames = []struct{ sent, kept string }{
	{"a.png", "a.png"}, {"图 片.jpg", "图 片.jpg"}, {`C:\x\b.gif`, "b.gif"}, {"../../etc/c", "c"}, {`q"uo"te;.mp3`, `q"uo"te;.mp3`},
	{"=?utf-8?B?5Zu+?=", "图"}, {"tab\t.png", "tab.png"}, {"<&>'.mp4", "<&>'.mp4"},
}

func (p *player) newFile(f modelFile) *modelMaterial {
	n := p.mark.Add(1)
	name := pick(p, modelNames)
	m := &modelMaterial{typ: f.typ, name: name.kept, ext: f.ext, mime: f.mime, created: p.now(), updated: p.now()}
	m.data = f.data(byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	if f.typ == wechat.Thumb {
		m.typ = wechat.Image
	}
	m.began = p.requests.Add(1)
	return m
}

// sendForm uploads, with the type where clients put it: in the query or in the form.
func (p *player) sendForm(endpoint string, t wechat.Type, query string, parts ...part) string {
	switch p.roll(3) {
	case 0:
		query = "?type=" + string(t) + query
	case 1:
		parts = append([]part{fieldPart("type", string(t))}, parts...)
	default:
		parts = append(parts, fieldPart("type", string(t)))
	}
	if !strings.HasPrefix(query, "?") {
		query = "?" + strings.TrimPrefix(query, "&")
	}
	contentType, body := multipartForm(parts...)
	_, got := p.call("POST", endpoint+query, contentType, body.Bytes())
	return got
}

func (p *player) sentName(m *modelMaterial) string {
	for _, n := range modelNames {
		if n.kept == m.name {
			return n.sent
		}
	}
	panic(m.name)
}

func (p *player) addMaterial() { p.add(pick(p, modelFiles)) }

func (p *player) add(f modelFile) *modelMaterial {
	m := p.newFile(f)
	parts := []part{filePart("media", p.sentName(m), m.data)}
	query := ""
	if f.typ == wechat.Video {
		title := pick(p, []string{"题目 <\"&>", ""})
		m.intro = pick(p, []string{"述\\", ""})
		if title != "" {
			m.name = title
		}
		text := `{"title":` + quoted(title) + `,"introduction":` + quoted(m.intro) + `}`
		switch p.roll(4) {
		case 0:
			parts = append(parts, fieldPart("description", text))
		case 1:
			parts = append([]part{fieldPart("description", text)}, parts...)
		case 2:
			parts = append(parts, filePart("description", "blob", []byte(text)))
		default:
			query = "&description=" + url.QueryEscape(text)
		}
	}
	got := p.sendForm("material/add_material", f.typ, query, parts...)
	if m.typ == wechat.Image {
		found := p.match("add_material", got, `\{"media_id":"([A-Za-z0-9_-]{64})","url":"`+regexp.QuoteMeta(p.base())+`([^"]*)"\}`)
		m.id, m.address = found[0], found[1]
		p.wantAddress(m)
	} else {
		m.id = p.match("add_material", got, `\{"media_id":"([A-Za-z0-9_-]{64})"\}`)[0]
	}
	p.keep(m)
	return m
}

// keep lists a material that was acknowledged.
func (p *player) keep(m *modelMaterial) {
	m.answer = p.requests.Add(1)
	for _, other := range slices.Concat(p.own.all(), p.own.dead, p.own.temporary) {
		if other.id == m.id {
			p.Fatalf("media_id %s was given twice", m.id)
		}
	}
	p.own.listed[m.typ] = append(p.own.listed[m.typ], m)
}

// wantAddress checks the form of an address that an answer told.
func (p *player) wantAddress(m *modelMaterial) {
	kind, format := m.ext, m.ext
	if m.typ != wechat.Image {
		kind = string(m.typ)
	}
	if m.ext == "jpg" {
		format = "jpeg"
	}
	p.match("address", m.address, `/mmbiz_`+kind+`/[A-Za-z0-9_-]{86}/0\?wx_fmt=`+format)
}

func (p *player) badUpload() {
	png := filePart("media", "a.png", pngBytes(1, 1))
	film := filePart("media", "a.mp4", mp4Bytes())
	c := pick(p, []struct {
		typ   wechat.Type
		want  *wechat.Error
		parts []part
	}{
		{"audio", wechat.ErrInvalidMediaType, []part{png}},
		{wechat.News, wechat.ErrInvalidMediaType, []part{png}},
		{wechat.Voice, wechat.ErrFileType, []part{png}},
		{wechat.Video, wechat.ErrFileType, []part{png}},
		{wechat.Image, wechat.ErrImageFormat, []part{film}},
		{wechat.Thumb, wechat.ErrImageFormat, []part{png}},
		{wechat.Image, wechat.ErrMediaMissing, []part{fieldPart("media", "x")}},
		{wechat.Image, wechat.ErrEmptyMedia, []part{filePart("media", "a.png", nil)}},
		{wechat.Thumb, wechat.ErrThumbSize, []part{filePart("media", "a.jpg", append(jpegBytes(1, 1), make([]byte, 64<<10)...))}},
		{wechat.Voice, wechat.ErrPlaytime, []part{filePart("media", "a.wav", wavBytes(61))}},
		{wechat.Video, wechat.ErrDataFormat, []part{film, fieldPart("description", `{"title":5}`)}},
	})
	if c.typ == wechat.Voice && c.want == wechat.ErrPlaytime || c.typ == wechat.Video && c.want == wechat.ErrDataFormat {
		p.wantError("add_material", p.sendForm("material/add_material", c.typ, "", c.parts...), c.want)
		return
	}
	endpoint := pick(p, []string{"material/add_material", "media/upload"})
	p.wantError(endpoint, p.sendForm(endpoint, c.typ, "", c.parts...), c.want)
}

func (p *player) mediaUpload() {
	f := pick(p, modelFiles)
	m := p.newFile(f)
	got := p.sendForm("media/upload", f.typ, "", filePart("media", p.sentName(m), m.data))
	switch {
	case f.permanent && f.typ == wechat.Image:
		p.wantError("media/upload of "+f.ext, got, wechat.ErrImageFormat)
		return
	case f.permanent:
		p.wantError("media/upload of "+f.ext, got, wechat.ErrFileType)
		return
	}
	name := "media_id"
	if f.typ == wechat.Thumb {
		name = "thumb_media_id"
	}
	m.id = p.match("media/upload", got, fmt.Sprintf(`\{"type":"%s","%s":"([A-Za-z0-9_-]{64})","created_at":%d\}`, f.typ, name, m.created))[0]
	m.expires = m.created + 3*24*3600
	p.own.temporary = append(p.own.temporary, m)
}

func (p *player) mediaGet() {
	m := pick(p, slices.Concat([]*modelMaterial{{id: "none"}}, p.own.temporary, p.own.temporary, p.own.all(), p.own.dead))
	res, got := p.call("GET", "media/get?media_id="+url.QueryEscape(m.id), "", nil)
	switch {
	case p.now() >= m.expires:
		p.wantError("media/get", got, wechat.ErrInvalidMediaID)
	case m.typ == wechat.Video:
		p.wantFilm(m, p.match("media/get", got, `\{"video_url":"`+regexp.QuoteMeta(p.base())+`([^"]*)"\}`)[0])
	default:
		p.wantFile(m, res, got)
	}
}

func (p *player) wantFile(m *modelMaterial, res *http.Response, got string) {
	p.Helper()
	if got != string(m.data) {
		p.Fatalf("%s %s: %d bytes are not the %d that were uploaded", m.typ, m.id, len(got), len(m.data))
	}
	p.want("its type", res.Header.Get("Content-Type"), m.mime)
	p.want("its name", res.Header.Get("Content-Disposition"), `attachment; filename="`+m.id+"."+m.ext+`"`)
	p.want("its length", res.Header.Get("Content-Length"), fmt.Sprint(len(m.data)))
}

// wantFilm checks a new address of a video, and what is there.
func (p *player) wantFilm(m *modelMaterial, path string) {
	p.match("address of a film", path, fmt.Sprintf(`/video/%s/%s\.mp4\?expires=%d&vkey=[0-9a-f]{32}`, p.own.appID, m.id, p.now()+7200))
	film := modelFilm{path, p.now() + 7200, m}
	p.own.films = append(p.own.films, film)
	p.watch(film)
}

func (p *player) watch(f modelFilm) {
	res, got := p.send("GET", f.path, "", nil)
	want := 200
	switch {
	case p.now() >= f.expires:
		want = 403
	case f.of.dead, f.of.expires > 0 && p.now() >= f.of.expires:
		want = 404
	}
	if res.StatusCode != want || want == 200 && got != string(f.of.data) {
		p.Fatalf("film %s: %s, want %d; %d bytes", f.of.id, res.Status, want, len(got))
	}
}

func (p *player) uploadImg() {
	m := p.newFile(pick(p, modelFiles[:4]))
	contentType, body := multipartForm(filePart(pick(p, []string{"media", "buffer"}), p.sentName(m), m.data))
	_, got := p.call("POST", "media/uploadimg", contentType, body.Bytes())
	if m.ext != "png" && m.ext != "jpg" {
		p.wantError("uploadimg", got, wechat.ErrImageFormat)
		return
	}
	m.address = p.match("uploadimg", got, `\{"url":"`+regexp.QuoteMeta(p.base())+`(/mmbiz_`+m.ext+`/[A-Za-z0-9_-]{86}/0)"\}`)[0]
	p.own.inline = append(p.own.inline, m)
}

// browse reads public addresses, old ones too.
func (p *player) browse() {
	if len(p.own.films) > 0 && p.roll(2) == 0 {
		p.watch(pick(p, p.own.films))
		return
	}
	var list []*modelMaterial
	for _, m := range slices.Concat(p.own.all(), p.own.inline, p.own.dead) {
		if m.address != "" {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		return
	}
	m := pick(p, list)
	res, got := p.send("GET", m.address, "", nil)
	switch {
	case m.dead && res.StatusCode != 404:
		p.Fatalf("a deleted %s is still there: %s", m.typ, res.Status)
	case !m.dead && (res.StatusCode != 200 || got != string(m.data)):
		p.Fatalf("%s: %s, %d bytes", m.address, res.Status, len(got))
	}
}

// News.

// modelContents are texts of articles; {base} is where the client finds the server.
var modelContents = []struct{ sent, kept, text string }{
	{"<p>春眠不觉晓</p>", "<p>春眠不觉晓</p>", "春眠不觉晓"},
	{`<p onclick="x()">a<script>b</script>c</p>`, "<p>ac</p>", "ac"},
	{"<b>" + strings.Repeat("字", 60), "<b>" + strings.Repeat("字", 60), strings.Repeat("字", 54)},
	{"plain \"q\" \\ \t t\n &amp;", "plain \"q\" \\ \t t\n &amp;", `plain "q" \ t &`},
	{`<img data-src="{base}/mmbiz_png/k/0"><a href="{base}/x">x</a>`, `<img data-src="{base}/mmbiz_png/k/0"><a href="http://a.example/x">x</a>`, "x"},
	{`<a href="javascript:x">l</a>`, "<a>l</a>", "l"},
}

// newArticle makes an article as it is sent, and as it must come back.
func (p *player) newArticle(cover *modelMaterial) (map[string]any, modelArticle) {
	content := pick(p, modelContents)
	a := modelArticle{
		title: pick(p, []string{"标题", strings.Repeat("题", 64), `"<&>\`}), author: pick(p, []string{"", "作者", strings.Repeat("a", 16)}),
		digest: pick(p, []string{"", "摘要", strings.Repeat("要", 120)}), source: pick(p, []string{"", "https://example.com/?a=1&b=2"}),
		content: strings.ReplaceAll(content.kept, "http://a.example/x", p.base()+"/x"),
		cover:   cover.id, thumb: cover.address,
	}
	sent := map[string]any{
		"title": a.title, "author": a.author, "digest": a.digest, "content_source_url": a.source, "thumb_media_id": a.cover,
		"content": strings.ReplaceAll(content.sent, "{base}", p.base()), "unknown": []int{1},
	}
	if a.digest == "" {
		a.digest = content.text
	}
	for i, name := range []string{"show_cover_pic", "need_open_comment", "only_fans_can_comment"} {
		a.flags[i] = p.roll(2)
		sent[name] = pick(p, []any{a.flags[i], fmt.Sprint(a.flags[i])})
		if a.flags[i] == 0 && p.roll(2) == 0 {
			sent[name] = ""
		}
	}
	return sent, a
}

// badArticles are what must not be in an article.
var badArticles = []struct {
	member string
	value  any
	want   *wechat.Error
}{
	{"title", "", wechat.ErrTitleSize},
	{"title", strings.Repeat("题", 65), wechat.ErrTitleSize},
	{"title", 5, wechat.ErrDataFormat},
	{"author", strings.Repeat("作", 17), wechat.ErrAuthorSize},
	{"digest", strings.Repeat("摘", 121), wechat.ErrDigestSize},
	{"content", "", wechat.ErrEmptyContent},
	{"content", "<script>x</script>", wechat.ErrEmptyContent},
	{"content", strings.Repeat("字", 20_000), wechat.ErrContentSize},
	{"content_source_url", strings.Repeat("u", 1025), wechat.ErrURLSize},
	{"thumb_media_id", "none", wechat.ErrInvalidMediaID},
	{"show_cover_pic", 2, wechat.ErrInvalidArgs},
	{"need_open_comment", "x", wechat.ErrDataFormat},
	{"", nil, wechat.ErrInvalidMediaID}, // a cover that is none
}

func (p *player) spoil(sent map[string]any) *wechat.Error {
	bad := pick(p, badArticles)
	if bad.member == "" {
		sent["thumb_media_id"] = p.badID()
	} else {
		sent[bad.member] = bad.value
	}
	return bad.want
}

func (p *player) cover() *modelMaterial {
	if list := p.own.listed[wechat.Image]; len(list) > 0 {
		return pick(p, list)
	}
	return p.add(modelFiles[8])
}

func (p *player) addNews() {
	n := pick(p, []int{1, 2, 8})
	articles := make([]map[string]any, n)
	cover := p.cover()
	m := &modelMaterial{typ: wechat.News, created: p.now(), updated: p.now(), articles: make([]modelArticle, n)}
	for i := range articles {
		articles[i], m.articles[i] = p.newArticle(cover)
		if n > 1 {
			m.articles[i].digest = ""
		}
	}
	m.began = p.requests.Add(1)
	m.id = p.match("add_news", p.post("material/add_news", map[string]any{"articles": articles}), `\{"media_id":"([A-Za-z0-9_-]{64})"\}`)[0]
	p.keep(m)
	p.get(m)
}

func (p *player) badNews() {
	n := pick(p, []int{1, 2, 0, 9})
	articles := make([]map[string]any, n)
	var want *wechat.Error
	for i := range articles {
		articles[i], _ = p.newArticle(p.cover())
	}
	switch n {
	case 0:
		want = wechat.ErrEmptyNews
	case 9:
		want = wechat.ErrArticleCount
	default:
		want = p.spoil(pick(p, articles))
	}
	p.wantError("add_news", p.post("material/add_news", map[string]any{"articles": articles}), want)
}

func (p *player) updateNews() {
	list := p.own.listed[wechat.News]
	if len(list) == 0 {
		p.Skip("no news")
	}
	m := pick(p, list)
	i := p.roll(len(m.articles))
	index, want := any(i), (*wechat.Error)(nil)
	id := m.id
	sent, a := p.newArticle(p.cover())
	switch p.roll(8) {
	case 0:
		id, want = p.badID(), wechat.ErrInvalidMediaID
	case 1:
		index, want = pick(p, []int{len(m.articles), -1}), wechat.ErrInvalidArgs
	case 2:
		want = p.spoil(sent)
	case 3:
		index = fmt.Sprint(i)
	}
	got := p.post("material/update_news", map[string]any{"media_id": id, "index": index, "articles": sent})
	if want != nil {
		p.wantError("update_news", got, want)
		return
	}
	p.want("update_news", got, `{"errcode":0,"errmsg":"ok"}`)
	if len(m.articles) > 1 {
		a.digest = ""
	}
	a.url = m.articles[i].url
	m.articles[i], m.updated = a, p.now()
	p.get(m)
}

// Reading.

// body is the article as it must be answered to who finds the server on base.
func (a *modelArticle) body(base string) string {
	return fmt.Sprintf(`{"title":%s,"author":%s,"digest":%s,"content":%s,"content_source_url":%s,"thumb_media_id":%s,"show_cover_pic":%d,`+
		`"url":%s,"thumb_url":%s,"need_open_comment":%d,"only_fans_can_comment":%d}`,
		quoted(a.title), quoted(a.author), quoted(a.digest), quoted(strings.ReplaceAll(a.content, "{base}", base)), quoted(a.source), quoted(a.cover),
		a.flags[0], quoted(base+a.url), quoted(base+a.thumb), a.flags[1], a.flags[2])
}

func (m *modelMaterial) news(base string) string {
	var articles []string
	for i := range m.articles {
		articles = append(articles, m.articles[i].body(base))
	}
	return fmt.Sprintf(`{"news_item":[%s],"create_time":%d,"update_time":%d}`, strings.Join(articles, ","), m.created, m.updated)
}

// item is the material as it must stand in a list.
func (m *modelMaterial) item(base string) string {
	if m.typ == wechat.News {
		return fmt.Sprintf(`{"media_id":"%s","content":%s,"update_time":%d}`, m.id, m.news(base), m.updated)
	}
	return fmt.Sprintf(`{"media_id":"%s","name":%s,"update_time":%d,"url":"%s"}`, m.id, quoted(m.name), m.updated, base+m.address)
}

var (
	articleURL = regexp.MustCompile(`"url":"http://[a-z.]+(/s\?[^"]*)"`)
	itemURL    = regexp.MustCompile(`"media_id":"([^"]*)","name":"(?:[^"\\]|\\.)*","update_time":\d+,"url":"http://[a-z.]+([^"]*)"`)
)

// learnArticles takes the addresses of pages, which stay, out of the first answer.
func (p *player) learnArticles(m *modelMaterial, got string) {
	found := articleURL.FindAllStringSubmatch(got, -1)
	if len(found) != len(m.articles) {
		p.Fatalf("%d addresses of articles in %s", len(found), got)
	}
	for i := range m.articles {
		if m.articles[i].url == "" {
			m.articles[i].url = found[i][1]
			p.match("address of an article", found[i][1], fmt.Sprintf(`/s\?__biz=[A-Za-z0-9+/]+=*&mid=\d{15}&idx=%d&sn=[0-9a-f]{32}`, i+1))
		}
	}
}

// learnItems takes the addresses of voices and videos out of the first list.
func (p *player) learnItems(got string) {
	for _, found := range itemURL.FindAllStringSubmatch(got, -1) {
		for _, m := range slices.Concat(p.own.listed[wechat.Voice], p.own.listed[wechat.Video]) {
			if m.id == found[1] && m.address == "" {
				m.address = found[2]
				p.wantAddress(m)
			}
		}
	}
}

// badID is an id that stands for no permanent material, or for one that is no news and
// no picture.
func (p *player) badID() string {
	ids := []string{"none", "", "a\x00b", strings.Repeat("x", 600)}
	for _, m := range slices.Concat(p.own.dead, p.own.temporary) {
		ids = append(ids, m.id)
	}
	return pick(p, ids)
}

// byID calls with a media_id as clients send it: in the body, or in the query.
func (p *player) byID(endpoint, id string) (*http.Response, string) {
	if p.roll(4) == 0 && id != "" {
		return p.call("POST", endpoint+"?media_id="+url.QueryEscape(id), "", nil)
	}
	return p.call("POST", endpoint, "application/json", []byte(`{"media_id":`+quoted(id)+`}`))
}

func (p *player) getMaterial() {
	if list := p.own.all(); len(list) > 0 && p.roll(5) > 0 {
		p.get(pick(p, list))
		return
	}
	_, got := p.byID("material/get_material", p.badID())
	p.wantError("get_material", got, wechat.ErrInvalidMediaID)
}

func (p *player) get(m *modelMaterial) {
	p.Helper()
	res, got := p.byID("material/get_material", m.id)
	switch m.typ {
	case wechat.News:
		p.learnArticles(m, got)
		p.want("get_material of a news", got, m.news(p.base()))
	case wechat.Video:
		form := regexp.QuoteMeta(fmt.Sprintf(`{"title":%s,"description":%s,"down_url":"%s`, quoted(m.name), quoted(m.intro), p.base())) + `([^"]*)"\}`
		p.wantFilm(m, p.match("get_material of a video", got, form)[0])
	default:
		p.wantFile(m, res, got)
	}
}

func (p *player) delMaterial() {
	list := p.own.all()
	if len(list) == 0 || p.roll(5) == 0 {
		_, got := p.byID("material/del_material", p.badID())
		p.wantError("del_material", got, wechat.ErrInvalidMediaID)
		return
	}
	m := pick(p, list)
	_, got := p.byID("material/del_material", m.id)
	p.want("del_material", got, `{"errcode":0,"errmsg":"ok"}`)
	m.dead = true
	p.own.dead = append(p.own.dead, m)
	p.own.listed[m.typ] = slices.DeleteFunc(p.own.listed[m.typ], func(o *modelMaterial) bool { return o == m })
	_, got = p.byID("material/get_material", m.id)
	p.wantError("get_material of what was deleted", got, wechat.ErrInvalidMediaID)
}

func (p *player) counts() {
	_, got := p.call(pick(p, []string{"GET", "POST"}), "material/get_materialcount", "", nil)
	if !p.alone {
		p.match("counts", got, `\{"voice_count":\d+,"video_count":\d+,"image_count":\d+,"news_count":\d+\}`)
		return
	}
	n := func(t wechat.Type) int { return len(p.own.listed[t]) }
	p.want("get_materialcount", got, fmt.Sprintf(`{"voice_count":%d,"video_count":%d,"image_count":%d,"news_count":%d}`,
		n(wechat.Voice), n(wechat.Video), n(wechat.Image), n(wechat.News)))
}

func (p *player) badList() {
	c := pick(p, []struct {
		body string
		want *wechat.Error
	}{
		{`{"type":"thumb","offset":-1,"count":0}`, wechat.ErrInvalidMediaType},
		{`{"offset":0,"count":1}`, wechat.ErrInvalidMediaType},
		{`{"type":"image","offset":0}`, wechat.ErrInvalidArgs},
		{`{"type":"news","count":1}`, wechat.ErrInvalidArgs},
		{`{"type":"voice","offset":-1,"count":1}`, wechat.ErrInvalidArgs},
		{`{"type":"video","offset":0,"count":0}`, wechat.ErrInvalidArgs},
		{`{"type":"image","offset":0,"count":21}`, wechat.ErrInvalidArgs},
		{`{"type":"image","offset":0.5,"count":1}`, wechat.ErrInvalidArgs},
		{`{"type":"image","offset":"x","count":1}`, wechat.ErrDataFormat},
		{`{"type":5}`, wechat.ErrDataFormat},
		{`[`, wechat.ErrDataFormat},
		{``, wechat.ErrEmptyPost},
	})
	_, got := p.call("POST", "material/batchget_material", "", []byte(c.body))
	p.wantError("batchget_material "+c.body, got, c.want)
}

func (p *player) list() {
	t := pick(p, wechat.Listed)
	offset, count := p.roll(len(p.own.listed[t])+2), pick(p, []int{1, 2, 20})
	if !p.alone {
		p.glance(t)
		return
	}
	p.page(t, offset, count)
}

// page checks one page against all that there is.
func (p *player) page(t wechat.Type, offset, count int) {
	p.Helper()
	all := slices.Clone(p.own.listed[t])
	slices.Reverse(all)
	from := min(offset, len(all))
	got := p.post("material/batchget_material", map[string]any{"type": t, "offset": pick(p, []any{offset, fmt.Sprint(offset)}), "count": count})
	p.learnItems(got)
	var items []string
	for _, m := range all[from:min(from+count, len(all))] {
		items = append(items, m.item(p.base()))
	}
	p.want("batchget_material", got, fmt.Sprintf(`{"item":[%s],"total_count":%d,"item_count":%d}`, strings.Join(items, ","), len(all), len(items)))
}

// audit compares all that an account has with all that it must have.
func (p *player) audit() {
	p.counts()
	for _, t := range wechat.Listed {
		for offset := 0; offset <= len(p.own.listed[t]); offset += 20 {
			p.page(t, offset, 20)
		}
	}
	for _, m := range p.own.all() {
		p.get(m)
	}
}

// Nearly each call waits for a disk, so there are fewer runs than rapid makes by itself.
func TestEveryAnswer(t *testing.T) {
	if runs := flag.Lookup("rapid.checks"); runs.Value.String() == runs.DefValue {
		must(t, runs.Value.Set("40"))
		defer runs.Value.Set(runs.DefValue)
	}
	for _, e := range storetest.Engines {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e)
			rapid.Check(t, w.session)
		})
	}
}

// session is one random run of four clients of two accounts.
func (w *world) session(t *rapid.T) {
	w.clock.Store(worldBegins)
	a, b := w.account(t), w.account(t)
	players := []*player{
		{own: a, host: "a.example"}, {own: b, host: "b.example"}, {own: a, host: "c.example"}, {own: a, host: "a.example"},
	}
	for _, p := range players {
		p.world, p.alone = w, true
	}
	as := func(p *player, t *rapid.T) *player {
		p.TB, p.roll = t, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "roll") }
		return p
	}
	by := func(do func(p *player)) func(*rapid.T) {
		return func(t *rapid.T) { do(as(players[rapid.IntRange(0, len(players)-1).Draw(t, "client")], t)) }
	}
	t.Repeat(map[string]func(*rapid.T){
		"add_material": by((*player).addMaterial), "add_material again": by((*player).addMaterial), "bad upload": by((*player).badUpload),
		"media/upload": by((*player).mediaUpload), "media/get": by((*player).mediaGet),
		"uploadimg": by((*player).uploadImg), "browse": by((*player).browse),
		"add_news": by((*player).addNews), "bad news": by((*player).badNews),
		"update_news": by((*player).updateNews), "update_news again": by((*player).updateNews),
		"get_material": by((*player).getMaterial), "del_material": by((*player).delMaterial),
		"list": by((*player).list), "list again": by((*player).list), "bad list": by((*player).badList), "counts": by((*player).counts),
		"token": by((*player).plainToken), "force": by(func(p *player) { p.stableToken(true) }), "force often": by((*player).forceOften),
		"stable_token": by(func(p *player) { p.stableToken(false) }),
		"old token":    by((*player).oldToken), "bad credentials": by((*player).badCredentials),
		"another's id": by(func(p *player) {
			for _, other := range players {
				if other.own != p.own {
					for _, m := range other.own.all() {
						_, got := p.byID(pick(p, []string{"material/get_material", "material/del_material"}), m.id)
						p.wantError("of another account", got, wechat.ErrInvalidMediaID)
						return
					}
				}
			}
		}),
		"wait": by(func(p *player) {
			p.clock.Add(int64(pick(p, []int{1, 29, 30, 299, 300, 301, 3600, 6899, 6900, 3*24*3600 - 1})))
		}),
		"wait to the end": by((*player).waitToTheEnd),
		"tidy": by(func(p *player) {
			_, err := w.ls.Sweep(w.t.Context(), time.Now())
			if err = errors.Join(err, w.ls.Tidy(w.t.Context())); err != nil {
				p.Fatal(err)
			}
		}),
	})
	for _, p := range players[:2] {
		as(p, t).audit()
		if err := w.ls.RemoveAccount(w.t.Context(), p.own.appID); err != nil {
			t.Fatal(err)
		}
		_, got := p.send("GET", "/cgi-bin/material/get_materialcount?access_token="+p.token, "", nil)
		p.wantError("a removed account", got, wechat.ErrInvalidCredential)
	}
}

// Clients on one account at once, each with materials of its own: none sees anything but
// what was acknowledged to it, and the end is the union of what was acknowledged to all.
func TestEveryAnswerAtOnce(t *testing.T) {
	const clients, calls, contested = 4, 60, 8
	for _, e := range storetest.Engines {
		t.Run(e.Name, func(t *testing.T) {
			w := newWorld(t, e)
			account := w.account(t)
			player := func(t *testing.T, i int) *player {
				r := rand.New(rand.NewPCG(1, uint64(i)))
				return &player{TB: t, world: w, roll: r.IntN, host: "a.example",
					own: &modelAccount{appID: account.appID, secret: account.secret, listed: map[wechat.Type][]*modelMaterial{}}}
			}
			host := player(t, clients)
			for len(host.own.listed[wechat.Image]) < contested {
				host.add(modelFiles[0])
			}
			prizes := host.own.listed[wechat.Image]
			host.own.listed[wechat.Image] = nil
			shared := host.sharedNews(clients)
			players := make([]*modelAccount, clients)
			var won [contested]atomic.Int32
			t.Run("clients", func(t *testing.T) {
				for i := range clients {
					t.Run("", func(t *testing.T) {
						t.Parallel()
						p := player(t, i)
						players[i] = p.own
						for n := range calls {
							p.act()
							p.updateShared(shared, i)
							if n%(calls/contested) == 0 {
								p.contest(prizes, &won)
							}
						}
						for range contested {
							p.contest(prizes, &won)
						}
					})
				}
			})
			for i := range won {
				if n := won[i].Load(); n > 1 {
					t.Errorf("%d clients deleted the same material", n)
				} else if n == 0 {
					host.own.listed[wechat.Image] = append(host.own.listed[wechat.Image], prizes[i])
				}
			}
			for _, own := range players {
				for _, typ := range wechat.Listed {
					host.own.listed[typ] = append(host.own.listed[typ], own.listed[typ]...)
				}
			}
			host.settle()
		})
	}
}

// act makes one random call of one that may be made beside others.
func (p *player) act() {
	if p.own.listed[wechat.News] == nil {
		p.addNews()
	}
	pick(p, []func(*player){
		(*player).addMaterial, (*player).addMaterial, (*player).badUpload, (*player).mediaUpload, (*player).mediaGet, (*player).uploadImg,
		(*player).browse, (*player).addNews, (*player).badNews, (*player).getMaterial, (*player).delMaterial, (*player).list, (*player).list,
		(*player).badList, (*player).counts, (*player).plainToken, (*player).badCredentials,
	})(p)
}

// glance looks at the first page while others change it. Who sees one of its own sees
// all of its own that are newer, as it left them.
func (p *player) glance(t wechat.Type) {
	got := p.post("material/batchget_material", map[string]any{"type": t, "offset": 0, "count": 20})
	p.learnItems(got)
	var page struct {
		Item  []json.RawMessage
		Total int `json:"total_count"`
	}
	if err := json.Unmarshal([]byte(got), &page); err != nil {
		p.Fatal(err)
	}
	own := slices.Clone(p.own.listed[t])
	slices.Reverse(own)
	seen := 0
	for _, raw := range page.Item {
		var item struct {
			ID string `json:"media_id"`
		}
		if err := json.Unmarshal(raw, &item); err != nil {
			p.Fatal(err)
		}
		if slices.ContainsFunc(p.own.dead, func(m *modelMaterial) bool { return m.id == item.ID }) {
			p.Fatalf("a deleted %s is listed: %s", t, raw)
		}
		if !slices.ContainsFunc(own, func(m *modelMaterial) bool { return m.id == item.ID }) {
			continue // another's
		}
		p.want("a list beside others", string(raw), own[seen].item(p.base()))
		seen++
	}
	if page.Total < len(own) || page.Total <= 20 && (seen < len(own) || len(page.Item) != page.Total) {
		p.Fatalf("%d of %d own among %d items of %d", seen, len(own), len(page.Item), page.Total)
	}
}

// sharedNews adds a news that has an article for each client.
func (p *player) sharedNews(n int) *modelMaterial {
	cover := p.cover()
	m := &modelMaterial{typ: wechat.News, created: p.now(), updated: p.now(), articles: make([]modelArticle, n)}
	sent := make([]map[string]any, n)
	for i := range sent {
		sent[i], m.articles[i] = p.newArticle(cover)
		m.articles[i].digest = ""
	}
	m.began = p.requests.Add(1)
	m.id = p.match("add_news", p.post("material/add_news", map[string]any{"articles": sent}), `\{"media_id":"([^"]*)"\}`)[0]
	p.keep(m)
	p.get(m)
	return m
}

// updateShared replaces a client's article in the news of all: no other's may be lost.
func (p *player) updateShared(m *modelMaterial, i int) {
	sent, a := p.newArticle(p.cover())
	got := p.post("material/update_news", map[string]any{"media_id": m.id, "index": i, "articles": sent})
	p.want("update_news beside others", got, `{"errcode":0,"errmsg":"ok"}`)
	a.digest, a.url = "", m.articles[i].url
	m.articles[i] = a
	var now struct {
		Item []json.RawMessage `json:"news_item"`
	}
	_, got = p.byID("material/get_material", m.id)
	if err := json.Unmarshal([]byte(got), &now); err != nil || len(now.Item) != len(m.articles) {
		p.Fatalf("%v in %s", err, got)
	}
	p.want("the article that was just written", string(now.Item[i]), a.body(p.base()))
}

// contest deletes what others delete too.
func (p *player) contest(prizes []*modelMaterial, won *[8]atomic.Int32) {
	i := p.roll(len(prizes))
	_, got := p.byID("material/del_material", prizes[i].id)
	if got == `{"errcode":0,"errmsg":"ok"}` {
		won[i].Add(1)
		return
	}
	p.wantError("del_material beside others", got, wechat.ErrInvalidMediaID)
}

// settle compares the account with the union of what clients left, in an order in which
// nothing that was acknowledged before another began stands as the newer of the two.
func (p *player) settle() {
	for _, t := range wechat.Listed {
		var order []*modelMaterial
		for offset := 0; ; offset += 20 {
			var page wechat.Page
			got := p.post("material/batchget_material", map[string]any{"type": t, "offset": offset, "count": 20})
			if err := json.Unmarshal([]byte(got), &page); err != nil {
				p.Fatal(err)
			}
			for _, item := range page.Item {
				i := slices.IndexFunc(p.own.listed[t], func(m *modelMaterial) bool { return m.id == item.MediaID })
				if i < 0 {
					p.Fatalf("nobody owns %s %s", t, item.MediaID)
				}
				order = append(order, p.own.listed[t][i])
			}
			if len(page.Item) == 0 {
				break
			}
		}
		if len(order) != len(p.own.listed[t]) {
			p.Fatalf("%d of type %s are listed, %d were acknowledged", len(order), t, len(p.own.listed[t]))
		}
		slices.Reverse(order)
		latest := int64(0) // began, of all that are older
		for _, m := range order {
			if latest > m.answer {
				p.Fatalf("%s %s was acknowledged before an older one began", t, m.id)
			}
			latest = max(latest, m.began)
		}
		p.own.listed[t] = order
	}
	p.alone = true
	p.audit()
}
