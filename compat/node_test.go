package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"
)

// coWechatAPI runs node/drive.js, which reports the steps.
func coWechatAPI(r *run) {
	node, npm := tool(r.T, "node"), tool(r.T, "npm")
	installModules(r.T, npm, "node")
	args, err := json.Marshal(map[string]string{
		"endpoint": r.endpoint, "appID": appID, "secret": secret,
		"image": r.image, "voice": r.voice, "video": r.video, "thumb": r.thumb,
	})
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "drive.js", string(args))
	cmd.Dir = "node"
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil {
		r.Fatalf("node: %v\n%s", err, &stderr)
	}
	for line := range bytes.Lines(stdout) {
		var report struct{ Step, Error string }
		if err := json.Unmarshal(line, &report); err != nil {
			r.Fatalf("%s: %v", line, err)
		}
		var err error
		if report.Error != "" {
			err = errors.New(report.Error)
		}
		r.record(report.Step, err)
	}
	r.lacks("stable token")
}

// installModules makes node_modules of a directory what its package-lock.json says.
func installModules(t *testing.T, npm, dir string) {
	t.Helper()
	lock, err := os.ReadFile(dir + "/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(lock, []byte(`"resolved"`)) {
		t.Fatal(dir + "/package-lock.json holds download addresses, which bind it to one registry: npm install --omit-lockfile-registry-resolved")
	}
	installed := dir + "/node_modules/.sucai-lock.json" // the lock file that node_modules was made from
	if have, err := os.ReadFile(installed); err == nil && bytes.Equal(have, lock) {
		return
	}
	var out []byte
	for range 2 { // a download may fail
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		cmd.Dir = dir
		out, err = cmd.CombinedOutput()
		cancel()
		if err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	if err := os.WriteFile(installed, lock, 0o644); err != nil {
		t.Fatal(err)
	}
}
