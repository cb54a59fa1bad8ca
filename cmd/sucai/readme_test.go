package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The transcripts in the README are what the commands print. A … stands for something
// that differs each time.
func TestREADME(t *testing.T) {
	for _, name := range []string{"README.md", "README.zh-CN.md"} {
		readme, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		blocks := regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
		if len(blocks) == 0 {
			t.Errorf("%s: no transcript", name)
		}
		dir := t.TempDir()
		if err := demoData(binary(t), dir, "sucai-data"); err != nil {
			t.Fatal(err)
		}
		p, err := startServer(binary(t), os.Environ(), dir, "--demo")
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range blocks {
			transcript(t, name, block[1], p.endpoint, dir)
		}
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
}

func transcript(t *testing.T, name, text, endpoint, dir string) {
	t.Helper()
	var commands, wanted []string
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			commands, wanted = append(commands, command), append(wanted, "")
		} else {
			wanted[len(wanted)-1] += line
		}
	}
	script := ""
	for i, command := range commands {
		script += fmt.Sprintf("echo; echo @@%d\n%s", i, strings.ReplaceAll(command, "http://127.0.0.1:8080", endpoint))
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "SUCAI_ENDPOINT="+endpoint, "TZ=UTC")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	printed := regexp.MustCompile(`(?m)\n?^@@\d+\n`).Split(strings.ReplaceAll(string(out), endpoint, "http://127.0.0.1:8080"), -1)[1:]
	for i, command := range commands {
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(wanted[i])), "…", "[A-Za-z0-9_-]+") + "$"
		if !regexp.MustCompile(pattern).MatchString(strings.TrimSpace(printed[i])) {
			t.Errorf("%s: %s prints\n%s\nthe transcript has\n%s", name, strings.TrimSpace(command), printed[i], wanted[i])
		}
	}
}
