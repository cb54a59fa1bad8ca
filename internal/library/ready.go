package library

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// readyTime is how long a store has to say that it is there.
const readyTime = 3 * time.Second

// NotReady says which stores do not answer, and why: nil is one that does. The reasons
// are for the log: they may name addresses.
type NotReady struct{ Database, Blobs error }

func (e *NotReady) Error() string { return errors.Join(e.Unwrap()...).Error() }

func (e *NotReady) Unwrap() (list []error) {
	if e.Database != nil {
		list = append(list, fmt.Errorf("the database is away: %w", e.Database))
	}
	if e.Blobs != nil {
		list = append(list, fmt.Errorf("the blobs are away: %w", e.Blobs))
	}
	return list
}

// Ready tells within 3 seconds whether the stores answer; the error is a *NotReady. Each
// store is asked once at a time, whatever it does to who asks it, and all who want to know
// meanwhile have the same answer.
func (ls *Libraries) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	database := ls.probes.database.begin(ls.Materials.Ready)
	blobs := ls.probes.blobs.begin(ls.Blobs.Ready)
	e := &NotReady{Database: database.wait(ctx), Blobs: blobs.wait(ctx)}
	if e.Database == nil && e.Blobs == nil {
		return nil
	}
	return e
}

// probe asks a store whether it is there. A file system that hangs keeps who asks it for
// as long as it likes: that shall be one, however often a balancer asks us.
type probe struct {
	mu  sync.Mutex
	now *asked // nil while nobody asks
}

// asked is a question under way.
type asked struct {
	done chan struct{}
	err  error // once done
}

// begin asks, unless the store is being asked already.
func (p *probe) begin(ready func(context.Context) error) *asked {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now != nil {
		return p.now
	}
	a := &asked{done: make(chan struct{})}
	p.now = a
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), readyTime) // not that of who came first and may leave
		defer cancel()
		a.err = ready(ctx)
		p.mu.Lock()
		p.now = nil
		p.mu.Unlock()
		close(a.done)
	}()
	return a
}

// wait gives the answer, or an error where there is none in time.
func (a *asked) wait(ctx context.Context) error {
	select {
	case <-a.done:
		return a.err
	case <-ctx.Done():
	}
	select {
	case <-a.done: // just so
		return a.err
	default:
		return fmt.Errorf("no answer: %w", ctx.Err())
	}
}
