package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The walk through docs/third-party.md is one session at the shell.
func TestThirdPartyDocs(t *testing.T) {
	const name, callback = "docs/third-party.md", "http://127.0.0.1:9000"
	text, err := os.ReadFile("../../" + name)
	if err != nil {
		t.Fatal(err)
	}
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "success") }))
	defer receiver.Close()
	var session strings.Builder
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		session.WriteString(strings.ReplaceAll(block[1], callback, receiver.URL))
	}
	if session.Len() == 0 {
		t.Fatalf("%s: no transcript", name)
	}
	dir := t.TempDir()
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
}
