package main

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
)

type wrongClock struct {
	library.Accounts
	mu  sync.Mutex
	off time.Duration
}

func (w *wrongClock) Clock(context.Context) (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.off), nil
}

// A clock that goes wrong while a server runs is in its log every minute, until it is right.
func TestWatchedClock(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	synctest.Test(t, func(t *testing.T) {
		engines := storetest.EmbeddedAt(t, filepath.Join(t.TempDir(), "data"))
		clock := &wrongClock{Accounts: engines.Accounts}
		engines.Accounts = clock
		ls, err := library.Open(t.Context(), engines, library.Options{})
		must(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			watchClock(ctx, ls)
		}()
		for _, off := range []time.Duration{0, time.Minute, 0} {
			clock.mu.Lock()
			clock.off = off
			log.Reset() // it is written to behind a look at the clock
			clock.mu.Unlock()
			time.Sleep(3*time.Minute + time.Second)
			synctest.Wait()
			want := 0
			if off > 0 {
				want = 3
			}
			if got := strings.Count(log.String(), "the clock of this machine is 1m0s behind"); got != want {
				t.Errorf("%s off: told %d times:\n%s", off, got, &log)
			}
		}
		stop()
		<-ended
	})
}
