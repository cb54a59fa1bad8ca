// Package compat drives unmodified SDKs against the real program, and tries the files of
// deploy/ with the programs that they are for.
package compat

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const (
	appID  = "wxcompat0000000001"
	secret = "compat-secret"
)

var program string

// TestMain builds the program once.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "sucai-compat-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "sucai")
	build := exec.Command("go", "build", "-o", program, "./cmd/sucai")
	build.Dir, build.Stdout, build.Stderr = "..", os.Stdout, os.Stderr
	code := 1
	if build.Run() == nil {
		code = m.Run()
		endLender()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// serve runs the program for a test and gives its address.
func serve(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
	cmd.Env = append(os.Environ(), "SUCAI_ACCOUNTS="+appID+":"+secret)
	var log bytes.Buffer
	cmd.Stderr = &log
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(stdout)
	line, _ := r.ReadString('\n')
	read := make(chan struct{})
	go func() { io.Copy(io.Discard, r); close(read) }()
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("exit: %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", &log)
		}
	})
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		t.Fatalf("first line %q\n%s", line, &log)
	}
	return address
}

// tool gives the path of a program that a test needs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name) // not on everybody's way
	}
	if err != nil {
		missing(t, name+" is missing; `make test` installs it")
	}
	return path
}

// missing ends a test that lacks a program: it is skipped, but fails where CI is set.
func missing(t *testing.T, reason any) {
	t.Helper()
	if os.Getenv("CI") == "" {
		t.Skip(reason)
	}
	t.Fatal(reason)
}

// demoFile gives a file of the demo library.
func demoFile(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../cmd/sucai/demo/files", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}
