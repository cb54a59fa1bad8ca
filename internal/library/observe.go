package library

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// Operation is what a store was asked for.
type Operation int

// Operations of databases and of places for blobs.
const (
	DatabaseRead     Operation = iota // one statement
	DatabaseSnapshot                  // several on one state, with what is made of their rows meanwhile
	DatabaseWrite                     // a transaction, from waiting for its turn to its commit
	BlobPut                           // to keep what has come; how long it took to come does not count
	BlobOpen                          // until there is a first byte
	BlobRemove
	BlobList // a piece of the list of all blobs
	BlobReady
	Operations // how many there are
)

// Observe is told of each call of a store: how long it took, and how it ended: nil,
// ErrNotFound, or trouble of the store. It is called from any number of goroutines, and
// must not keep them.
type Observe func(op Operation, took time.Duration, err error)

// Tell tells of a call that began at start, if anybody wants to know. What the contract
// has for an answer is no trouble; of a call whose caller left, nothing is told.
func (o Observe) Tell(ctx context.Context, op Operation, start time.Time, err error) {
	switch {
	case o == nil, err != nil && errors.Is(ctx.Err(), context.Canceled):
		return
	case errors.Is(err, ErrExists), errors.Is(err, ErrFull), errors.Is(err, ErrConflict):
		err = nil
	}
	o(op, time.Since(start), err)
}

// Stats counts what a process has done since it opened its libraries.
type Stats struct {
	Callers  CacheStats // who calls, by token
	Clouds   CacheStats // environments of cloud calls
	Pictures CacheStats // pictures scaled down

	PictureBytes int64 // that are kept of those

	Sweeps       int64 // that went to their end
	SweepsFailed int64
	Swept        int64 // blobs that they removed
	LastSweep    int64 // Unix seconds when the last one went to its end; 0: none did

	Pushed     int64 // messages that third-party platforms took
	PushFailed int64 // tries that failed
}

// CacheStats tells how often something was found in memory, and how often not.
type CacheStats struct{ Hits, Misses int64 }

// Stats gives the counts as they stand.
func (ls *Libraries) Stats() Stats {
	return Stats{
		Callers: ls.callers.tally.stats(), Clouds: ls.clouds.tally.stats(), Pictures: ls.scaled.tally.stats(),
		PictureBytes: ls.scaled.size(),
		Sweeps:       ls.done.sweeps.Load(), SweepsFailed: ls.done.sweepsFailed.Load(),
		Swept: ls.done.swept.Load(), LastSweep: ls.done.lastSweep.Load(),
		Pushed: ls.done.pushed.Load(), PushFailed: ls.done.pushFailed.Load(),
	}
}

// work counts what goes on in the background.
type work struct {
	sweeps, sweepsFailed, swept, lastSweep, pushed, pushFailed atomic.Int64
}

// sweep counts one that is over; one that another goes on with is none yet.
func (d *work) sweep(ctx context.Context, w *sweeping, failed error) {
	d.swept.Add(int64(w.removed))
	if ctx.Err() != nil || errors.Is(failed, ErrConflict) {
		return
	}
	if failed != nil {
		d.sweepsFailed.Add(1)
		return
	}
	d.sweeps.Add(1)
	d.lastSweep.Store(w.ls.now().Unix())
}

// tally counts for CacheStats.
type tally struct{ hits, misses atomic.Int64 }

func (t *tally) count(hit bool) {
	if hit {
		t.hits.Add(1)
	} else {
		t.misses.Add(1)
	}
}

func (t *tally) stats() CacheStats { return CacheStats{t.hits.Load(), t.misses.Load()} }
