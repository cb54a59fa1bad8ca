package main

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The walk through docs/third-party.md is one session at the shell, beside the receiver
// that stands there.
func TestThirdPartyDocs(t *testing.T) {
	t.Parallel()
	const name, callback = "docs/third-party.md", "127.0.0.1:9000"
	data, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	text := strings.ReplaceAll(string(data), callback, address)
	program := regexp.MustCompile("(?s)```go\n(.*?)```").FindStringSubmatch(text)
	if program == nil {
		t.Fatalf("%s: no receiver", name)
	}
	dir := t.TempDir()
	received := runReceiver(t, dir, address, program[1])
	var session strings.Builder
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(text, -1) {
		session.WriteString(block[1])
	}
	if session.Len() == 0 {
		t.Fatalf("%s: no transcript", name)
	}
	if !strings.Contains(text, "sucai serve --demo\n") {
		t.Errorf("%s does not say how the server is started", name)
	}
	if err := demoData(binary(t), dir, "sucai-data"); err != nil {
		t.Fatal(err)
	}
	p, err := startServer(binary(t), os.Environ(), dir, "--demo")
	if err != nil {
		t.Fatal(err)
	}
	transcript(t, name, session.String(), p.endpoint, dir)
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if got := received(); !strings.Contains(got, "POST /wechat: ") {
		t.Errorf("the receiver prints %q", got)
	}
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// runReceiver runs a program that listens at an address. What it gives ends the program
// and tells what it printed.
func runReceiver(t *testing.T, dir, address, program string) (printed func() string) {
	t.Helper()
	source, path := filepath.Join(dir, "receiver.go"), filepath.Join(dir, "receiver")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", path, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out strings.Builder
	cmd := exec.Command(path)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	printed = func() string {
		cmd.Process.Kill()
		cmd.Wait()
		return out.String()
	}
	t.Cleanup(func() { printed() })
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Get("http://" + address + "/ready")
		if err == nil {
			res.Body.Close()
			return printed
		}
		if time.Now().After(end) {
			t.Fatalf("the receiver does not listen: %v", err)
		}
	}
}
