package library

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Sweeps is the part of Materials that serves to sweep: to remove the blobs that no row
// names.
type Sweeps interface {
	// Unreferenced gives those of the given blob names that no row names. It makes one
	// statement for hundreds of them.
	Unreferenced(ctx context.Context, blobs []string) ([]string, error)

	// TakeSweep gives the one sweep of the store to the caller, where it was left off:
	// nobody else gets it before until. ErrNotFound where it is not due at now, because
	// somebody else has it, or it was done not long ago. What is due later than latest is
	// due: a clock was wrong. All are Unix seconds, of the callers' clocks.
	TakeSweep(ctx context.Context, now, until, latest int64) (*Sweep, error)

	// SweepDue gives from when on the sweep can be taken, 0 where it never was.
	SweepDue(ctx context.Context) (int64, error)

	// KeepSweep stores how far a sweep has come. It stays its taker's until the given time,
	// and is due then. ErrConflict, and nothing is changed, where somebody else has taken
	// it in the meantime.
	KeepSweep(ctx context.Context, w *Sweep, until int64) error
}

// Sweep is a walk through all blobs that one process at a time is on. That two are on it,
// as when one was taken for dead, costs time and nothing else.
type Sweep struct {
	Turn    int64  // names its taker
	Reached string // of Blobs.List: what comes behind it is still to be done; "" at the start
	Took    int64  // seconds so far
}

// SweepAge is how old an unreferenced blob must be before sweep removes it: older than
// any upload can still be under way.
const SweepAge = 24 * time.Hour

// When the next sweep is due. To list a hundred million blobs takes hours, and stores take
// money for it, so whoever has much to sweep sweeps seldom.
const (
	SweepRest  = time.Hour      // after a sweep, at least
	restTimes  = 20             // as long as the sweep took, at least,
	longRest   = 24 * time.Hour // but no longer than that
	rerunSweep = 10 * time.Minute
)

// A sweep is its taker's for sweepLease after it was last kept, which is every keepEvery:
// between any two calls of a store, none of which takes minutes.
const (
	sweepLease = 10 * time.Minute
	keepEvery  = time.Minute
)

// sweepPauses come before what failed is tried again.
var sweepPauses = []time.Duration{time.Second, 5 * time.Second}

// Sweep removes the blobs last written before the given time that no row names, and tells
// how many. It may run beside others, and on any number of nodes. progress, which may be
// nil, is told how much is done.
//
// What fails is tried again, then passed over: a blob that cannot be removed, or the rest
// of those whose names begin with the same two digits. Where the next thing fails too, the
// sweep is broken off. The error is the first one.
func (ls *Libraries) Sweep(ctx context.Context, before time.Time, progress func(done, total int64)) (removed int, err error) {
	w := &sweeping{ls: ls, before: before, step: func(_ context.Context, reached string) error {
		if progress != nil {
			progress(partOf(reached), wholeSweep)
		}
		return nil
	}}
	err = w.run(ctx)
	return w.removed, err
}

// SweepInTurn sweeps, where that is due and no other process of the store does, what is
// older than SweepAge, from where the last one was broken off. Elsewhere it does nothing.
// The next sweep is due some time after this one's end, or a little later if it was broken
// off.
func (ls *Libraries) SweepInTurn(ctx context.Context) (removed int, err error) {
	start := ls.now()
	kept := start
	turn, err := ls.Materials.TakeSweep(ctx, start.Unix(), start.Add(sweepLease).Unix(), start.Add(2*longRest).Unix())
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	took := turn.Took
	w := &sweeping{ls: ls, before: start.Add(-SweepAge), after: turn.Reached, step: func(ctx context.Context, reached string) error {
		now := ls.now()
		if now.Sub(kept) < keepEvery {
			return nil
		}
		turn.Reached, turn.Took = reached, took+int64(now.Sub(start).Seconds())
		err := ls.Materials.KeepSweep(ctx, turn, now.Add(sweepLease).Unix())
		if err == nil {
			kept = now
		}
		return err
	}}
	err = w.run(ctx)
	if errors.Is(err, ErrConflict) {
		return w.removed, nil // it is another's now
	}
	now := ls.now()
	turn.Reached, turn.Took = w.after, took+int64(now.Sub(start).Seconds())
	rest := rerunSweep
	switch {
	case w.ended:
		rest = min(max(SweepRest, restTimes*time.Duration(turn.Took)*time.Second), longRest)
		turn.Reached, turn.Took = "", 0
	case ctx.Err() != nil: // another node goes on
		rest = 0
	}
	keep := ls.Materials.KeepSweep(context.WithoutCancel(ctx), turn, now.Add(rest).Unix())
	if errors.Is(keep, ErrConflict) {
		keep = nil
	}
	return w.removed, errors.Join(err, keep)
}

// sweeping is one run through the blobs, or a part of them.
type sweeping struct {
	ls     *Libraries
	before time.Time
	step   func(ctx context.Context, reached string) error // between any two calls of a store

	after   string // all blobs up to this one are done
	stuck   string // the blob that could not be removed just now
	ended   bool
	removed int
}

// run goes to the end, but for what it passes over, or until two things in a row fail.
func (w *sweeping) run(ctx context.Context) (failed error) {
	defer func() { w.ls.done.sweep(ctx, w, failed) }()
	passed := false
	for !w.ended {
		from := w.after
		err := w.insist(ctx)
		switch {
		case err == nil:
			passed = false
			continue
		case ctx.Err() != nil, errors.Is(err, ErrConflict):
			return err
		case passed && w.after == from:
			return failed
		case failed == nil:
			failed = fmt.Errorf("sweep: some blobs are left to the next one: %w", err)
		}
		passed = true
		w.passOver()
	}
	return failed
}

// passOver leaves to the next sweep what could not be done.
func (w *sweeping) passOver() {
	if w.stuck != "" {
		w.after = w.stuck
		return
	}
	w.after = nextShard(w.after)
	w.ended = w.after == ""
}

// insist does a piece, and tries again what fails.
func (w *sweeping) insist(ctx context.Context) error {
	for try := 0; ; try++ {
		from := w.after
		err := w.piece(ctx)
		if w.after != from {
			try = 0
		}
		if err == nil || errors.Is(err, ErrConflict) || try == len(sweepPauses) {
			return err
		}
		select {
		case <-time.After(sweepPauses[try]):
		case <-ctx.Done():
			return err
		}
	}
}

// piece does what one list gives.
func (w *sweeping) piece(ctx context.Context) error {
	w.stuck = ""
	if err := w.step(ctx, w.after); err != nil {
		return err
	}
	names, next, err := w.ls.Blobs.List(ctx, w.after, w.before)
	if err != nil {
		return err
	}
	free, err := w.ls.Materials.Unreferenced(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range free {
		if err := w.step(ctx, w.after); err != nil {
			return err
		}
		if err := w.ls.Blobs.Remove(ctx, name); err != nil {
			w.stuck = name
			return err
		}
		w.after = name
		w.removed++
	}
	w.after, w.ended = next, next == ""
	return nil
}

// nextShard is the begin of the names behind those that begin like one, "" behind the last.
// Names begin with digits that are as good as random: a shard is the 256th part of all.
func nextShard(name string) string {
	if next := partOf(name)>>8 + 1; next < wholeSweep>>8 {
		return fmt.Sprintf("%02x", next)
	}
	return ""
}

// wholeSweep is what partOf gives behind all names.
const wholeSweep = 1 << 16

// partOf tells how large a part of all blobs comes before a name.
func partOf(name string) int64 {
	part, err := strconv.ParseInt((name + "0000")[:4], 16, 64)
	if err != nil {
		return 0
	}
	return part
}
