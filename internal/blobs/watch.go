package blobs

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
)

// limits are how long a store over the network may keep us, and we it.
type limits struct {
	answer time.Duration // from the begin of a call to the head of its answer, repetitions and all
	stall  time.Duration // without a byte of a body, in either direction
	page   time.Duration // for a page of a list, which some stores need long for
	hold   time.Duration // that somebody who takes a blob slowly keeps a connection
}

func usualLimits() limits {
	return limits{answer: 3 * time.Second, stall: 30 * time.Second, page: 10 * time.Second, hold: 5 * time.Second}
}

// storeRate is how many bytes a second a store takes at least to keep what it received.
const storeRate = 1 << 20

// silence is the end of a call on which nothing came for so long.
type silence time.Duration

func (s silence) Error() string { return fmt.Sprintf("no answer for %s", time.Duration(s)) }

// watch is a call's context that ends when the other side is silent for too long.
type watch struct {
	context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  atomic.Int64
}

// watched begins a watch with the limit for an answer. The caller ends it. Where nothing
// came, idle connections may lead nowhere too, as when a firewall on the way has forgotten
// them: they are let go of, so that they do not cost a call each.
func (s *S3) watched(ctx context.Context) *watch {
	w := &watch{}
	w.Context, w.cancel = context.WithCancelCause(ctx)
	w.limit.Store(int64(s.limits.answer))
	w.timer = time.AfterFunc(s.limits.answer, func() {
		w.cancel(silence(w.limit.Load()))
		s.network.CloseIdleConnections()
	})
	return w
}

// extend lets the other side be silent for another limit from now on.
func (w *watch) extend(limit time.Duration) {
	w.limit.Store(int64(limit))
	w.timer.Reset(limit)
}

// pause stops the clock: nobody waits for the other side.
func (w *watch) pause() { w.timer.Stop() }

// end lets go of the call.
func (w *watch) end() {
	w.timer.Stop()
	w.cancel(nil)
}

// reason gives why the call ended, where that was not err itself.
func (w *watch) reason(err error) error {
	if err != nil && w.Err() != nil {
		return context.Cause(w)
	}
	return err
}
