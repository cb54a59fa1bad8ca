package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"sucai/internal/library"
)

func ticketsDue(t *testing.T, s *store) {
	for name, next := range map[string]int64{"never": 0, "late": 30, "early": 10, "later": 31} {
		c := s.component(t, name)
		s.must(t, s.Accounts.ChangeComponent(s.ctx, c.AppID, func(c *library.Component, _ library.Holdings) error {
			c.NextTicket = next
			return nil
		}))
	}
	for _, c := range []struct {
		now, limit int64
		want       []string
	}{{9, 10, nil}, {10, 10, []string{"early"}}, {30, 10, []string{"early", "late"}}, {99, 2, []string{"early", "late"}}} {
		got, err := s.Accounts.TicketsDue(s.ctx, c.now, c.limit)
		s.must(t, err)
		if !slices.Equal(got, c.want) {
			t.Errorf("at %d: %v, want %v", c.now, got, c.want)
		}
	}
}

func pushes(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	add := func(c *library.Component, infoType string, due int64) *library.Push {
		t.Helper()
		p := &library.Push{InfoType: infoType, Message: []byte("<xml>" + infoType), Created: 5, Due: due}
		s.hold(t, c, func(h library.Holdings) error { return h.AddPush(p) })
		if p.ID == 0 || p.Component != c.ID {
			t.Fatalf("added: %+v", p)
		}
		return p
	}
	finish := func(p *library.Push, next int64) {
		t.Helper()
		s.must(t, s.Accounts.FinishPush(s.ctx, p, next))
	}
	one, two, foreign := add(c, "one", 20), add(c, "two", 10), add(other, "foreign", 25)
	_, err := s.Accounts.TakePush(s.ctx, 9, 50)
	wantErr(t, err, library.ErrNotFound)
	got, err := s.Accounts.TakePush(s.ctx, 30, 50)
	s.must(t, err)
	if got.ID != two.ID || got.Tries != 1 || got.Due != 50 || got.Lease != 50 || string(got.Message) != "<xml>two" || got.InfoType != "two" || got.Created != 5 {
		t.Fatalf("taken: %+v", got)
	}
	// The other of this component is not given meanwhile, that of another is.
	if next, err := s.Accounts.TakePush(s.ctx, 30, 500); err != nil || next.ID != foreign.ID {
		t.Fatalf("taken next: %+v, %v", next, err)
	}
	_, err = s.Accounts.TakePush(s.ctx, 49, 99)
	wantErr(t, err, library.ErrNotFound)

	// The first taker was too slow: message and component are another's now.
	first, err := s.Accounts.TakePush(s.ctx, 50, 90)
	s.must(t, err)
	if first.ID != one.ID {
		t.Fatalf("taken after the lease: %+v", first)
	}
	got.Due, got.Outcome = 60, "slow"
	finish(got, 0) // its own, but it does not let the component go
	_, err = s.Accounts.TakePush(s.ctx, 89, 99)
	wantErr(t, err, library.ErrNotFound)
	again, err := s.Accounts.TakePush(s.ctx, 90, 120)
	s.must(t, err)
	if again.ID != two.ID || again.Tries != 2 {
		t.Fatalf("taken again: %+v", again)
	}
	second, err := s.Accounts.TakePush(s.ctx, 120, 150)
	s.must(t, err)
	if second.ID != one.ID || second.Tries != 2 {
		t.Fatalf("taken again: %+v", second)
	}
	first.Due, first.Delivered = 0, true
	wantErr(t, s.Accounts.FinishPush(s.ctx, first, 0), library.ErrConflict)
	again.Due, again.Outcome = 135, "refused"
	finish(again, 0)

	// Who has the component lets it go, or keeps it at rest for a while.
	second.Due, second.Delivered, second.Outcome = 0, true, "success"
	finish(second, 140)
	wantErr(t, s.Accounts.FinishPush(s.ctx, second, 0), library.ErrConflict)
	_, err = s.Accounts.TakePush(s.ctx, 139, 500)
	wantErr(t, err, library.ErrNotFound)
	third, err := s.Accounts.TakePush(s.ctx, 140, 500)
	s.must(t, err)
	if third.ID != two.ID {
		t.Fatalf("taken after the rest: %+v", third)
	}
	third.Due = 600
	finish(third, 0)

	list, err := s.Accounts.Pushes(s.ctx, c.ID, 10)
	s.must(t, err)
	if len(list) != 2 || list[0].ID != two.ID || list[0].Outcome != "refused" || list[0].Due != 600 || list[0].Delivered ||
		!list[1].Delivered || list[1].Due != 0 || len(list[1].Message) != 0 {
		t.Fatalf("listed: %+v, %+v", list[0], list[1])
	}
	if short, err := s.Accounts.Pushes(s.ctx, c.ID, 1); err != nil || len(short) != 1 || short[0].ID != two.ID {
		t.Fatalf("listed: %v, %v", short, err)
	}

	// What is done is forgotten, what waits is not.
	s.must(t, s.Accounts.ForgetComponents(s.ctx, 5))
	if list, err := s.Accounts.Pushes(s.ctx, c.ID, 10); err != nil || len(list) != 2 {
		t.Fatalf("forgotten too early: %v, %v", list, err)
	}
	s.must(t, s.Accounts.ForgetComponents(s.ctx, 6))
	if list, err := s.Accounts.Pushes(s.ctx, c.ID, 10); err != nil || len(list) != 1 || list[0].ID != two.ID {
		t.Fatalf("left: %v, %v", list, err)
	}

	// Of many takers, each message has one, and no component two at once.
	for range 10 {
		add(c, "many", 1000)
		add(other, "many", 1000)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	takers, busy := map[int64]int{}, map[int64]bool{}
	var left atomic.Int64
	left.Store(22) // with the two that waited
	for i := range 4 {
		wg.Go(func() {
			for n := int64(0); left.Load() > 0; n++ {
				p, err := s.Accounts.TakePush(s.ctx, 1000, 5000+n*4+int64(i))
				if err == library.ErrNotFound {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				if busy[p.Component] {
					t.Errorf("component %d has two takers", p.Component)
				}
				takers[p.ID]++
				busy[p.Component] = true
				mu.Unlock()
				left.Add(-1)
				mu.Lock()
				busy[p.Component] = false
				mu.Unlock()
				p.Due = 0
				if err := s.Accounts.FinishPush(s.ctx, p, 0); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for id, n := range takers {
		if n != 1 {
			t.Errorf("message %d was taken %d times", id, n)
		}
	}
	if len(takers) != 22 {
		t.Errorf("%d messages were taken", len(takers))
	}
}

// A message that was dropped is nobody's any more, and those of others stay.
func droppedPushes(t *testing.T, s *store) {
	c, other := s.component(t, "c"), s.component(t, "other")
	add := func(c *library.Component, account int64, infoType string) {
		t.Helper()
		s.hold(t, c, func(h library.Holdings) error {
			return h.AddPush(&library.Push{Account: account, InfoType: infoType, Message: []byte("x"), Due: 1})
		})
	}
	event := func(want string, account int64) {
		t.Helper()
		s.hold(t, c, func(h library.Holdings) error {
			got, err := h.DropEvents(account, "dropped event")
			if got != want {
				t.Errorf("%q was dropped, want %q", got, want)
			}
			return err
		})
	}
	shown := func(c *library.Component) (outcomes []string) {
		t.Helper()
		list, err := s.Accounts.Pushes(s.ctx, c.ID, 10)
		s.must(t, err)
		for _, p := range list {
			if (p.Due == 0) != (p.Outcome != "") || (p.Due == 0) != (len(p.Message) == 0) {
				t.Errorf("%+v", p)
			}
			outcomes = append(outcomes, fmt.Sprint(p.Account, p.InfoType, ":", p.Outcome))
		}
		return outcomes
	}
	want := func(c *library.Component, outcomes ...string) {
		t.Helper()
		if got := shown(c); !slices.Equal(got, outcomes) {
			t.Errorf("got  %q\nwant %q", got, outcomes)
		}
	}
	event("", 7)
	add(c, 7, "a")
	taken, err := s.Accounts.TakePush(s.ctx, 1, 50)
	s.must(t, err)
	add(c, 7, "b")
	add(c, 8, "b")
	add(c, 0, "ticket")
	add(other, 7, "b")
	add(other, 0, "ticket")
	event("b", 7)
	event("", 7)
	want(c, "0ticket:", "8b:", "7b:dropped event", "7a:dropped event")

	// What was being delivered is not delivered again, and lets the component go.
	taken.Due, taken.Outcome = 20, "failed"
	wantErr(t, s.Accounts.FinishPush(s.ctx, taken, 12), library.ErrConflict)
	s.hold(t, other, func(h library.Holdings) error { return h.DropPushes("b", "dropped") })
	want(other, "0ticket:", "7b:dropped")
	for _, c := range []struct{ now, component int64 }{{11, other.ID}, {12, c.ID}} {
		if next, err := s.Accounts.TakePush(s.ctx, c.now, 90); err != nil || next.Component != c.component {
			t.Fatalf("taken at %d: %+v, %v", c.now, next, err)
		}
	}
	s.hold(t, c, func(h library.Holdings) error { return h.DropPushes("ticket", "dropped") })
	want(c, "0ticket:dropped", "8b:", "7b:dropped event", "7a:dropped event")
	s.hold(t, c, func(h library.Holdings) error { return h.DropPushes("", "all") })
	want(c, "0ticket:dropped", "8b:all", "7b:dropped event", "7a:dropped event")
	want(other, "0ticket:", "7b:dropped")
}
