package library_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// Whoever ends in the middle of a sweep leaves it to another at once.
func TestSweepIsHandedOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		clock, engines := newLater(), e.Open(t)
		one, two := newSweeper(t, engines, clock), newSweeper(t, engines, clock)
		all := one.orphans(t)
		ctx, end := context.WithCancel(t.Context())
		one.blobs.remove = func(name string) error {
			if name == all[4] {
				end()
				return ctx.Err()
			}
			return nil
		}
		if removed, err := one.SweepInTurn(ctx); !errors.Is(err, context.Canceled) || removed != 4 {
			t.Fatalf("%d removed, %v", removed, err)
		}
		if removed, err := two.SweepInTurn(t.Context()); err != nil || removed != len(all)-4 || two.blobs.asked[0] != all[3] {
			t.Fatalf("%d removed, %v; asked for %q", removed, err, two.blobs.asked)
		}
	})
}

// One node sweeps at a time. Where it seems to be dead, another takes over, and it leaves
// the rest to that one.
func TestOneSweepsAtATime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		clock, engines := newLater(), e.Open(t)
		one, two := newSweeper(t, engines, clock), newSweeper(t, engines, clock)
		idle := func(when string) {
			t.Helper()
			two.blobs.asked = nil
			if removed, err := two.SweepInTurn(t.Context()); err != nil || removed != 0 || len(two.blobs.asked) > 0 {
				t.Errorf("%s: %d removed, %v; asked for %q", when, removed, err, two.blobs.asked)
			}
		}
		all := one.orphans(t)
		in, out := make(chan string), make(chan bool)
		one.blobs.list = func(after string) error {
			in <- after
			<-out
			return nil
		}
		type result struct {
			removed int
			err     error
		}
		ended := make(chan result)
		begin := func() {
			go func() {
				removed, err := one.SweepInTurn(t.Context())
				ended <- result{removed, err}
			}()
		}

		begin()
		for _, after := range []string{"", all[2], all[5], all[8]} {
			if got := <-in; got != after {
				t.Fatalf("asked for %q, want %q", got, after)
			}
			clock.move(9 * time.Minute) // slow, but alive
			idle("while another sweeps")
			out <- true
		}
		if got := <-ended; got != (result{len(all), nil}) {
			t.Fatalf("%+v", got)
		}
		clock.move(library.SweepRest - time.Second)
		idle("soon after a sweep")

		all = one.orphans(t)
		clock.move(24 * time.Hour) // it took 36 minutes
		begin()
		for range 2 {
			<-in
			clock.move(2 * time.Minute)
			out <- true
		}
		<-in // and now it hangs
		clock.move(time.Hour)
		two.blobs.asked = nil
		if removed, err := two.SweepInTurn(t.Context()); err != nil || removed != len(all)-6 || two.blobs.asked[0] != all[2] { // as of a minute before
			t.Errorf("taken over: %d removed, %v; asked for %q", removed, err, two.blobs.asked)
		}
		out <- true
		if got := <-ended; got != (result{6, nil}) {
			t.Errorf("who was taken for dead: %+v", got)
		}
		idle("soon after both")
	})
}

// Sweeps on all nodes, while all of them take in uploads and delete materials, remove what
// was deleted before and nothing that is in use.
func TestSweepsBesideUploads(t *testing.T) {
	t.Parallel()
	var picture bytes.Buffer
	must(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 1, 1))))
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		engines := e.Open(t)
		var nodes []*library.Library
		for i := range 3 {
			ls, err := library.Open(t.Context(), engines, library.Options{})
			must(t, err)
			if i == 0 {
				_, _, err := ls.NewAccount(t.Context(), "wxone", "")
				must(t, err)
			}
			a, err := ls.Accounts.Account(t.Context(), "wxone")
			must(t, err)
			nodes = append(nodes, ls.Of(a))
		}
		blobs, materials := engines.Blobs, engines.Materials
		upload := func(l *library.Library, content string) *library.Material {
			up, err := l.Receive(t.Context(), library.Permanent, wechat.Image, io.MultiReader(bytes.NewReader(picture.Bytes()), bytes.NewBufferString(content)))
			if err != nil {
				t.Errorf("%s: %v", content, err)
				return nil
			}
			m, err := l.Add(t.Context(), up, content+".png", "", "")
			if err != nil {
				t.Errorf("%s: %v", content, err)
			}
			return m
		}
		type stored struct {
			m       *library.Material
			content string
		}
		var mu sync.Mutex
		var kept []stored
		// several uploads a few pictures and deletes every third.
		several := func(name string, count int) (deleted []string) {
			for i := range count {
				content := fmt.Sprint(name, " ", i)
				l := nodes[i%len(nodes)]
				m := upload(l, content)
				switch {
				case m == nil:
				case i%3 == 0:
					if err := l.Delete(t.Context(), m.MediaID); err != nil {
						t.Errorf("%s: %v", content, err)
					}
					deleted = append(deleted, m.Blob)
				default:
					mu.Lock()
					kept = append(kept, stored{m, content})
					mu.Unlock()
				}
			}
			return deleted
		}

		old := several("old", 12)
		// Stores tell the times of blobs in seconds, and file systems by a clock that is
		// some milliseconds late.
		before := time.Now().Truncate(time.Second).Add(time.Second)
		time.Sleep(time.Until(before.Add(100 * time.Millisecond)))
		var uploads, sweeps sync.WaitGroup
		var removed atomic.Int64
		done := make(chan struct{})
		for range nodes {
			sweeps.Go(func() {
				for {
					ls, err := library.Open(t.Context(), engines, library.Options{})
					if err != nil {
						t.Error(err)
						return
					}
					n, err := ls.Sweep(t.Context(), before, nil)
					if err != nil {
						t.Error(err)
					}
					removed.Add(int64(n))
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		var young []string
		for i := range 4 {
			uploads.Go(func() {
				deleted := several(fmt.Sprint("young ", i), 15)
				mu.Lock()
				defer mu.Unlock()
				young = append(young, deleted...)
			})
		}
		uploads.Wait()
		close(done)
		sweeps.Wait()

		if removed.Load() < int64(len(old)) {
			t.Errorf("%d were removed, want %d", removed.Load(), len(old))
		}
		for _, blob := range old {
			if _, err := blobs.Open(t.Context(), blob, 0, 1); err != library.ErrNotFound {
				t.Errorf("%s, deleted before: %v", blob, err)
			}
		}
		names, next, err := blobs.List(t.Context(), "", time.Now().Add(time.Hour))
		must(t, err)
		free, err := materials.Unreferenced(t.Context(), names)
		must(t, err)
		slices.Sort(young)
		if next != "" || !slices.Equal(free, young) {
			t.Errorf("%q are left, deleted meanwhile were %q", free, young)
		}
		if want := 8 + 4*10; len(kept) != want {
			t.Errorf("%d are kept, want %d", len(kept), want)
		}
		for _, s := range kept {
			r, err := blobs.Open(t.Context(), s.m.Blob, 0, s.m.Size)
			if err != nil {
				t.Errorf("%s: %v", s.content, err)
				continue
			}
			got, err := io.ReadAll(r)
			r.Close()
			if err != nil || string(got) != picture.String()+s.content {
				t.Errorf("%s: %d bytes, %v", s.content, len(got), err)
			}
		}
	})
}

// thousands lists 10,000 blobs that no row names, in pieces of 1000.
type thousands struct {
	library.Blobs
	lists, removes int
}

func (m *thousands) List(_ context.Context, after string, _ time.Time) (names []string, next string, err error) {
	const all, piece = 10_000, 1000
	name := func(i int) string { return fmt.Sprintf("%04x%060x-%08x", i*6, i, i) }
	begin := m.lists * piece
	if begin > 0 && after != name(begin-1) {
		return nil, "", fmt.Errorf("list %d goes on behind %q", m.lists, after)
	}
	m.lists++
	for i := range piece {
		names = append(names, name(begin+i))
	}
	if begin+piece < all {
		next = names[piece-1]
	}
	return names, next, nil
}

func (m *thousands) Remove(context.Context, string) error { m.removes++; return nil }

// A sweep makes few statements, and looks whether it is due by one.
func TestSweepIsCheap(t *testing.T) {
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		engines := e.Open(t)
		many := &thousands{Blobs: engines.Blobs}
		engines.Blobs = many
		clock := newLater()
		ls, err := library.Open(t.Context(), engines, library.Options{Now: clock.now})
		must(t, err)
		var calls [library.Operations]int
		engines.Materials.(interface{ Observe(library.Observe) }).Observe(func(op library.Operation, _ time.Duration, err error) {
			if err != nil && err != library.ErrNotFound {
				t.Errorf("%d: %v", op, err)
			}
			calls[op]++
		})
		removed, err := ls.SweepInTurn(t.Context())
		if err != nil || removed != 10_000 || many.lists != 10 || many.removes != 10_000 {
			t.Fatalf("%d removed, %v: %d lists, %d removed", removed, err, many.lists, many.removes)
		}
		// To look whether it is due, and four in a piece; to take it, to keep it once in a
		// minute, and to let it go.
		if reads, writes := calls[library.DatabaseRead], calls[library.DatabaseWrite]; reads != 1+4*10 || writes < 2 || writes > 10 || calls[library.DatabaseSnapshot] > 0 {
			t.Errorf("calls of the database: %v", calls)
		}
		clear(calls[:])
		if _, err := ls.SweepInTurn(t.Context()); err != nil || calls[library.DatabaseRead] != 1 || calls[library.DatabaseWrite] != 0 || many.lists != 10 {
			t.Errorf("where none is due: %v, calls of the database: %v, %d lists", err, calls, many.lists)
		}
	})
}
