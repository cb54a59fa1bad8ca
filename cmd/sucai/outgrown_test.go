package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"sucai/internal/library/storetest"
)

// keyNames are the variables that hold the credentials of a bucket.
var keyNames = []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}

// outgrown is the environment in which sucai finds a store on PostgreSQL and S3.
type outgrown struct{ env map[string]string }

func newOutgrown(t *testing.T) *outgrown {
	o := &outgrown{env: map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": t.TempDir(), "SUCAI_DB": storetest.Postgres(t), "SUCAI_BLOBS": storetest.S3(t),
	}}
	for _, name := range keyNames {
		if v := os.Getenv(name); v != "" {
			o.env[name] = v
		}
	}
	return o
}

// with gives the environment for a process, with what is other.
func (o *outgrown) with(other map[string]string) (env []string) {
	all := maps.Clone(o.env)
	maps.Copy(all, other)
	for name, value := range all {
		env = append(env, name+"="+value)
	}
	return env
}

// beside gives the addresses of the store's two halves, and the environment of a program
// whose own store is elsewhere.
func (o *outgrown) beside() (db, bucket string, env []string) {
	env = o.with(map[string]string{"SUCAI_DB": "", "SUCAI_BLOBS": ""})
	return o.env["SUCAI_DB"], o.env["SUCAI_BLOBS"], slices.Clip(env)
}

// failure is a command that exited with another status than 0.
type failure struct {
	status         int
	stdout, stderr string
}

func (f *failure) Error() string { return fmt.Sprintf("status %d: %s", f.status, f.stderr) }

// run runs a command to its end, and gives what it printed; a *failure tells that of one
// that failed. A server that starts is ended after a while, which is another error.
func (o *outgrown) run(t *testing.T, other map[string]string, args ...string) (printed string, err error) {
	cmd := exec.Command(binary(t), args...)
	cmd.Env, cmd.Dir = o.with(other), t.TempDir()
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return "", err
	}
	late := time.AfterFunc(startTime, func() { cmd.Process.Kill() })
	defer late.Stop()
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		err = &failure{exit.ExitCode(), stdout.String(), stderr.String()}
	}
	return strings.TrimSpace(stdout.String()), err
}
