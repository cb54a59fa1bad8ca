package compat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// machine runs the services of the file as processes of this one, with their own
// environments and commands: only hosts, ports and places are others.
type machine struct {
	t       *testing.T
	project *types.Project
	s3      string // HOST:PORT
	db      string
	nodes   map[string]*node
}

type node struct {
	cmd   *exec.Cmd
	env   []string
	url   string
	log   bytes.Buffer // to be looked at when it has ended
	ended chan error
}

func startMachine(t *testing.T, env string) *machine {
	t.Helper()
	project, err := loadCompose(t, env)
	if err != nil {
		t.Fatal(err)
	}
	inNewStore(t, "outgrown") // for its PostgreSQL
	m := &machine{t: t, project: project, s3: freeAddress(t), db: os.Getenv("SUCAI_DB"), nodes: map[string]*node{}}
	m.startS3()
	for _, name := range []string{"node1", "node2"} {
		m.nodes[name] = m.startNode(name)
	}
	for name, n := range m.nodes {
		if out, err := exec.Command(program, "wait", n.url, "--timeout", "2m").CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	return m
}

func environment(s types.ServiceConfig, pairs ...string) (env []string) {
	for name, value := range s.Environment {
		env = append(env, name+"="+strings.NewReplacer(pairs...).Replace(*value))
	}
	return env
}

// startS3 makes the bucket and serves it, by the very commands of the file.
func (m *machine) startS3() {
	m.t.Helper()
	data := m.t.TempDir()
	local := func(words []string) (changed []string) {
		for _, w := range words {
			changed = append(changed, strings.NewReplacer("/data", data, "127.0.0.1:7070", m.s3, ":7070", m.s3).Replace(w))
		}
		return changed
	}
	s, bucket := m.project.Services["s3"], m.project.Services["bucket"]
	make := local(bucket.Entrypoint)
	if out, err := exec.Command(make[0], make[1:]...).CombinedOutput(); err != nil {
		m.t.Fatalf("%q: %v\n%s", make, err, out)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		m.t.Fatal(err)
	}
	_, version, _ := strings.Cut(s.Image, ":")
	cmd := exec.Command(tool(m.t, filepath.Join(cache, "sucai", "versitygw-"+version)), local(s.Command)...)
	cmd.Env = environment(s)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if m.t.Failed() {
			m.t.Logf("the S3 server says:\n%s", &log)
		}
	})
	test := local(s.HealthCheck.Test)
	until(m.t, "the S3 server is healthy", func() error {
		res, err := http.Get(test[len(test)-1])
		if err == nil {
			if res.Body.Close(); res.StatusCode != http.StatusOK {
				err = fmt.Errorf("%q answers %s", test, res.Status)
			}
		}
		return err
	})
}

func (m *machine) startNode(name string) *node {
	m.t.Helper()
	address := freeAddress(m.t)
	service := m.project.Services[name]
	proxy := *service.Environment["SUCAI_TRUST_PROXY"]
	n := &node{url: "http://" + address, ended: make(chan error, 1), env: append(
		environment(service, "postgres://sucai@postgres:5432/sucai?sslmode=disable", m.db, "http://s3:7070", "http://"+m.s3, proxy, "127.0.0.1"),
		"SUCAI_LISTEN="+address, "SUCAI_DATA="+m.t.TempDir())}
	n.cmd = exec.Command(program, append([]string{"serve"}, service.Command...)...)
	n.cmd.Env, n.cmd.Stderr = n.env, &n.log
	if err := n.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() { n.ended <- n.cmd.Wait() }()
	m.t.Cleanup(func() { n.cmd.Process.Kill() })
	return n
}

// end waits until a node has ended.
func (n *node) end(t *testing.T, limit time.Duration) error {
	t.Helper()
	select {
	case err := <-n.ended:
		return err
	case <-time.After(limit):
		t.Fatalf("a node does not end within %s", limit)
		return nil
	}
}

// The whole of it: PostgreSQL, S3, two nodes and nginx. A node that dies costs no call.
func TestComposeRuns(t *testing.T) {
	env, secrets := dotEnv(t)
	m := startMachine(t, env)
	first, second := m.nodes["node1"], m.nodes["node2"]
	f := startNginx(t, first.url, second.url)

	add := exec.Command(program, "account", "add")
	add.Env = first.env
	out, err := add.Output()
	if err != nil {
		t.Fatal(err)
	}
	account := regexp.MustCompile(`appid=(\S+)\s+secret=(\S+)`).FindSubmatch(out)
	if account == nil {
		t.Fatalf("account add prints %q", out)
	}
	a := f.api(t, "127.0.0.1")
	a.login(string(account[1]), string(account[2]))
	want := picture(300_000)
	added, _ := a.upload(want, func() {})
	check := func(when string) {
		t.Helper()
		for range 6 {
			if got := a.material(added["media_id"]); !bytes.Equal(got, want) {
				t.Fatalf("%s: %d bytes of %d: %.80q", when, len(got), len(want), got)
			}
			if more, _ := a.upload(picture(1000), func() {}); more["media_id"] == nil {
				t.Fatalf("%s: an upload: %v", when, more)
			}
		}
	}
	check("with both nodes")

	for at, want := range map[string]int{second.url: http.StatusOK, f.secure: http.StatusNotFound} {
		req, err := http.NewRequest(http.MethodGet, at+"/_sucai/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+secrets["SUCAI_ADMIN_KEY"])
		res, err := a.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != want {
			t.Errorf("metrics at %s: %s, want %d", at, res.Status, want)
		}
	}

	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	first.end(t, time.Minute)
	check("with a node killed")

	if err := second.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := second.end(t, time.Duration(*m.project.Services["node2"].StopGracePeriod)); err != nil {
		t.Errorf("node2 ends with %v", err)
	}
	if answer := a.get("/cgi-bin/material/get_materialcount?access_token=" + a.token); fmt.Sprint(answer["errcode"]) != "-1" {
		t.Errorf("without a node: %v", answer)
	}
	lines := 0
	for line := range strings.Lines(second.log.String()) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("%v in the log: %s", err, line)
		}
		lines++
	}
	for _, secret := range append(slices.Collect(maps.Values(secrets)), a.token, string(account[2])) {
		if lines < 6 || strings.Contains(second.log.String(), secret) {
			t.Errorf("%d lines, or a secret in the log:\n%s", lines, &second.log)
		}
	}
}
