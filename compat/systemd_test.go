package compat

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// unit is what stands in unit files: the values of each setting, in their order.
type unit map[string][]string

func readUnit(t *testing.T, files ...string) unit {
	t.Helper()
	u := unit{}
	for _, name := range files {
		text, err := os.ReadFile(filepath.Join("../deploy", name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
				u[key] = append(u[key], value)
			}
		}
	}
	return u
}

// environment is that of the service, with other places.
func (u unit) environment(places ...string) (env []string) {
	for _, line := range u["Environment"] {
		for _, word := range regexp.MustCompile(`"[^"]*"|\S+`).FindAllString(line, -1) {
			env = append(env, strings.NewReplacer(places...).Replace(strings.Trim(word, `"`)))
		}
	}
	return env
}

// seconds reads a time such as 30s.
func seconds(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// command is the program with the arguments of a line of the unit.
func (u unit) command(t *testing.T, key string, env []string) *exec.Cmd {
	t.Helper()
	words := strings.Fields(u[key][0])
	if words[0] != "/usr/local/bin/sucai" {
		t.Fatalf("%s=%q", key, words)
	}
	cmd := exec.Command(program, words[1:]...)
	cmd.Env = env
	return cmd
}

// systemd finds nothing wrong with the unit, alone and as one of several nodes, and
// little that it could do to the machine: 2.0 of 10 at most.
func TestUnits(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	dir := t.TempDir()
	for _, place := range []string{"sucai.service", "sucai.service.d/outgrown.conf"} {
		text, err := os.ReadFile(filepath.Join("../deploy", filepath.Base(place)))
		if err != nil {
			t.Fatal(err)
		}
		mkdir(t, filepath.Dir(filepath.Join(dir, place)))
		if err := os.WriteFile(filepath.Join(dir, place), bytes.ReplaceAll(text, []byte("/usr/local/bin/sucai"), []byte(program)), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(analyze, "verify", "--man=no", "--recursive-errors=no", "sucai.service")
		cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
		if out, err := cmd.CombinedOutput(); err != nil || bytes.Contains(out, []byte("sucai")) { // units of the machine may have faults
			t.Errorf("with %s: %v\n%s", place, err, out)
		}
	}
	if out, err := exec.Command(analyze, "security", "--offline=yes", "--threshold=20", filepath.Join(dir, "sucai.service")).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	u := readUnit(t, "sucai.service", "outgrown.conf")
	for _, word := range u.environment() {
		if delay, ok := strings.CutPrefix(word, "SUCAI_DRAIN_DELAY="); ok && seconds(t, u["TimeoutStopSec"][0]) < seconds(t, delay)+15*time.Second {
			t.Errorf("a node is killed after %s, it may go on for %s and 15 s more", u["TimeoutStopSec"][0], delay)
		}
	}
}

// What the server does in its life is within what the unit allows it: system calls,
// memory that is never written to and run, the network's families.
func TestUnitAllowsEnough(t *testing.T) {
	u := readUnit(t, "sucai.service")
	allowed := systemCalls(t, "@system-service")
	for name := range systemCalls(t, "@privileged") {
		delete(allowed, name)
	}
	if !slices.Equal(u["SystemCallFilter"], []string{"@system-service", "~@privileged"}) {
		t.Fatalf("SystemCallFilter=%q", u["SystemCallFilter"])
	}

	trace, address := filepath.Join(t.TempDir(), "trace"), freeAddress(t)
	env := u.environment("%S", t.TempDir(), "127.0.0.1:8080", address)
	env = append(env, "SUCAI_ACCOUNTS="+appID+":"+secret)
	serve := u.command(t, "ExecStart", env)
	serve.Args = append([]string{"strace", "-f", "-qq", "-o", trace, serve.Path}, serve.Args[1:]...)
	serve.Path = tool(t, "strace")
	var log bytes.Buffer
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer serve.Wait()
	if out, err := u.command(t, "ExecStartPost", env).CombinedOutput(); err != nil {
		serve.Process.Kill()
		t.Fatalf("%v\n%s\n%s", err, out, &log)
	}
	a := newAPI(t, "http://"+address, appID, secret)
	want := picture(1 << 20)
	added, _ := a.upload(want, func() {})
	if got := a.material(added["media_id"]); !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d", len(got), len(want))
	}
	if a.post("del_material", map[string]any{"media_id": added["media_id"]})["errcode"] != 0.0 {
		t.Error("it is not deleted")
	}
	child, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", serve.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.Fields(string(child))[0])
	if err != nil {
		t.Fatal(err)
	}
	syscall.Kill(pid, syscall.SIGTERM)
	if err := serve.Wait(); err != nil {
		t.Errorf("it ends with %v\n%s", err, &log)
	}

	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(\w+)\((.*)`).FindAllSubmatch(text, -1) {
		name, args := string(m[1]), string(m[2])
		asRoot := name == "fchown" && os.Getuid() == 0 // of SQLite, which the unit's user is spared
		if used[name] = true; !allowed[name] && !asRoot {
			t.Errorf("the unit forbids %s(%s", name, args)
		}
		if strings.Contains(args, "PROT_EXEC") && (name == "mprotect" || strings.Contains(args, "PROT_WRITE")) {
			t.Errorf("MemoryDenyWriteExecute forbids %s(%s", name, args)
		}
		if family, _, _ := strings.Cut(args, ","); name == "socket" && !slices.Contains(strings.Fields(u["RestrictAddressFamilies"][0]), family) {
			t.Errorf("the unit forbids %s(%s", name, args)
		}
	}
	for _, name := range []string{"socket", "sendfile", "fsync", "mmap"} {
		if !used[name] {
			t.Errorf("no %s was seen: what was traced?", name)
		}
	}
}

// systemCalls are those of one of systemd's sets.
func systemCalls(t *testing.T, set string) map[string]bool {
	t.Helper()
	out, err := exec.Command(tool(t, "systemd-analyze"), "syscall-filter", set).Output()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		switch name := strings.TrimSpace(line); {
		case strings.HasPrefix(name, "@") && name != set:
			for inner := range systemCalls(t, name) {
				names[inner] = true
			}
		case name != "" && !strings.HasPrefix(name, "#") && name != set:
			names[name] = true
		}
	}
	return names
}

// A node takes its keys from the files that systemd hands it.
func TestUnitOfANode(t *testing.T) {
	u := readUnit(t, "sucai.service", "outgrown.conf")
	inNewStore(t, "outgrown")
	keys := t.TempDir()
	write := func(name, text string) {
		if !slices.ContainsFunc(u["LoadCredential"], func(c string) bool { return strings.HasPrefix(c, name+":/etc/sucai/") }) {
			t.Fatalf("%s is not among the keys %q", name, u["LoadCredential"])
		}
		if err := os.WriteFile(filepath.Join(keys, name), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	write("pgpass", "db.example.com:5432:sucai:sucai:PASSWORD\n")
	env := u.environment("%S", t.TempDir(), "%d", keys,
		"postgres://sucai@db.example.com:5432/sucai?sslmode=verify-full", os.Getenv("SUCAI_DB"), "s3://materials/sucai?region=eu-central-1", os.Getenv("SUCAI_BLOBS"))
	add := func() ([]byte, error) {
		cmd := exec.Command(program, "account", "add")
		cmd.Env = append(env, "AWS_EC2_METADATA_DISABLED=true")
		return cmd.CombinedOutput()
	}
	write("aws", fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", os.Getenv("AWS_ACCESS_KEY_ID"), "wrong"))
	if out, err := add(); err == nil {
		t.Errorf("with a wrong key: %s", out)
	}
	os.Remove(filepath.Join(keys, "aws"))
	write("aws", fmt.Sprintf("[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n", os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")))
	if out, err := add(); err != nil || !bytes.Contains(out, []byte("secret=")) {
		t.Errorf("%v\n%s", err, out)
	}
}
