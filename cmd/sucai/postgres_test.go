package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// Two servers on one database and one bucket are one service: what one was
// told, the other knows.
func TestServersShareADatabase(t *testing.T) {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SUCAI_DB=" + storetest.Postgres(t), "SUCAI_BLOBS=" + storetest.S3(t)}
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	sucai := func(args ...string) (string, error) {
		cmd := exec.Command(binary(t), args...)
		cmd.Env, cmd.Dir = env, t.TempDir()
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := sucai("account", "ls"); err == nil || !strings.Contains(out, "there is no store: what sucai keeps in the database of --db is missing") {
		t.Fatalf("a list of nothing: %v\n%s", err, out)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	must(t, os.WriteFile(secret, []byte("s1"), 0o600))
	if out, err := sucai("account", "add", "wxone", "--secret-file", secret); err != nil || !strings.Contains(out, "making a new store") {
		t.Fatalf("%v\n%s", err, out)
	}
	var nodes [2]*process
	for i := range nodes {
		p, err := startServer(binary(t), env, t.TempDir())
		must(t, err)
		defer p.kill()
		nodes[i] = p
	}
	one, two := newClientFor(nodes[0]), newClientFor(nodes[1])
	defer one.HTTP.CloseIdleConnections()
	defer two.HTTP.CloseIdleConnections()
	picture := fixtures[".png"]
	added, err := one.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(picture)})
	must(t, err)
	got, err := two.GetMaterial(t.Context(), added.MediaID)
	must(t, err)
	defer got.File.Body.Close()
	if data, err := io.ReadAll(got.File.Body); err != nil || !bytes.Equal(data, picture) {
		t.Fatalf("the other gives %d bytes, %v", len(data), err)
	}
	must(t, two.DelMaterial(t.Context(), added.MediaID))
	n, err := one.GetMaterialCount(t.Context())
	must(t, err)
	if n.Image != 0 {
		t.Errorf("%d are left", n.Image)
	}
	if out, err := sucai("account", "ls"); err != nil || !strings.HasPrefix(out, "wxone") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, p := range nodes {
		must(t, p.stop())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPasswordInAnAddress(t *testing.T) {
	for address, want := range map[string]bool{
		"postgres://host/db":                       false,
		"postgres://host:5432/db":                  false,
		"postgres://me@host:5432/db?sslmode=a":     false,
		"postgres://me@one:1,two:2/db":             false,
		"postgres:///db?host=/tmp":                 false,
		"postgres://me:x@host/db":                  true,
		"postgres://me:a/b@host/db":                true,
		"postgres://me:x@one:1,two:2/db":           true,
		"postgres://host/db?password=x":            true,
		"postgres://host/db?user=me&sslpassword=x": true,
		"postgres://host/db?password=%zz":          true,
	} {
		if got := hasPassword(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
