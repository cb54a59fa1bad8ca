package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"sucai/internal/library"
)

func anything(io.ReaderAt, int64) error { return nil }

func putOpenRemove(t *testing.T, s *store) {
	content := bytes.Repeat([]byte("0123456789"), 30_000)
	var accepted []byte
	one, err := s.Blobs.Put(s.ctx, iotest.OneByteReader(bytes.NewReader(content[:100])), func(r io.ReaderAt, size int64) error {
		accepted = make([]byte, size)
		_, err := r.ReadAt(accepted, 0)
		return err
	})
	s.must(t, err)
	if !bytes.Equal(accepted, content[:100]) || one.Size != 100 {
		t.Fatalf("accept saw %q of %d", accepted, one.Size)
	}
	two, err := s.Blobs.Put(s.ctx, bytes.NewReader(content), anything)
	s.must(t, err)
	three, err := s.Blobs.Put(s.ctx, bytes.NewReader(content), anything)
	s.must(t, err)
	sum := fmt.Sprintf("%x-", sha256.Sum256(content))
	if !strings.HasPrefix(two.Name, sum) || len(two.Name) != len(sum)+8 || two.Name == three.Name {
		t.Fatalf("names %s and %s", two.Name, three.Name)
	}
	for _, c := range []struct{ offset, length int64 }{{0, int64(len(content))}, {7, 3}, {299_999, 1}, {300_000, 0}} {
		r, err := s.Blobs.Open(s.ctx, two.Name, c.offset, c.length)
		s.must(t, err)
		got := make([]byte, c.length)
		_, err = io.ReadFull(r, got)
		s.must(t, err)
		s.must(t, r.Close())
		if !bytes.Equal(got, content[c.offset:c.offset+c.length]) {
			t.Fatalf("%d bytes at %d differ", c.length, c.offset)
		}
	}
	if _, err := s.Blobs.Open(s.ctx, two.Name, 1, int64(len(content))); err == nil || err == library.ErrNotFound {
		t.Fatalf("a blob that is too short opens with %v", err)
	}
	s.must(t, s.Blobs.Remove(s.ctx, two.Name))
	s.must(t, s.Blobs.Remove(s.ctx, two.Name))
	_, err = s.Blobs.Open(s.ctx, two.Name, 0, 1)
	wantErr(t, err, library.ErrNotFound)
	r, err := s.Blobs.Open(s.ctx, three.Name, 0, 1)
	s.must(t, err)
	s.must(t, r.Close())
	for _, name := range []string{"", "x", "../STORE", "..", "aa/bb", "STORE", strings.Repeat("f", 64) + "-00000000"} {
		_, err := s.Blobs.Open(s.ctx, name, 0, 0)
		wantErr(t, err, library.ErrNotFound)
	}
	empty, err := s.Blobs.Put(s.ctx, strings.NewReader(""), anything)
	s.must(t, err)
	if empty.Size != 0 {
		t.Fatal("size of nothing")
	}
}

func putFails(t *testing.T, s *store) {
	own := errors.New("mine")
	_, err := s.Blobs.Put(s.ctx, io.MultiReader(strings.NewReader("begin"), iotest.ErrReader(own)), anything)
	wantErr(t, err, own)
	_, err = s.Blobs.Put(s.ctx, strings.NewReader("whole"), func(io.ReaderAt, int64) error { return own })
	wantErr(t, err, own)
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if _, err := s.Blobs.Put(ctx, strings.NewReader("x"), anything); !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	if names := s.listed(t, "", time.Now().Add(time.Hour)); len(names) > 0 {
		t.Errorf("left behind: %q", names)
	}
}

// listed gives the blobs behind one that were last written before a time, piece by piece.
func (s *store) listed(t *testing.T, after string, before time.Time) (names []string) {
	t.Helper()
	for more := true; more; more = after != "" {
		piece, next, err := s.Blobs.List(s.ctx, after, before)
		s.must(t, err)
		names, after = append(names, piece...), next
	}
	return names
}

func claim(t *testing.T, s *store) {
	id, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	s.must(t, s.Blobs.Claim(s.ctx, id.Place, true))
	err = s.Blobs.Claim(s.ctx, "another", true)
	if err == nil || !strings.Contains(err.Error(), "another") || !strings.Contains(err.Error(), id.Place) {
		t.Fatalf("claimed by another store: %v", err)
	}
}

func listBlobs(t *testing.T, s *store) {
	var want []string
	for i := range 20 {
		b, err := s.Blobs.Put(s.ctx, strings.NewReader(fmt.Sprint(i)), anything)
		s.must(t, err)
		want = append(want, b.Name)
	}
	slices.Sort(want)
	if names := s.listed(t, "", time.Now().Add(-time.Hour)); len(names) > 0 {
		t.Errorf("too young: %q", names)
	}
	behind := func(after string) {
		t.Helper()
		wanted := slices.DeleteFunc(slices.Clone(want), func(name string) bool { return name <= after })
		if got := s.listed(t, after, time.Now().Add(time.Hour)); !slices.Equal(got, wanted) {
			t.Fatalf("behind %q: %q, want %q", after, got, wanted)
		}
	}
	for len(want) > 0 {
		name := want[len(want)/2]
		for _, after := range []string{"", "0", name[:1], name[:2], name[:3], name[:40], name, "f", "ff", "ffff"} {
			behind(after)
		}
		s.must(t, s.Blobs.Remove(s.ctx, name))
		want = slices.DeleteFunc(want, func(n string) bool { return n == name })
		behind(name) // one may go on where a blob was
	}
}
