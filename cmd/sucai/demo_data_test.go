package main

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sucai/internal/library/storetest"
)

// Making the demo library takes seconds, and under the race detector many: tests that are
// about something else start from a copy of one that was made once.
var madeDemo struct {
	sync.Mutex
	dir string // holds sucai-data; removed when all tests have run
}

// demoData puts a data directory with the demo library at dir/name.
func demoData(program, dir, name string) error {
	madeDemo.Lock()
	defer madeDemo.Unlock()
	if madeDemo.dir == "" {
		made, err := os.MkdirTemp("", "sucai-demo-*")
		if err != nil {
			return err
		}
		madeDemo.dir = made
		p, err := startServer(program, os.Environ(), made, "--demo")
		if err != nil {
			return err
		}
		if err := p.stop(); err != nil {
			return err
		}
	}
	return os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join(madeDemo.dir, "sucai-data")))
}

// tests removes what demoData made when all have run.
type tests struct{ *testing.M }

func (m tests) Run() int {
	defer func() {
		if madeDemo.dir != "" {
			os.RemoveAll(madeDemo.dir)
		}
	}()
	return storetest.Waiting{M: m.M}.Run()
}

// scriptDemo is "demodata NAME" in a session.
func scriptDemo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: demodata NAME")
	}
	path, err := lookPath(ts.Getenv("PATH"))
	ts.Check(err)
	ts.Check(demoData(path, ts.MkAbs("."), args[0]))
}
