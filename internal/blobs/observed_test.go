package blobs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"sucai/internal/library"
)

// told is what an observer was told last; op is -1 where it was nothing.
type told struct {
	op   library.Operation
	took time.Duration
	err  error
}

// Each call is told with its outcome; of what was the caller's fault or wish, nothing is.
func TestObserved(t *testing.T) {
	root := t.TempDir()
	dir, err := OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := dir.Claim(t.Context(), "store", true); err != nil {
		t.Fatal(err)
	}
	var last told
	b := Observed(dir, func(op library.Operation, took time.Duration, err error) { last = told{op, took, err} })
	check := func(what string, op library.Operation, want error) {
		t.Helper()
		if last.op != op || !errors.Is(last.err, want) || (want == nil) != (last.err == nil) {
			t.Errorf("%s: told %v, want %v, %v", what, last, op, want)
		}
		last = told{op: -1}
	}
	accept := func(io.ReaderAt, int64) error { return nil }
	last.op = -1

	// A body that comes slowly is not the store's time.
	slow := io.MultiReader(strings.NewReader("a"), readerFunc(func([]byte) (int, error) { time.Sleep(300 * time.Millisecond); return 0, io.EOF }))
	start := time.Now()
	blob, err := b.Put(t.Context(), slow, accept)
	if err != nil || last.took > time.Since(start)-300*time.Millisecond {
		t.Errorf("%v; told of %s of %s", err, last.took, time.Since(start))
	}
	check("Put", library.BlobPut, nil)
	broken, refused := errors.New("broken"), errors.New("refused")
	if _, err := b.Put(t.Context(), iotest.ErrReader(broken), accept); err != broken {
		t.Error(err)
	}
	check("Put of what breaks off", -1, nil)
	if _, err := b.Put(t.Context(), bytes.NewReader(nil), func(io.ReaderAt, int64) error { return refused }); err != refused {
		t.Error(err)
	}
	check("Put of what is refused", -1, nil)

	r, err := b.Open(t.Context(), blob.Name, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.(*os.File); !ok {
		t.Errorf("Open hands out a %T", r)
	}
	r.Close()
	check("Open", library.BlobOpen, nil)
	if _, err := b.Open(t.Context(), strings.Repeat("0", 64)+"-00000000", 0, 1); err != library.ErrNotFound {
		t.Error(err)
	}
	check("Open of nothing", library.BlobOpen, library.ErrNotFound)

	if names, next, err := b.List(t.Context(), "", time.Now().Add(time.Hour)); err != nil || next != "" || !slices.Equal(names, []string{blob.Name}) {
		t.Errorf("%v, then %q, %v", names, next, err)
	}
	check("List", library.BlobList, nil)
	if err := b.Remove(t.Context(), blob.Name); err != nil {
		t.Error(err)
	}
	check("Remove", library.BlobRemove, nil)
	if err := b.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	check("Ready", library.BlobReady, nil)

	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if err := b.Ready(t.Context()); err == nil {
		t.Error("ready, with its directory gone")
	}
	check("Ready of nothing", library.BlobReady, os.ErrNotExist)
	if _, err := b.Put(t.Context(), strings.NewReader("a"), accept); err == nil {
		t.Error("put where there is no directory")
	}
	check("Put into nothing", library.BlobPut, os.ErrNotExist)
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := b.Put(left, strings.NewReader("a"), accept); err == nil {
		t.Error("put for who has left")
	}
	check("Put for who has left", -1, nil)
}

type readerFunc func([]byte) (int, error)

func (fn readerFunc) Read(p []byte) (int, error) { return fn(p) }
