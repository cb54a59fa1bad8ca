package main

import (
	"context"
	"log/slog"
	"time"

	"sucai/internal/library"
)

// clockEvery is how often a server compares its clock with the store's.
const clockEvery = time.Minute

// watchClock tells the operator, again and again, of a clock that went wrong after the
// start, which would have refused it. The server goes on: clients are better off with a
// token that ends some seconds early or late than with none.
func watchClock(ctx context.Context, ls *library.Libraries) {
	every := time.NewTicker(clockEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			if err := ls.CheckClock(ctx); err != nil && ctx.Err() == nil {
				slog.Error("comparing clocks", "error", err)
			}
		}
	}
}
