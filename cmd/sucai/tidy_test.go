package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
)

// The first sweep comes some minutes after the start, so that a server that is started
// often sweeps too; then there is one an hour.
func TestSweepTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "data")
		ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, dir), library.Options{})
		if err != nil {
			t.Fatal(err)
		}
		// orphan makes a blob that no row names, old enough to be swept.
		orphan := func() (path string) {
			b, err := ls.Blobs.Put(t.Context(), strings.NewReader("x"), func(io.ReaderAt, int64) error { return nil })
			if err != nil {
				t.Fatal(err)
			}
			r, err := ls.Blobs.Open(t.Context(), b.Name, 0, 1)
			if err != nil {
				t.Fatal(err)
			}
			r.Close()
			path = r.(*os.File).Name()
			old := time.Now().Add(-2 * library.SweepAge)
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
			return path
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		path := orphan()
		go func() {
			defer close(ended)
			tidy(ctx, ls)
		}()
		time.Sleep(time.Second) // what follows looks a second before and a second after
		for _, after := range []time.Duration{firstSweep, sweepEvery, sweepEvery} {
			time.Sleep(after - 2*time.Second)
			synctest.Wait()
			if _, err := os.Stat(path); err != nil {
				t.Errorf("swept before %s: %v", after, err)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if _, err := os.Stat(path); err == nil {
				t.Errorf("not swept after %s", after)
			}
			path = orphan()
		}
		stop()
		<-ended
	})
}
