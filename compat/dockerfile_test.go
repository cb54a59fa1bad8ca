package compat

import (
	"bytes"
	"crypto/x509"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// command is a program of the image, run with nothing but the image around it, by the
// image's user. Who is not root becomes that user in a namespace.
func (m *built) command(args []string, env ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", append(slices.Clone(m.env), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: m.root}
	if os.Getuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: m.uid, Gid: m.uid}
	} else {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: int(m.uid), HostID: os.Getuid(), Size: 1}}
	}
	return cmd
}

// The image is the program and what it needs, runs as nobody, writes to its volumes
// alone, and tells of its own health.
func TestDockerfile(t *testing.T) {
	m := build(t)
	binary, err := elf.Open(filepath.Join(m.root, m.entrypoint[0]))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	for _, p := range binary.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Error("the program is not static")
		}
	}
	roots, err := os.ReadFile(filepath.Join(m.root, "etc/ssl/certs/ca-certificates.crt"))
	if err != nil || !x509.NewCertPool().AppendCertsFromPEM(roots) {
		t.Errorf("certificates to believe: %v", err)
	}
	if os.Getuid() == 0 {
		m.writes(t)
	}
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	for _, e := range m.env {
		if data, ok := strings.CutPrefix(e, "SUCAI_DATA="); ok && !slices.Contains(m.volumes, data) {
			t.Errorf("%s is not among the volumes %q", data, m.volumes)
		}
	}
	if !slices.Contains(m.env, "SUCAI_LISTEN=0.0.0.0:8080") || !slices.Equal(m.ports, []string{"8080"}) {
		t.Errorf("it exposes %q and has %q", m.ports, m.env)
	}
	if m.health[0] != "CMD" {
		t.Fatalf("HEALTHCHECK %q", m.health)
	}
	healthy := func() error {
		args := slices.Clone(m.health[1:])
		for i := range args {
			args[i] = strings.Replace(args[i], ":8080", ":"+port, 1)
		}
		if out, err := m.command(args).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}

	var log bytes.Buffer
	serve := m.command(slices.Concat(m.entrypoint, m.cmd), "SUCAI_LISTEN="+address, "SUCAI_ACCOUNTS="+appID+":"+secret, "TZ=Asia/Shanghai")
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve.Wait() }()
	defer func() { serve.Process.Kill() }()
	until(t, "healthy", healthy)
	a := newAPI(t, "http://"+address, appID, secret)
	added, _ := a.upload(picture(2<<20), func() {})
	article := map[string]any{"title": "t", "content": strings.Repeat("字", 19_000), "thumb_media_id": added["media_id"]}
	answer := a.post("add_news", map[string]any{"articles": slices.Repeat([]any{article}, 8)}) // so large that it waits in /tmp
	if got := a.material(answer["media_id"]); bytes.Count(got, []byte("字")) != 8*19_000 {
		t.Errorf("a large news: %v, %.80q", answer, got)
	}

	if m.stopSignal != "SIGTERM" {
		t.Errorf("STOPSIGNAL %s", m.stopSignal)
	}
	serve.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v\n%s", err, &log)
		}
	case <-time.After(time.Minute):
		t.Fatal("it does not end")
	}
	var exit *exec.ExitError
	if err := healthy(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("healthy without a server: %v", err)
	}
	now := time.Now().In(time.FixedZone("", 8*3600))
	if !regexp.MustCompile(now.Add(-time.Minute).Format("15:04") + "|" + now.Format("15:04")).Match(log.Bytes()) {
		t.Errorf("TZ is not heeded: at %s\n%s", now, &log)
	}
}

// writes checks that the image's user owns its volumes and nothing else.
func (m *built) writes(t *testing.T) {
	t.Helper()
	var own []string
	err := filepath.WalkDir(m.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == m.root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*syscall.Stat_t)
		rel := strings.TrimPrefix(name, m.root)
		if stat.Uid == m.uid {
			own = append(own, rel)
		} else if info.Mode().Perm()&0o022 != 0 {
			t.Errorf("%s can be written by others", rel)
		}
		return nil
	})
	if slices.Sort(own); err != nil || !slices.Equal(own, slices.Sorted(slices.Values(m.volumes))) {
		t.Errorf("the user owns %q, the volumes are %q, %v", own, m.volumes, err)
	}
}
