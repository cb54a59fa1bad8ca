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
// often sweeps too; then there is one an hour, of a small store.
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
		for _, after := range []time.Duration{firstSweep, library.SweepRest, library.SweepRest} {
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

// vast is a store whose list takes a while, and that counts what is asked of it.
type vast struct {
	library.Materials
	library.Blobs
	takes time.Duration
	swept []time.Time
	tidy  int
}

func (v *vast) List(ctx context.Context, after string, before time.Time) ([]string, string, error) {
	v.swept = append(v.swept, time.Now())
	time.Sleep(v.takes)
	return v.Blobs.List(ctx, after, before)
}

func (v *vast) DeleteExpired(ctx context.Context, before int64) error {
	v.tidy++
	return v.Materials.DeleteExpired(ctx, before)
}

func (v *vast) Ready(ctx context.Context) error { return v.Materials.Ready(ctx) }

// Who has much to sweep sweeps seldom, but not too seldom, and tidies up meanwhile.
func TestLongSweeps(t *testing.T) {
	for takes, rest := range map[time.Duration]time.Duration{
		2 * time.Minute:  time.Hour,
		30 * time.Minute: 10 * time.Hour,
		7 * time.Hour:    24 * time.Hour,
	} {
		synctest.Test(t, func(t *testing.T) {
			ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, t.TempDir()), library.Options{})
			if err != nil {
				t.Fatal(err)
			}
			v := &vast{Materials: ls.Materials, Blobs: ls.Blobs, takes: takes}
			ls.Materials, ls.Blobs = v, v
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			start := time.Now()
			go func() {
				defer close(ended)
				tidy(ctx, ls)
			}()
			all := firstSweep + takes + rest + sweepLook
			time.Sleep(all)
			synctest.Wait()
			if want := start.Add(firstSweep + takes + rest); len(v.swept) != 2 || v.swept[1].Before(want) || v.swept[1].Sub(want) > sweepLook {
				t.Errorf("a sweep takes %s: begun at %v, want one at %v", takes, v.swept, want)
			}
			if want := int(all/tidyEvery) + 1; v.tidy != want {
				t.Errorf("a sweep takes %s: tidied up %d times, want %d", takes, v.tidy, want)
			}
			stop()
			<-ended
		})
	}
}
