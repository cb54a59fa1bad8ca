package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// command runs this code as a user does.
func command(t *testing.T, endpoint, dir string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SUCAI_ENDPOINT="+endpoint, "SUCAI_APPID=wxone", "SUCAI_SECRET=s1")
	return cmd
}

// Whatever a server answers, what is no material never becomes a file.
func TestGetRefuses(t *testing.T) {
	const video = `{"title":"t","description":"","down_url":"BASE/film.mp4?vkey=1"}`
	for _, c := range []struct{ material, film, want string }{
		{"\ufeff" + `{"errcode":40007,"errmsg":"gone \u001b[2J"}`, "", `40007 gone \u001b[2J`},
		{"<html>log in", "", "no image, voice or video"},
		{"[]", "", "no image, voice or video"},
		{"", "", "empty"},
		{`{"title":"t","description":""}`, "", "no address"},
		{video, "<html>log in", "no image, voice or video"},
		{video, `{"errcode":40001,"errmsg":"late"}`, "40001 late"},
		{video, "too late", "no image, voice or video"},
		{video, string(fixtures[".mp4"]), ""},
		{string(fixtures[".gif"]), "", ""},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/cgi-bin/stable_token":
				io.WriteString(w, `{"access_token":"t","expires_in":7200}`)
			case "/film.mp4":
				w.Header().Set("Content-Type", "video/mp4")
				io.WriteString(w, c.film)
			default:
				w.Header().Set("Content-Type", "image/png")
				io.WriteString(w, strings.ReplaceAll(c.material, "BASE", "http://"+r.Host))
			}
		}))
		dir := t.TempDir()
		out, err := command(t, srv.URL, dir, "get", "a").CombinedOutput()
		srv.Close()
		files, e := os.ReadDir(dir)
		if e != nil {
			t.Fatal(e)
		}
		if (err == nil) != (c.want == "") || !strings.Contains(string(out), c.want) || (len(files) == 1) != (c.want == "") {
			t.Errorf("%q, %q: %v, %s, files %v", c.material, c.film, err, out, files)
		}
	}
}

// A directory that may not be read is told, and the rest goes on.
func TestPutUnreadable(t *testing.T) {
	p, err := startServer(binary(t), append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	dir, err := os.MkdirTemp("", "sucai-put-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	locked := filepath.Join(dir, "files", "locked")
	for _, err := range []error{
		os.MkdirAll(locked, 0o755),
		os.WriteFile(filepath.Join(locked, "b.png"), fixtures[".png"], 0o644),
		os.WriteFile(filepath.Join(dir, "files", "z.png"), fixtures[".png"], 0o644),
		os.Chmod(dir, 0o755),
		os.Chmod(locked, 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := command(t, p.endpoint, dir, "put", "files")
	if os.Getuid() == 0 {
		// Root reads everything: let nobody do it, who needs a program within reach.
		cmd.Path = filepath.Join(dir, "sucai")
		if err := os.Link(binary(t), cmd.Path); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	os.Chmod(locked, 0o755)
	for _, want := range []string{"sucai: put files/locked: permission denied\n", "file=files/z.png\n", "1 of 2 files were not uploaded"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, no %q in:\n%s", err, want, out)
		}
	}
}

// With --require-https a call comes by TLS, or a trusted proxy says that it did.
func TestRequireHTTPS(t *testing.T) {
	env := append(os.Environ(), "SUCAI_REQUIRE_HTTPS=true")
	for proxy, want := range map[string]string{"127.0.0.0/8": "41001", "10.0.0.0/8": "43003"} {
		p, err := startServer(binary(t), env, t.TempDir(), "--trust-proxy", proxy)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		for proto, want := range map[string]string{"https": want, "http": "43003", "": "43003"} {
			req, err := http.NewRequest(http.MethodPost, p.endpoint+"/cgi-bin/material/get_material", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("X-Forwarded-Proto", proto)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || !strings.Contains(string(body), fmt.Sprintf(`"errcode":%s,`, want)) {
				t.Errorf("trusting %s, %q: %s, %v", proxy, proto, body, err)
			}
		}
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
}

// The replacement answers our examples as curl does.
func TestCurlReplacement(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.Method, r.URL, body)
	}))
	defer srv.Close()
	link := filepath.Join(t.TempDir(), "curl")
	if err := os.Symlink(binary(t), link); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"GET /a?b=c ":       {"-s", srv.URL + "/a?b=c"},
		"POST /a {\"x\":1}": {srv.URL + "/a", "-d", `{"x":1}`},
		"POST /b y":         {"-s", srv.URL + "/b", "-d", "y"},
	} {
		out, err := exec.Command(link, args...).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%v: %q, %v; want %q", args, out, err, want)
		}
	}
}
