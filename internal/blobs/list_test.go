package blobs

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"sucai/internal/library"
)

const manyBlobs = 4000

// manyNames are names of blobs all over the 256 shards, in their order.
func manyNames() (names []string) {
	for i := range manyBlobs {
		names = append(names, fmt.Sprintf("%04x%060x-%08x", i*(1<<16)/manyBlobs, i, i))
	}
	return names
}

// pieces lists all of b, and gives how many pieces that took.
func pieces(t *testing.T, b library.Blobs) (names []string, pieces int) {
	t.Helper()
	for after, more := "", true; more; more = after != "" {
		some, next, err := b.List(t.Context(), after, time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		names, after = append(names, some...), next
		pieces++
	}
	return names, pieces
}

// A list costs one call in a thousand blobs, and what is no blob is passed over, however
// much of it there is.
func TestLongList(t *testing.T) {
	f, s := newFakeS3(t)
	want := manyNames()
	f.mu.Lock()
	for _, name := range want {
		f.objects["some/prefix/"+name[:2]+"/"+name[2:]] = nil
	}
	f.objects["some/prefix-of-another/aa/bb"] = nil
	f.mu.Unlock()
	f.called()
	if names, n := pieces(t, s); !slices.Equal(names, want) || n > manyBlobs/pageSize+1 {
		t.Errorf("%d names in %d pieces", len(names), n)
	}
	if n := f.called(); n > manyBlobs/pageSize+1 {
		t.Errorf("%d calls of the store", n)
	}

	f.mu.Lock()
	for i := range 3 * pageSize {
		f.objects[fmt.Sprintf("some/prefix/7a/readme-%d.txt", i)] = nil
		f.objects[fmt.Sprintf("some/prefix/zz/%d", i)] = nil
	}
	f.mu.Unlock()
	if names, _ := pieces(t, s); !slices.Equal(names, want) {
		t.Errorf("beside what is no blob there are %d names", len(names))
	}
	if n := f.called(); n > manyBlobs/pageSize+8 {
		t.Errorf("%d calls of the store beside what is no blob", n)
	}
}

// Files of uploads that nobody is on any more go at a start, and nothing else does.
func TestScratchIsCleared(t *testing.T) {
	f, s := newFakeS3(t)
	long := time.Now().Add(-library.SweepAge - time.Hour)
	for _, name := range []string{"blob-old", "blob-young", "somebody's"} {
		path := filepath.Join(s.scratch, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if name != "blob-young" {
			if err := os.Chtimes(path, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	again, err := OpenS3("s3://bucket?region=x&endpoint="+url.QueryEscape(f.URL), s.scratch)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	left, err := os.ReadDir(s.scratch)
	if err != nil || len(left) != 2 || left[0].Name() != "blob-young" {
		t.Errorf("left are %v, %v", left, err)
	}
}

func TestLongListOfADirectory(t *testing.T) {
	root := t.TempDir()
	d, err := OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Claim(t.Context(), "id", true); err != nil {
		t.Fatal(err)
	}
	want := manyNames()
	for _, name := range append(want, "7areadme") {
		if err := errors.Join(d.makeShard(name), os.WriteFile(d.path(name), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if names, n := pieces(t, d); !slices.Equal(names, want) || n > manyBlobs/listed+1 {
		t.Errorf("%d names in %d pieces", len(names), n)
	}

	// A directory that cannot be read fails a piece of its own.
	lost := filepath.Join(root, "40")
	if err := errors.Join(os.RemoveAll(lost), os.WriteFile(lost, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for after := ""; ; {
		some, next, err := d.List(t.Context(), after, time.Now().Add(time.Hour))
		if err != nil {
			if !errors.Is(err, syscall.ENOTDIR) || after != "40" {
				t.Errorf("behind %q: %v", after, err)
			}
			break
		}
		got, after = append(got, some...), next
	}
	if !slices.Equal(got, slices.DeleteFunc(slices.Clone(want), func(name string) bool { return name >= "40" })) {
		t.Errorf("%d names before it", len(got))
	}
}
