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

// slowList is a store whose list takes hours.
type slowList struct {
	library.Blobs
	takes time.Duration
	asked []time.Time
}

func (s *slowList) List(ctx context.Context, before time.Time, found func([]string) error) error {
	s.asked = append(s.asked, time.Now())
	time.Sleep(s.takes)
	return s.Blobs.List(ctx, before, found)
}

// Who has much to sweep sweeps seldom, but once a day.
func TestSweepsRest(t *testing.T) {
	for takes, rest := range map[time.Duration]time.Duration{time.Minute: sweepEvery, 30 * time.Minute: 10 * time.Hour, 2 * time.Hour: 24 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, t.TempDir()), library.Options{})
			if err != nil {
				t.Fatal(err)
			}
			slow := &slowList{Blobs: ls.Blobs, takes: takes}
			ls.Blobs = slow
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan struct{})
			first := time.Now().Add(firstSweep)
			go func() {
				defer close(ended)
				tidy(ctx, ls)
			}()
			time.Sleep(firstSweep + takes + rest + time.Second)
			stop()
			<-ended
			if len(slow.asked) != 2 || !slow.asked[0].Equal(first) || slow.asked[1].Sub(first) != takes+rest {
				t.Errorf("sweeps of %s began at %v, the first was to at %v", takes, slow.asked, first)
			}
		})
	}
}
