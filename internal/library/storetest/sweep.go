package storetest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"sucai/internal/library"
	"sucai/wechat"
)

func unreferenced(t *testing.T, s *store) {
	a := s.account(t, "a")
	var names, want []string
	for i := range 1200 { // more than any engine looks for at once
		id := fmt.Sprint(i)
		names = append(names, "blob-"+id)
		if i%100 == 7 {
			s.insert(t, a, wechat.Image, id)
		} else {
			want = append(want, "blob-"+id)
		}
	}
	s.insert(t, a, wechat.News, "news")
	names, want = append(names, ""), append(want, "")
	free, err := s.Materials.Unreferenced(s.ctx, names)
	s.must(t, err)
	if !slices.Equal(free, want) {
		t.Fatalf("unreferenced: %q, want %q", free, want)
	}
	for _, n := range []int{0, 1} {
		free, err := s.Materials.Unreferenced(s.ctx, names[:n])
		s.must(t, err)
		if len(free) != n {
			t.Fatalf("of %d blobs %q are unreferenced", n, free)
		}
	}
}

func sweepTurns(t *testing.T, s *store) {
	take := func(now, until int64) *library.Sweep {
		t.Helper()
		w, err := s.Materials.TakeSweep(s.ctx, now, until, now+1000)
		s.must(t, err)
		return w
	}
	wantNone := func(now int64) {
		t.Helper()
		_, err := s.Materials.TakeSweep(s.ctx, now, now+10, now+1000)
		wantErr(t, err, library.ErrNotFound)
	}

	wantDue := func(want int64) {
		t.Helper()
		due, err := s.Materials.SweepDue(s.ctx)
		s.must(t, err)
		if due != want {
			t.Fatalf("due at %d, want %d", due, want)
		}
	}

	wantDue(0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var won []*library.Sweep
	for range 8 {
		wg.Go(func() {
			switch w, err := s.Materials.TakeSweep(s.ctx, 100, 110, 1100); err {
			case nil:
				mu.Lock()
				defer mu.Unlock()
				won = append(won, w)
			case library.ErrNotFound:
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 || won[0].Reached != "" || won[0].Took != 0 {
		t.Fatalf("taken by %d: %+v", len(won), won)
	}
	wantDue(110)
	first := won[0]
	wantNone(109)
	first.Reached, first.Took = "ab", 7
	s.must(t, s.Materials.KeepSweep(s.ctx, first, 120))
	s.must(t, s.Materials.KeepSweep(s.ctx, first, 120)) // as one whose answer was lost
	wantNone(119)

	// The first is dead, or seems to be: another goes on where it was.
	second := take(120, 130)
	if second.Reached != "ab" || second.Took != 7 || second.Turn == first.Turn {
		t.Fatalf("taken over: %+v", second)
	}
	first.Reached = "cd"
	wantErr(t, s.Materials.KeepSweep(s.ctx, first, 500), library.ErrConflict)
	wantNone(129)

	// It is done, and due again after a while.
	second.Reached, second.Took = "", 0
	s.must(t, s.Materials.KeepSweep(s.ctx, second, 400))
	wantNone(399)
	third := take(400, 410)
	if third.Reached != "" || third.Took != 0 {
		t.Fatalf("the next one: %+v", third)
	}

	// A clock that was wrong stops nobody for long.
	s.must(t, s.Materials.KeepSweep(s.ctx, third, 1500))
	wantNone(500)
	take(499, 600)
}
