package library_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// Each sort of fault is found, and counted once; what clients do meanwhile is none.
func TestVerify(t *testing.T) {
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		engines := e.Open(t)
		ls := opened(t, engines)
		fill(t, ls)
		sound := func() *library.Verified {
			t.Helper()
			v, err := ls.Verify(t.Context(), library.Watch{Fault: func(f library.Fault) { t.Errorf("fault: %s", f) }})
			must(t, err)
			if !v.Sound() || v.Unreferenced+v.Overdue != 0 {
				t.Errorf("%+v", *v)
			}
			return v
		}
		if v := sound(); v.Accounts != 3 || v.Materials != 28 || v.Blobs != 22 {
			t.Errorf("%+v", *v)
		}
		stop := writers(t, ls, "wxone", 40)
		for range 4 {
			sound()
		}
		stop()

		l := newAccount(t, ls, "wxbroken")
		blob := func(seed uint64) library.Blob {
			b, err := ls.Blobs.Put(t.Context(), bytes.NewReader(picture(seed, 3000)), func(io.ReaderAt, int64) error { return nil })
			must(t, err)
			return b
		}
		short, long, fine := blob(1), blob(2), blob(3)
		none := strings.Repeat("0", 64) + "-00000000"
		_, err := l.Import(t.Context(), []*library.Material{
			{MediaID: "fine", Type: wechat.Image, Number: library.NextNumber, Blob: fine.Name, Size: fine.Size},
			{MediaID: "missing", Type: wechat.Image, Number: library.NextNumber, Blob: none, Size: 5},
			{MediaID: "short", Type: wechat.Image, Number: library.NextNumber, Blob: short.Name, Size: short.Size + 1},
			{MediaID: "long", Type: wechat.Voice, Blob: long.Name, Size: long.Size - 1},
			{MediaID: "news", Type: wechat.News, Number: library.NextNumber, Articles: wechat.Articles("[]"), ArticlesFormat: wechat.ArticlesFormat, Size: 3},
			{MediaID: "text", Type: wechat.News, Number: library.NextNumber, Articles: wechat.Articles("[{"), ArticlesFormat: wechat.ArticlesFormat, Size: 2},
		})
		must(t, err)
		faults := map[string]string{}
		v, err := ls.Verify(t.Context(), library.Watch{Fault: func(f library.Fault) { faults[f.MediaID] = f.String() }})
		must(t, err)
		if v.Missing != 1 || v.Damaged != 4 || v.CountsWrong != 0 || v.Sound() || len(faults) != 5 {
			t.Errorf("%+v, %q", *v, faults)
		}
		for id, want := range map[string]string{"missing": "is missing", "short": "has 3000 of 3001 bytes", "long": "blob " + long.Name, "news": "its articles have 2 bytes, 3 were stored", "text": "its articles cannot be read"} {
			if !strings.HasPrefix(faults[id], "wxbroken "+id+": ") || !strings.Contains(faults[id], want) {
				t.Errorf("%s: %q, want %q", id, faults[id], want)
			}
		}
	})
}

// What was deleted a moment ago may have been uploaded years ago: a fault it is only where
// nobody sweeps.
func TestVerifyUnreferenced(t *testing.T) {
	dir := t.TempDir()
	ls := opened(t, storetest.EmbeddedAt(t, dir))
	want := func(overdue int64) {
		t.Helper()
		b, err := ls.Blobs.Put(t.Context(), strings.NewReader("deleted"), func(io.ReaderAt, int64) error { return nil })
		must(t, err)
		old := time.Now().Add(-72 * time.Hour)
		must(t, os.Chtimes(filepath.Join(dir, "blobs", b.Name[:2], b.Name[2:]), old, old))
		var faults []string
		v, err := ls.Verify(t.Context(), library.Watch{Fault: func(f library.Fault) { faults = append(faults, f.String()) }})
		must(t, err)
		if v.Unreferenced != 1 || v.Overdue != overdue || int64(len(faults)) != overdue || !v.Sound() {
			t.Errorf("%+v, %q", *v, faults)
		}
	}
	want(1)
	removed, err := ls.SweepInTurn(t.Context())
	must(t, err)
	if removed != 1 {
		t.Errorf("%d were swept", removed)
	}
	want(0)
}

// A store that is away is trouble, not thousands of lost materials.
func TestVerifyWithoutAStore(t *testing.T) {
	engines := storetest.Engines[0].Open(t)
	blobs := &brokenBlobs{Blobs: engines.Blobs, open: func(string) error { return nil }}
	engines.Blobs = &awayBlobs{blobs}
	ls := opened(t, engines)
	fill(t, ls)
	blobs.open = func(string) error { return errors.New("no route") }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := ls.Verify(ctx, library.Watch{Fault: func(f library.Fault) { t.Errorf("fault: %s", f) }})
	if err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Errorf("%v", err)
	}
}

type awayBlobs struct{ library.Blobs }

func (awayBlobs) Ready(context.Context) error { return errors.New("the store is away") }
