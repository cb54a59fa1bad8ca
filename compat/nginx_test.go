package compat

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// picture is a png of so many bytes, as far as sucai looks at it.
func picture(size int) []byte {
	data := make([]byte, size)
	rand.Read(data)
	copy(data, "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde")
	return data
}

// upload sends a picture as a form, half of it before the function half is called, and
// tells whether it was asked to go on.
func (a *api) upload(data []byte, half func()) (answer map[string]any, asked bool) {
	a.t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("media", "a.png")
	if err == nil {
		_, err = part.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		a.t.Fatal(err)
	}
	size := form.Len()
	body := io.MultiReader(io.LimitReader(&form, int64(size/2)), readerFunc(func([]byte) (int, error) { half(); return 0, io.EOF }), &form)
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(a.t.Context(), &httptrace.ClientTrace{Got100Continue: func() { asked = true }}),
		http.MethodPost, a.endpoint+"/cgi-bin/material/add_material?type=image&access_token="+a.token, body)
	if err != nil {
		a.t.Fatal(err)
	}
	req.ContentLength = int64(size)
	req.Header.Set("Content-Type", w.FormDataContentType())
	req.Header.Set("Expect", "100-continue")
	return a.read(a.client.Do(req)), asked
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// bytes gives an answer that is bytes.
func (a *api) bytes(res *http.Response, err error) []byte {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		a.t.Fatalf("%s, %v: %.80q", res.Status, err, data)
	}
	return data
}

// material gives the bytes of get_material.
func (a *api) material(id any) []byte {
	a.t.Helper()
	args, err := json.Marshal(map[string]any{"media_id": id})
	if err != nil {
		a.t.Fatal(err)
	}
	return a.bytes(a.client.Post(a.endpoint+"/cgi-bin/material/get_material?access_token="+a.token, "application/json", bytes.NewReader(args)))
}

// Behind nginx everything is as it is without: calls by https alone, uploads that stream,
// addresses with the scheme and port by which the caller came, callers told apart.
func TestNginx(t *testing.T) {
	data := t.TempDir()
	node := serve(t, "--demo", "--data", data, "--trust-proxy", "127.0.0.1", "--require-https")
	f := startNginx(t, node, "http://"+freeAddress(t)) // of two nodes one is away
	a := f.api(t, "127.0.0.3")
	a.login(demoAppID, demoSecret)

	if !slices.ContainsFunc(a.list("voice", 0), func(it map[string]any) bool {
		return same(a.material(it["media_id"]), demoFile(t, "evening-ferry.mp3")) == nil
	}) {
		t.Error("no voice has the bytes of evening-ferry.mp3")
	}
	large := picture(10 << 20)
	added, asked := a.upload(large, func() {
		until(t, "sucai has what was sent so far", func() error {
			files, err := filepath.Glob(filepath.Join(data, "blobs", "tmp", "put-*"))
			if err != nil || len(files) != 1 {
				return fmt.Errorf("%q, %v", files, err)
			}
			info, err := os.Stat(files[0])
			if err == nil && info.Size() < 4<<20 {
				err = fmt.Errorf("%d bytes", info.Size())
			}
			return err
		})
	})
	if !asked {
		t.Error("Expect: 100-continue was not answered")
	}
	if got := a.material(added["media_id"]); !bytes.Equal(got, large) {
		t.Errorf("%d bytes came back of an upload of %d", len(got), len(large))
	}
	address, _ := added["url"].(string)
	if !strings.HasPrefix(address, f.secure+"/") {
		t.Fatalf("the address of what came by %s is %q", f.secure, address)
	}
	if got := a.bytes(a.client.Get(address)); !bytes.Equal(got, large) {
		t.Errorf("%d bytes at the public address", len(got))
	}
	tooLarge, _ := a.upload(picture(11<<20), func() {})
	if fmt.Sprint(tooLarge["errcode"]) != "40009" {
		t.Errorf("an upload of 11 MB: %v", tooLarge)
	}

	// By http, whatever the caller claims.
	for _, claimed := range []string{"", "https"} {
		req, err := http.NewRequest(http.MethodGet, f.plain+"/cgi-bin/material/get_materialcount?access_token="+a.token, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-Proto", claimed)
		if answer := a.read(a.client.Do(req)); fmt.Sprint(answer["errcode"]) != "43003" {
			t.Errorf("by http, claiming %q: %v", claimed, answer)
		}
	}
	if got := a.bytes(a.client.Get(strings.Replace(address, f.secure, f.plain, 1))); !bytes.Equal(got, large) {
		t.Errorf("%d bytes at the public address by http", len(got))
	}

	out, err := exec.Command(program, "account", "set", demoAppID, "whitelist=127.0.0.3", "--data", data).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	other := f.api(t, "127.0.0.4")
	until(t, "another address is refused", func() error {
		req, err := http.NewRequest(http.MethodGet, f.secure+"/cgi-bin/material/get_materialcount?access_token="+a.token, nil)
		if err != nil {
			return err
		}
		req.Header.Set("X-Forwarded-For", "127.0.0.3")
		if answer := other.read(other.client.Do(req)); fmt.Sprint(answer["errcode"]) != "40164" || !strings.Contains(fmt.Sprint(answer["errmsg"]), "127.0.0.4") {
			return fmt.Errorf("%v", answer)
		}
		return nil
	})
	if counts := a.get("/cgi-bin/material/get_materialcount?access_token=" + a.token); counts["image_count"] == nil {
		t.Errorf("the address of the whitelist: %v", counts)
	}

	for path, want := range map[string]int{
		"/_sucai/health": 200, "/_sucai/openapi.json": 200, "/": 200,
		"/_sucai/metrics": 404, "/_sucai/ready": 404, "//_sucai/ready": 404, "/%5Fsucai/ready": 404, "/x/../_sucai/ready": 404, "/_sucai/./ready": 404,
	} {
		if got := status(t, &a.client, f.secure+path); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	if got := status(t, &a.client, node+"/_sucai/ready"); got != 200 {
		t.Errorf("/_sucai/ready without nginx: %d", got)
	}

	for _, name := range []string{"access.log", "error.log"} {
		log, err := os.ReadFile(filepath.Join(f.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(log, []byte(a.token)) || bytes.Contains(log, []byte(demoSecret)) {
			t.Errorf("%s holds a token or a secret:\n%s", name, log)
		}
		if name == "access.log" && !bytes.Contains(log, []byte("127.0.0.3 [")) {
			t.Errorf("no call is in %s:\n%s", name, log)
		}
	}
}

func status(t *testing.T, c *http.Client, address string) int {
	t.Helper()
	res, err := c.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// What may have been done is not sent again; what only reads is asked for at the other
// node; and where none answers, the API says so in its own words.
func TestNginxAsksAgain(t *testing.T) {
	var posts, reads atomic.Int32
	broken := func() string { // takes a request, and breaks off
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if io.Copy(io.Discard, r.Body); r.Method == http.MethodPost {
				posts.Add(1)
			} else {
				reads.Add(1)
			}
			panic(http.ErrAbortHandler)
		}))
		t.Cleanup(s.Close)
		return s.URL
	}
	f := startNginx(t, broken(), broken())
	a := f.api(t, "127.0.0.1")
	if answer := a.post("add_news", map[string]any{}); fmt.Sprint(answer) != "map[errcode:-1 errmsg:system error]" {
		t.Errorf("no node: %v", answer)
	}
	if n := posts.Load(); n != 1 {
		t.Errorf("a POST was sent %d times", n)
	}
	if got := status(t, &a.client, f.secure+"/mmbiz_png/key/0"); got != http.StatusServiceUnavailable {
		t.Errorf("a picture that no node can send: %d", got)
	}
	if n := reads.Load(); n != 2 {
		t.Errorf("a picture was asked for %d times", n)
	}
}

// A machine that is gone takes no connection and refuses none. Its calls go to the other
// node: nothing of them was sent yet.
func TestNginxLeavesTheGone(t *testing.T) {
	healthy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"errcode":0,"errmsg":"ok"}`)
	}))
	defer healthy.Close()
	f := startNginx(t, gone(t), healthy.URL)
	a := f.api(t, "127.0.0.1")
	for range 6 {
		if answer := a.post("add_news", map[string]any{}); fmt.Sprint(answer) != "map[errcode:0 errmsg:ok]" {
			t.Errorf("beside a healthy node: %v", answer)
		}
	}
}

// gone gives an address that answers nothing: its queue of new connections is full.
func gone(t *testing.T) string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	at, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", at.(*syscall.SockaddrInet4).Port)
	for range 10 {
		c, err := net.DialTimeout("tcp", address, 300*time.Millisecond)
		if err != nil {
			return "http://" + address
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Fatal("it takes all connections")
	return ""
}
