package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sucai/internal/library"
)

// How often a server tidies up, and how often it looks whether a sweep is due. It does so
// first when those who waited for the start have gone, and early enough for a server that
// is started anew every day or more often.
const (
	tidyEvery  = 10 * time.Minute
	firstSweep = 5 * time.Minute
	sweepLook  = time.Minute
)

// tidy removes, now and then, what nobody can reach any more, until ctx ends. A sweep may
// take hours, and keeps nothing else waiting.
func tidy(ctx context.Context, ls *library.Libraries) {
	var wg sync.WaitGroup
	wg.Go(func() { nowAndThen(ctx, 0, tidyEvery, ls.Tidy) })
	wg.Go(func() {
		nowAndThen(ctx, firstSweep, sweepLook, func(ctx context.Context) error {
			_, err := ls.SweepInTurn(ctx)
			return err
		})
	})
	wg.Wait()
}

// nowAndThen does something after a first pause, and then again and again.
func nowAndThen(ctx context.Context, first, pause time.Duration, do func(ctx context.Context) error) {
	next := time.NewTimer(first)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil {
			slog.Error("tidying up", "error", err)
		}
		next.Reset(pause)
	}
}
