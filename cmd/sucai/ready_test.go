package main

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// Of a server on PostgreSQL and S3, readiness tells which is away, whether it refuses or
// hangs, and that it is back; nothing else of them is shown, and nowhere the password.
func TestReadyOutgrown(t *testing.T) {
	t.Parallel()
	const password = "hunter2-of-the-database"
	o := newOutgrown(t)
	db, err := url.Parse(o.env["SUCAI_DB"])
	must(t, err)
	database := storetest.NewProxy(t, db.Host)
	db.Host, db.User = database.Addr, url.UserPassword(db.User.Username(), password)
	bucket, err := url.Parse(o.env["SUCAI_BLOBS"])
	must(t, err)
	query := bucket.Query()
	endpoint, err := url.Parse(query.Get("endpoint"))
	must(t, err)
	blobs := storetest.NewProxy(t, endpoint.Host)
	endpoint.Host = blobs.Addr
	query.Set("endpoint", endpoint.String())
	bucket.RawQuery = query.Encode()
	env := o.with(map[string]string{"SUCAI_DB": db.String(), "SUCAI_BLOBS": bucket.String(), "SUCAI_ADMIN_KEY": testKey, "SUCAI_ACCOUNTS": "wxone:s1"})
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
	sound, refused, silent := storetest.Fault{}, storetest.Fault{Refuse: true}, storetest.Fault{Silent: true}
	set := func(at *storetest.Proxy, f storetest.Fault) {
		at.Set(f)
		if f.Refuse {
			at.CutAll()
		}
	}
	until := func(want string, wantStatus int, ofDatabase, ofBlobs storetest.Fault) {
		t.Helper()
		set(database, ofDatabase)
		set(blobs, ofBlobs)
		status, body := ask("/_sucai/ready")
		for end := time.Now().Add(time.Minute); body != want && time.Now().Before(end); status, body = ask("/_sucai/ready") {
			time.Sleep(50 * time.Millisecond)
		}
		if status != wantStatus || body != want {
			t.Fatalf("%+v and %+v: %d %s, want %s", ofDatabase, ofBlobs, status, body, want)
		}
	}
	for _, c := range []struct {
		database, blobs storetest.Fault
		body            string
	}{
		{refused, sound, `{"status":"unavailable","database":"unavailable","blobs":"ok"}`},
		{sound, refused, `{"status":"unavailable","database":"ok","blobs":"unavailable"}`},
		{silent, sound, `{"status":"unavailable","database":"unavailable","blobs":"ok"}`},
		{sound, silent, `{"status":"unavailable","database":"ok","blobs":"unavailable"}`},
		{silent, silent, `{"status":"unavailable","database":"unavailable","blobs":"unavailable"}`},
	} {
		until(ready, 200, sound, sound)
		until(c.body, 503, c.database, c.blobs)
		if status, body := ask("/_sucai/health"); status != 200 || body != `{"status":"ok"}` {
			t.Errorf("%s: health is %d %s", c.body, status, body)
		}
	}
	out, err := exec.Command(binary(t), "wait", p.endpoint, "--timeout", "8s").CombinedOutput()
	if err == nil || !strings.HasSuffix(string(out), "not there: the database and the blobs\n") {
		t.Errorf("wait says %s, %v", out, err)
	}
	set(database, sound)
	set(blobs, sound)
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
