package library_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
)

// later is a clock that tests move, so far ahead that all blobs are old.
type later struct{ ahead atomic.Int64 }

func newLater() *later {
	l := &later{}
	l.move(200 * 365 * 24 * time.Hour)
	return l
}

func (l *later) now() time.Time         { return time.Now().Add(time.Duration(l.ahead.Load())) }
func (l *later) move(far time.Duration) { l.ahead.Add(int64(far)) }

// fragile lists three blobs at once, notes what was asked for, and fails as it is told.
type fragile struct {
	library.Blobs
	list   func(after string) error // nil: all is well
	remove func(name string) error
	asked  []string
}

func (f *fragile) List(ctx context.Context, after string, before time.Time) ([]string, string, error) {
	f.asked = append(f.asked, after)
	if f.list != nil {
		if err := f.list(after); err != nil {
			return nil, "", err
		}
	}
	names, next, err := f.Blobs.List(ctx, after, before)
	if len(names) > 3 {
		names, next = names[:3], names[2]
	}
	return names, next, err
}

func (f *fragile) Remove(ctx context.Context, name string) error {
	if f.remove != nil {
		if err := f.remove(name); err != nil {
			return err
		}
	}
	return f.Blobs.Remove(ctx, name)
}

// sweeper is a server of a store whose blobs are fragile.
type sweeper struct {
	*library.Libraries
	blobs *fragile
}

func newSweeper(t *testing.T, e library.Engines, clock *later) *sweeper {
	t.Helper()
	n := &sweeper{blobs: &fragile{Blobs: e.Blobs}}
	e.Blobs = n.blobs
	var err error
	n.Libraries, err = library.Open(t.Context(), e, library.Options{Now: clock.now})
	must(t, err)
	return n
}

// orphans makes blobs that no row names, and gives them in their order.
func (n *sweeper) orphans(t *testing.T) []string {
	t.Helper()
	for i, shard := range []string{"05", "05", "3f", "40", "40", "40", "40", "40", "41", "9a", "ff", "ff"} {
		content := ""
		for try := 0; !strings.HasPrefix(fmt.Sprintf("%x", sha256.Sum256([]byte(content))), shard); try++ {
			content = fmt.Sprint(i, try)
		}
		_, err := n.Blobs.Put(t.Context(), strings.NewReader(content), func(io.ReaderAt, int64) error { return nil })
		must(t, err)
	}
	return n.left(t)
}

// left gives the blobs that are there.
func (n *sweeper) left(t *testing.T) (names []string) {
	t.Helper()
	for after, more := "", true; more; more = after != "" {
		some, next, err := n.blobs.Blobs.List(t.Context(), after, newLater().now())
		must(t, err)
		names, after = append(names, some...), next
	}
	return names
}

var errFault = errors.New("out of order")

// failing is a fault where at tells so, for the first times.
func failing(times int, at func(string) bool) func(string) error {
	failed := map[string]int{}
	return func(name string) error {
		if !at(name) || failed[name] == times {
			return nil
		}
		failed[name]++
		return errFault
	}
}

// What cannot be listed or removed is tried again and passed over, and nothing else stays
// because of it. Where two things in a row fail, the store is away.
func TestSweepPassesOver(t *testing.T) {
	const ever = 1 << 20
	every := func(string) bool { return true }
	for name, c := range map[string]struct {
		faults func(f *fragile, all []string)
		left   func(all []string) []string
	}{
		"no fault":                  {func(*fragile, []string) {}, nil},
		"each piece fails twice":    {func(f *fragile, _ []string) { f.list = failing(2, every) }, nil},
		"each blob stays twice":     {func(f *fragile, _ []string) { f.remove = failing(2, every) }, nil},
		"nothing can be listed":     {func(f *fragile, _ []string) { f.list = failing(ever, every) }, func(all []string) []string { return all }},
		"the first piece cannot be": {func(f *fragile, _ []string) { f.list = failing(ever, func(after string) bool { return after == "" }) }, func([]string) []string { return nil }},
		"a piece in between cannot be": {func(f *fragile, all []string) {
			f.list = failing(ever, func(after string) bool { return after == all[5] })
		}, func(all []string) []string { return all[6:8] }},
		"the last piece cannot be listed": {func(f *fragile, all []string) {
			f.list = failing(ever, func(after string) bool { return after == all[10] })
		}, nil},
		"two in a row cannot be listed": {func(f *fragile, all []string) {
			f.list = failing(ever, func(after string) bool { return after == all[5] || after == "41" })
		}, func(all []string) []string { return all[6:] }},
		"some blobs cannot be removed": {func(f *fragile, all []string) {
			f.remove = failing(ever, func(name string) bool { return name == all[4] || name == all[6] || name == all[11] })
		}, func(all []string) []string { return []string{all[4], all[6], all[11]} }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := newLater()
				n := newSweeper(t, storetest.Engines[0].Open(t), clock)
				all := n.orphans(t)
				c.faults(n.blobs, all)
				var want []string
				if c.left != nil {
					want = c.left(all)
				}
				done := int64(-1)
				removed, err := n.Sweep(t.Context(), clock.now(), func(now, total int64) {
					if now < done || now > total {
						t.Errorf("%d of %d are done, after %d", now, total, done)
					}
					done = now
				})
				left := n.left(t)
				if errors.Is(err, errFault) != (c.left != nil) || !slices.Equal(left, want) || removed != len(all)-len(left) {
					t.Errorf("%d removed, %v, left are %q, want %q", removed, err, left, want)
				}
				if s := n.Stats(); s.Sweeps+s.SweepsFailed != 1 || (s.SweepsFailed == 1) != (c.left != nil) {
					t.Errorf("counted: %+v", s)
				}
				n.blobs.list, n.blobs.remove = nil, nil
				if removed, err := n.Sweep(t.Context(), clock.now(), nil); err != nil || removed != len(want) || len(n.left(t)) > 0 {
					t.Errorf("the next sweep: %d removed, %v", removed, err)
				}
			})
		})
	}
}

// A sweep that was broken off goes on where it was, and is never stuck.
func TestSweepGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newLater()
		n := newSweeper(t, storetest.Engines[0].Open(t), clock)
		all := n.orphans(t)
		sweep := func(fault bool, removed int, asked ...string) {
			t.Helper()
			n.blobs.asked = nil
			got, err := n.SweepInTurn(t.Context())
			if errors.Is(err, errFault) != fault || !fault && err != nil || got != removed || !slices.Equal(slices.Compact(n.blobs.asked), asked) {
				t.Fatalf("%d removed, %v; asked for %q, want %q", got, err, n.blobs.asked, asked)
			}
		}
		n.blobs.list = failing(1<<20, func(after string) bool { return after > "40" && after < "43" })
		sweep(true, 6, "", all[2], all[5], "41")
		sweep(false, 0) // it is not due
		clock.move(10 * time.Minute)
		sweep(true, 0, "41", "42")
		clock.move(10 * time.Minute)
		sweep(true, 3, "42", "43") // the store is well but for this part
		if left := n.left(t); !slices.Equal(left, all[6:9]) {
			t.Fatalf("left are %q of %q", left, all)
		}
		n.blobs.list = nil
		clock.move(library.SweepRest - time.Second)
		sweep(false, 0)
		clock.move(time.Second)
		sweep(false, 3, "")
	})
}
