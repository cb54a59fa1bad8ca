package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sucai/internal/library"
)

// drainTime is how long a server that is told to end waits for what is under way.
const drainTime = 10 * time.Second

// site is a listener and what serves on it.
type site struct {
	server   *http.Server
	listener net.Listener
}

// ending is how a server ends.
type ending struct {
	begin func()        // makes it not ready
	delay time.Duration // from then on until nobody can connect any more
}

// serve runs until ctx ends, then finishes what is under way.
func serve(ctx context.Context, sites []site, ls *library.Libraries, end ending) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var ended sync.WaitGroup
	ended.Go(func() { tidy(background, ls) })
	ended.Go(func() { watchClock(background, ls) })
	ended.Go(func() { push(background, ls, newPushClient()) })
	defer func() { stop(); ended.Wait() }()

	var last atomic.Bool
	failed := make(chan error, len(sites))
	for _, on := range sites {
		on.server.Handler = untilLast(on.server.Handler, &last)
		go func() { failed <- on.server.Serve(on.listener) }()
	}
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last.Store(true)
	end.begin()
	slog.Info("ending: finishing what is under way", "delay", end.delay.String(), "limit", drainTime.String())
	select {
	case err := <-failed:
		return err
	case <-time.After(end.delay):
	}
	limit, cancel := context.WithTimeout(background, drainTime)
	defer cancel()
	var ends sync.WaitGroup
	for _, on := range sites {
		ends.Go(func() {
			if err := on.server.Shutdown(limit); err != nil {
				slog.Warn("some calls were cut off", "error", err)
				on.server.Close()
			}
		})
	}
	ends.Wait()
	return nil
}

// untilLast is a handler each of whose answers, once last is set, is the last one on its
// connection: whoever keeps connections turns to another server then.
func untilLast(h http.Handler, last *atomic.Bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if last.Load() {
			w.Header()["Connection"] = []string{"close"}
		}
		h.ServeHTTP(w, r)
	})
}
