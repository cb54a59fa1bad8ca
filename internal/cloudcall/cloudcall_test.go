package cloudcall

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/evidence"
	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/metrics"
	"sucai/internal/server"
	"sucai/wechat"
)

// What single calls answer are the evidence cases of cloud/ and container/. Here is what
// takes more than an exchange.

type fixture struct {
	*testing.T
	ls      *library.Libraries
	api     *server.Server
	base    string // of the gateway
	trusted string // of the container's listener
	account *library.Account
	log     *lockedLog
}

type lockedLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{T: t, log: &lockedLog{}}
	var err error
	f.ls, err = library.Open(t.Context(), storetest.EmbeddedAt(t, t.TempDir()), library.Options{})
	f.must(err)
	f.account, _, err = f.ls.NewAccount(t.Context(), "wxowner", "secret")
	f.must(err)
	f.api = server.New(f.ls, server.Options{Log: slog.New(slog.NewTextHandler(f.log, nil))})
	f.base = f.serve(New(f.ls, f.api))
	f.trusted = f.serve(&Container{Libraries: f.ls, Server: f.api, Env: "env", Base: "http://ordinary"})
	return f
}

func (f *fixture) serve(h http.Handler) string {
	s := httptest.NewServer(h)
	f.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		s.Close()
	})
	return s.URL
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) env(allow ...string) *library.CloudEnv {
	f.Helper()
	e := &library.CloudEnv{ID: "env", Owner: "wxowner", Allow: allow, Methods: Methods()}
	f.must(f.ls.NewCloudEnv(f.Context(), e))
	return e
}

// request makes a call of get for a media_id.
func (f *fixture) request(e *library.CloudEnv, mediaID string) *http.Request {
	f.Helper()
	args, err := evidence.CloudArguments("", `{"media_id":"`+mediaID+`"}`)
	f.must(err)
	req, err := evidence.CloudCall{Env: e.ID, SecretID: e.SecretID, SecretKey: e.SecretKey, Ticket: e.Ticket, Method: Methods()[0],
		Message: args, Time: time.Now()}.Request(f.Context(), f.base)
	f.must(err)
	return req
}

// send gives status and body.
func (f *fixture) send(req *http.Request) (int, string) {
	f.Helper()
	res, err := http.DefaultClient.Do(req)
	f.must(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	f.must(err)
	return res.StatusCode, string(body)
}

// add stores an image.
func (f *fixture) add(data []byte) *library.Material {
	f.Helper()
	l := f.ls.Of(f.account)
	up, err := l.Receive(f.Context(), library.Permanent, wechat.Image, bytes.NewReader(data))
	f.must(err)
	m, err := l.Add(f.Context(), up, "a.png", "", "")
	f.must(err)
	return m
}

func (f *fixture) wantIn(body, want string) {
	f.Helper()
	if !strings.Contains(body, want) {
		f.Errorf("got %q, want %q in it", body, want)
	}
}

// A large image comes whole, and is nowhere whole in memory.
func TestLargeImageStreams(t *testing.T) {
	f := newFixture(t)
	e := f.env()
	picture := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"), make([]byte, 10<<20)...)[:10<<20]
	m := f.add(picture)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	res, err := http.DefaultClient.Do(f.request(e, m.MediaID))
	f.must(err)
	defer res.Body.Close()
	head := respHead(int64(len(picture)))
	got := make([]byte, len(head))
	_, err = io.ReadFull(res.Body, got)
	f.must(err)
	sum := sha256.New()
	_, err = io.CopyN(sum, res.Body, int64(len(picture)))
	f.must(err)
	tail, err := io.ReadAll(res.Body)
	f.must(err)
	runtime.ReadMemStats(&after)
	if !bytes.Equal(got, head) || [32]byte(sum.Sum(nil)) != sha256.Sum256(picture) || !bytes.Equal(tail, respTail("image/png")) {
		t.Errorf("head %x, tail %x, or other bytes", got, tail)
	}
	if res.ContentLength != int64(len(head)+len(picture)+len(tail)) {
		t.Errorf("Content-Length %d", res.ContentLength)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 2<<20 {
		t.Errorf("%d bytes were allocated for an image of %d", used, len(picture))
	}
}

// An environment works at once, its old keys end at once, and without any there is no
// gateway.
func TestEnvironmentComesAndGoes(t *testing.T) {
	f := newFixture(t)
	status := func(req *http.Request, want int) {
		t.Helper()
		if got, body := f.send(req); got != want {
			t.Errorf("status %d, want %d: %s", got, want, body)
		}
	}
	get := func() *http.Request {
		req, err := http.NewRequest(http.MethodGet, f.base+Path, nil)
		f.must(err)
		return req
	}
	status(get(), 404)
	status(f.request(&library.CloudEnv{ID: "env"}, "x"), 404)
	e := f.env()
	old := *e
	_, body := f.send(f.request(&old, "x"))
	f.wantIn(body, "40007")
	_, body = f.send(get())
	f.wantIn(body, "cloud calls are made by POST")
	_, body = f.send(f.request(&library.CloudEnv{ID: "env"}, "x"))
	f.wantIn(body, "secret id error")

	e, err := f.ls.RotateCloudEnv(f.Context(), "env")
	f.must(err)
	if e.SecretID == old.SecretID || e.SecretKey == old.SecretKey || e.Ticket == old.Ticket {
		t.Error("something stayed as it was")
	}
	_, body = f.send(f.request(&old, "x"))
	f.wantIn(body, "secret id error")
	_, body = f.send(f.request(e, "x"))
	f.wantIn(body, "40007")
	f.must(f.ls.RemoveCloudEnv(f.Context(), "env"))
	status(f.request(e, "x"), 404)
	e = f.env()
	f.must(f.ls.RemoveAccount(f.Context(), "wxowner"))
	status(f.request(e, "x"), 404)
}

// Trouble with the store is told as ours, without its words.
func TestTroubleIsOurs(t *testing.T) {
	f := newFixture(t)
	e := f.env()
	f.ls.Accounts = away{f.ls.Accounts}
	status, body := f.send(f.request(e, "x"))
	if status != 200 || !strings.HasPrefix(body, `{"code":"SYS_ERR","message":"system error","requestId":"`) {
		t.Errorf("%d %s", status, body)
	}
	f.wantIn(f.log.String(), `level=ERROR msg="cloud call refused" method=POST why="the store is away"`)
	req, err := http.NewRequest(http.MethodPost, f.trusted+"/cgi-bin/material/get_material", strings.NewReader("{}"))
	f.must(err)
	_, body = f.send(req)
	f.wantIn(body, `"errcode":-1,`)
}

type away struct{ library.Accounts }

func (away) CloudEnvBySecretID(context.Context, string) (*library.CloudEnv, error) {
	return nil, fmt.Errorf("the store is away")
}

func (away) CloudEnv(context.Context, string) (*library.CloudEnv, error) {
	return nil, fmt.Errorf("the store is away")
}

// Bodies that are not as agreed are refused, whatever their length.
func TestBodies(t *testing.T) {
	f := newFixture(t)
	e := f.env()
	for what, c := range map[string]struct {
		change func(*http.Request)
		want   string
	}{
		"too long": {func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(io.LimitReader(zeros{}, 3<<20)), -1 }, "longer than the 131072 bytes"},
		"no form":  {func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, "a multipart form is wanted"},
		"broken":   {func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") }, "the multipart form is broken"},
		"changed":  {func(r *http.Request) { r.Header.Set("X-Sdk-Version", "9") }, "signature error"},
	} {
		req := f.request(e, "x")
		c.change(req)
		status, body := f.send(req)
		if status != 200 {
			t.Errorf("%s: status %d", what, status)
		}
		f.wantIn(body, c.want)
	}
	_, body := f.send(f.request(e, strings.Repeat("x", 70<<10))) // more than HTTPS takes
	f.wantIn(body, `{"errcode":47001,"errmsg":"data format error"}`)
	for _, secret := range []string{e.SecretKey, e.Ticket} {
		if strings.Contains(f.log.String(), secret) || strings.Contains(fmt.Sprintf("%v %+v", e, *e), secret) {
			t.Error("a secret is shown")
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// A page in a browser on the same machine may not call by a name of its own; addresses
// in answers are those of the ordinary listener.
func TestContainerNames(t *testing.T) {
	f := newFixture(t)
	f.env()
	picture := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde")
	f.add(picture)
	const answer, refused = `"url":"http://ordinary/mmbiz`, "is called by its address"
	for host, want := range map[string]string{
		"": answer, "localhost:8081": answer, "LOCALHOST": answer, "localhost.": answer, "LocalHost.:8081": answer,
		"[::1]:8081": answer, "[::1]": answer, "127.0.0.1:8081": answer, "10.0.0.5": answer,
		"api.weixin.qq.com": answer, "API.WEIXIN.QQ.COM": answer, "api.weixin.qq.com.:80": answer, "api2.weixin.qq.com": answer,
		"sh.api.weixin.qq.com": answer, "sz.api.weixin.qq.com": answer, "hk.api.weixin.qq.com": answer,
		"evil.example.com": refused, "evil.example.com:8081": refused, "evil.example.com.": refused, "[evil.example.com]": refused,
		"api.weixin.qq.com.example.com": refused, "x.localhost": refused, "weixin.qq.com": refused, "localhost..": refused, "127.0.0.1.example.com": refused,
	} {
		req, err := http.NewRequest(http.MethodPost, f.trusted+"/cgi-bin/material/batchget_material", strings.NewReader(`{"type":"image","offset":0,"count":1}`))
		f.must(err)
		req.Host = host
		if _, body := f.send(req); !strings.Contains(body, want) {
			f.Errorf("Host %q: got %q, want %q in it", host, body, want)
		}
	}
}

// A call leaves the line of any call in the log; what was refused has one of its own. Both
// count, and neither holds what a caller mixed up.
func TestCallsInTheLog(t *testing.T) {
	m := metrics.New("x")
	f := newFixture(t)
	f.api = server.New(f.ls, server.Options{Log: slog.New(slog.NewTextHandler(f.log, nil)), Metrics: m})
	f.base = f.serve(New(f.ls, f.api))
	f.trusted = f.serve(&Container{Libraries: f.ls, Server: f.api, Env: "env", Base: "http://ordinary"})
	e := f.env()
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"), make([]byte, 1000)...)
	id := f.add(data).MediaID
	call := func(change func(c *evidence.CloudCall)) {
		t.Helper()
		args, err := evidence.CloudArguments("", `{"media_id":"`+id+`"}`)
		f.must(err)
		c := evidence.CloudCall{Env: e.ID, SecretID: e.SecretID, SecretKey: e.SecretKey, Ticket: e.Ticket, Method: Methods()[0], Message: args, Time: time.Now()}
		change(&c)
		req, err := c.Request(f.Context(), f.base)
		f.must(err)
		f.send(req)
	}
	call(func(*evidence.CloudCall) {})
	for _, secret := range []string{e.SecretKey, e.Ticket} {
		call(func(c *evidence.CloudCall) { c.Method = secret })
		call(func(c *evidence.CloudCall) { c.Action = secret })
		call(func(c *evidence.CloudCall) { c.Ticket = secret + "x" })
		call(func(c *evidence.CloudCall) { c.Env = secret })
		call(func(c *evidence.CloudCall) { c.SecretID = secret })
		call(func(c *evidence.CloudCall) { c.SecretKey = secret + "x" })
		call(func(c *evidence.CloudCall) { c.Message = []byte(secret) })
	}
	call(func(c *evidence.CloudCall) { c.Method = "officialAccount.draft.get" })
	req, err := http.NewRequest(http.MethodPost, f.trusted+"/cgi-bin/material/get_material", strings.NewReader(`{"media_id":"`+id+`"}`))
	f.must(err)
	f.send(req)
	req, err = http.NewRequest(http.MethodPost, f.trusted+"/cgi-bin/material/get_material", strings.NewReader("{}"))
	f.must(err)
	req.Host = "page.example.com"
	if status, _ := f.send(req); status != http.StatusForbidden {
		t.Errorf("by another name: %d", status)
	}

	var log string // its last line is written behind the last answer
	for end := time.Now().Add(20 * time.Second); !strings.Contains(log, "called by its address") && time.Now().Before(end); time.Sleep(time.Millisecond) {
		log = f.log.String()
	}
	f.wantIn(log, fmt.Sprintf("msg=call method=POST endpoint=get_material errcode=0 received=%d bytes=%d duration=", len(`{"media_id":"`+id+`"}`), len(data)))
	f.wantIn(log, `why="env: -604100 \"officialAccount.draft.get\"" path=/admin status=200`)
	if n := strings.Count(log, "msg=call"); n != 2 || strings.Count(log, "appid=wxowner") != 2 {
		t.Errorf("%d lines of calls:\n%s", n, log)
	}
	if n := strings.Count(log, `msg="cloud call refused"`); n != 16 || strings.Count(log, "rid=") != 18 {
		t.Errorf("%d lines of what was refused:\n%s", n, log)
	}
	for _, secret := range []string{e.SecretKey, e.Ticket} {
		if strings.Contains(log, secret) {
			t.Errorf("a secret is shown:\n%s", log)
		}
	}
	all, err := m.Gatherer().Gather()
	f.must(err)
	for _, family := range all {
		if family.GetName() == "sucai_cloud_call_refusals_total" && family.GetMetric()[0].GetCounter().GetValue() != 16 {
			t.Errorf("counted: %v", family)
		}
	}
}
