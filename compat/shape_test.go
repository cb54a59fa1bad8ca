package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// shapes are those of a store: SQLite and a directory, or PostgreSQL and S3.
var shapes = []string{"embedded", "outgrown"}

// inNewStore lets a test begin with nothing: each sucai that it runs, with whatever
// --data, has its store in that shape.
func inNewStore(t *testing.T, shape string) {
	t.Helper()
	if shape == "embedded" {
		return // as --data says
	}
	env, err := lentStore()
	if err != nil {
		missing(t, err)
	}
	for _, setting := range env {
		name, value, _ := strings.Cut(setting, "=")
		t.Setenv(name, value)
	}
}

// lender is the program that starts PostgreSQL and S3. It ends when its input is closed.
var lender struct {
	sync.Mutex
	begun  bool
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
	said   bytes.Buffer
}

func lentStore() (env []string, err error) {
	lender.Lock()
	defer lender.Unlock()
	if !lender.begun {
		lender.begun = true
		path := filepath.Join(filepath.Dir(program), "stores")
		build := exec.Command("go", "build", "-o", path, "./internal/library/storetest/stores")
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			return nil, errors.New(string(out))
		}
		cmd := exec.Command(path)
		cmd.Stderr = &lender.said
		if lender.input, err = cmd.StdinPipe(); err != nil {
			return nil, err
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		lender.output = bufio.NewReader(stdout)
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		lender.cmd = cmd
	}
	if lender.cmd == nil {
		return nil, errors.New("there are no PostgreSQL and S3: " + lender.said.String())
	}
	_, werr := io.WriteString(lender.input, "\n")
	line, rerr := lender.output.ReadBytes('\n')
	if err := errors.Join(werr, rerr); err != nil {
		endLender()
		return nil, errors.New("there are no PostgreSQL and S3: " + lender.said.String())
	}
	return env, json.Unmarshal(line, &env)
}

// endLender ends the servers.
func endLender() {
	if lender.cmd == nil {
		return
	}
	lender.input.Close()
	lender.cmd.Wait()
	lender.cmd = nil
}
