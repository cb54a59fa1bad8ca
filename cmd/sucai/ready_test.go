package main

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// gate stands on the way to a store. While it is shut it cuts connections, or lets them
// hang.
type gate struct {
	listener net.Listener
	store    string

	mu    sync.Mutex
	state gateState
	conns map[net.Conn]bool
}

type gateState int

const (
	opened gateState = iota
	shut
	hanging
)

// newGate gives a gate to the host of an address, and the host that it has itself.
func newGate(t *testing.T, store string) (*gate, string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	g := &gate{listener: l, store: store, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { g.pass(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		g.set(shut)
		wg.Wait()
	})
	return g, l.Addr().String()
}

// set changes the gate for connections that are there and that come.
func (g *gate) set(state gateState) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = state
	if state != hanging {
		for c := range g.conns {
			c.Close()
		}
		clear(g.conns)
	}
}

// take has a connection cut when the gate changes; false where the gate is shut.
func (g *gate) take(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == shut {
		c.Close()
		return false
	}
	g.conns[c] = true
	return true
}

func (g *gate) isHanging() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state == hanging
}

func (g *gate) pass(c net.Conn) {
	defer c.Close()
	if !g.take(c) {
		return
	}
	store, err := net.Dial("tcp", g.store)
	if err != nil {
		return
	}
	defer store.Close()
	if !g.take(store) {
		return
	}
	var wg sync.WaitGroup
	carry := func(to, from net.Conn) {
		defer to.Close()
		buf := make([]byte, 32<<10)
		for {
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			if g.isHanging() {
				continue // it is lost
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
	wg.Go(func() { carry(store, c) })
	wg.Go(func() { carry(c, store) })
	wg.Wait()
}

// Of a server on PostgreSQL and S3, readiness tells which is away, whether it refuses or
// hangs, and that it is back; nothing else of them is shown, and nowhere the password.
func TestReadyOutgrown(t *testing.T) {
	const password = "hunter2-of-the-database"
	db, err := url.Parse(storetest.Postgres(t))
	must(t, err)
	database, host := newGate(t, db.Host)
	db.Host, db.User = host, url.UserPassword(db.User.Username(), password)
	bucket, err := url.Parse(storetest.S3(t))
	must(t, err)
	query := bucket.Query()
	endpoint, err := url.Parse(query.Get("endpoint"))
	must(t, err)
	blobs, host := newGate(t, endpoint.Host)
	endpoint.Host = host
	query.Set("endpoint", endpoint.String())
	bucket.RawQuery = query.Encode()

	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SUCAI_DB=" + db.String(), "SUCAI_BLOBS=" + bucket.String(), "SUCAI_ADMIN_KEY=" + testKey, "SUCAI_ACCOUNTS=wxone:s1"}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	p, err := startServer(binary(t), env, t.TempDir())
	must(t, err)
	defer p.kill()
	c := newClientFor(p)
	defer c.HTTP.CloseIdleConnections()
	added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(fixtures[".png"])})
	must(t, err)
	for range 4 { // from the second on it is kept in memory
		got, err := c.GetMaterial(t.Context(), added.MediaID)
		must(t, err)
		_, err = io.Copy(io.Discard, got.File.Body)
		must(t, err)
		got.File.Body.Close()
	}
	ask := func(path string) (int, string) {
		t.Helper()
		res, err := http.Get(p.endpoint + path)
		must(t, err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		must(t, err)
		return res.StatusCode, string(body)
	}
	const ready = `{"status":"ok","database":"ok","blobs":"ok"}`
	until := func(want string, wantStatus int, databaseGate, blobsGate gateState) {
		t.Helper()
		database.set(databaseGate)
		blobs.set(blobsGate)
		status, body := ask("/_sucai/ready")
		for end := time.Now().Add(time.Minute); body != want && time.Now().Before(end); status, body = ask("/_sucai/ready") {
			time.Sleep(50 * time.Millisecond)
		}
		if status != wantStatus || body != want {
			t.Fatalf("gates %v and %v: %d %s, want %s", databaseGate, blobsGate, status, body, want)
		}
	}
	for _, c := range []struct {
		database, blobs gateState
		body            string
	}{
		{shut, opened, `{"status":"unavailable","database":"unavailable","blobs":"ok"}`},
		{opened, shut, `{"status":"unavailable","database":"ok","blobs":"unavailable"}`},
		{hanging, opened, `{"status":"unavailable","database":"unavailable","blobs":"ok"}`},
		{opened, hanging, `{"status":"unavailable","database":"ok","blobs":"unavailable"}`},
		{hanging, hanging, `{"status":"unavailable","database":"unavailable","blobs":"unavailable"}`},
	} {
		until(ready, 200, opened, opened)
		until(c.body, 503, c.database, c.blobs)
		if status, body := ask("/_sucai/health"); status != 200 || body != `{"status":"ok"}` {
			t.Errorf("%v: health is %d %s", c, status, body)
		}
	}
	out, err := exec.Command(binary(t), "wait", p.endpoint, "--timeout", "8s").CombinedOutput()
	if err == nil || !strings.HasSuffix(string(out), "not there: the database and the blobs\n") {
		t.Errorf("wait says %s, %v", out, err)
	}
	database.set(opened)
	blobs.set(opened)
	all := figures(t, p.endpoint)
	for _, labels := range [][]string{{"store=database", "operation=read", "outcome=error"}, {"store=blobs", "operation=ready", "outcome=error"}} {
		if figure(all, "sucai_store_call_duration_seconds", labels...) == 0 {
			t.Errorf("no errors in %v", labels)
		}
	}
	const cached = "cache=blobs"
	if hits, misses := figure(all, "sucai_cache_hits_total", cached), figure(all, "sucai_cache_misses_total", cached); hits < 1 || misses < 1 || figure(all, "sucai_cache_bytes", cached) <= 512 {
		t.Errorf("the cache of blobs: %v hits, %v misses, %v bytes", hits, misses, figure(all, "sucai_cache_bytes", cached))
	}
	if n := figure(all, "sucai_database_connections_max", "pool=all"); n != 16 {
		t.Errorf("at most %v connections", n)
	}
	must(t, p.stop())
	for _, secret := range []string{password, testKey, os.Getenv("AWS_SECRET_ACCESS_KEY")} {
		if secret != "" && strings.Contains(p.err.String()+p.printed(), secret) {
			t.Error("a secret is shown")
		}
	}
	if !strings.Contains(p.err.String(), "the database is away: ") || !strings.Contains(p.err.String(), "the blobs are away: ") {
		t.Errorf("the log has\n%s", p.err)
	}
}
