package blobs

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The contract is tested in storetest; here is what only a directory has.

func TestClaimOfADirectoryInUse(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "somebody's"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Claim(context.Background(), "id", true); err == nil || !strings.Contains(err.Error(), "empty directory") {
		t.Errorf("claimed: %v", err)
	}
}

// What a killed upload left behind goes away, when it is old.
func TestLeftovers(t *testing.T) {
	ctx := context.Background()
	root := filepath.Join(t.TempDir(), "a", "b")
	d, err := OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Claim(ctx, "id", false); err == nil || !strings.Contains(err.Error(), "there are no blobs in "+root) {
		t.Errorf("not the first place, and empty: %v", err)
	}
	for _, first := range []bool{true, false} {
		if err := d.Claim(ctx, "id", first); err != nil {
			t.Fatal(err)
		}
	}
	left := filepath.Join(root, "tmp", "put-1")
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := func(before time.Time) {
		t.Helper()
		names, next, err := d.List(ctx, "", before)
		if err != nil || len(names) > 0 || next != "" {
			t.Fatalf("listed %q, then %q, %v", names, next, err)
		}
	}
	list(time.Now().Add(-time.Hour))
	if _, err := os.Stat(left); err != nil {
		t.Error("a young one is gone")
	}
	list(time.Now().Add(time.Hour))
	if _, err := os.Stat(left); err == nil {
		t.Error("an old one is still there")
	}
	info, err := os.Stat(root)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory may be read by others: %v", info.Mode())
	}
}

// Of several databases that claim a new directory at the same time, one gets it.
func TestClaimedByMany(t *testing.T) {
	for range 20 {
		d, err := OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		var got atomic.Int64
		for n := range 8 {
			all.Go(func() {
				if err := d.Claim(t.Context(), fmt.Sprint("database ", n), true); err == nil {
					got.Add(1)
				} else if !strings.Contains(err.Error(), "belong to another database") {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got.Load() != 1 {
			t.Fatalf("%d have claimed it", got.Load())
		}
	}
}
