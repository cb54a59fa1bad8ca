package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// callLimit is how long a call may take by the documented limits: up to six calls to a
// store of 3 s one after the other, and as much again for a slow machine. A body may
// stand still for 30 s besides.
//
// Most calls meet with the database first, and once: with one that refuses or says nothing
// half of them must be through after its 3 s and two more, and what the slowest call took
// that met with no trouble at that time, which tells how slow the machine is.
const (
	callLimit = 36 * time.Second
	bodyLimit = callLimit + 30*time.Second
	halfLimit = 5 * time.Second
)

// While a store is away, in whatever way, every call that needs it is answered with -1
// within the limits in time, and every other works. The store stays away until the last
// call is answered: one that waited for its return would be found out.
func TestEndpointsInTrouble(t *testing.T) {
	t.Parallel()
	s := startService(t, 4)
	type trouble struct {
		what  string
		of    func(n *node) *storetest.Proxy
		fault storetest.Fault
	}
	down := func(after int64) func(bool) int64 {
		return func(down bool) int64 {
			if down {
				return after
			}
			return -1
		}
	}
	rounds := [][]trouble{
		{
			{"the database says nothing", toDB, storetest.Fault{Silent: true}},
			{"S3 says nothing", toS3, storetest.Fault{Silent: true}},
			{"the database is late", toDB, storetest.Fault{Delay: 4 * time.Second}},
			{"S3 is late", toS3, storetest.Fault{Delay: 4 * time.Second}},
		},
		{
			{"the database is cut off", toDB, storetest.Fault{Refuse: true}},
			{"S3 is cut off", toS3, storetest.Fault{Refuse: true}},
			{"the database breaks off", toDB, storetest.Fault{Budget: down(10)}},
			{"S3 breaks off", toS3, storetest.Fault{Budget: down(10)}},
		},
	}
	if testing.Short() {
		rounds = rounds[1:]
	}
	for _, round := range rounds {
		var all sync.WaitGroup
		var mu sync.Mutex
		var healthy time.Duration // the slowest call that needs nothing that is away
		took := make([][]time.Duration, len(round))
		for i, r := range round {
			n := s.nodes[i]
			e, err := newEndpoints(t.Context(), clientOf(t, n.endpoint, tried))
			must(t, err)
			p := r.of(n)
			p.Set(r.fault)
			if r.fault.Refuse {
				p.CutAll()
			}
			missing := wantsDB
			if p == n.toS3 {
				missing = wantsS3
			}
			for what, call := range e.calls() {
				all.Go(func() {
					ctx, cancel := context.WithTimeout(t.Context(), bodyLimit)
					defer cancel()
					start := time.Now()
					err := call.do(ctx)
					lasted := time.Since(start)
					mu.Lock()
					took[i] = append(took[i], lasted)
					if call.wants < missing {
						healthy = max(healthy, lasted)
					}
					mu.Unlock()
					switch {
					case lasted > callLimit:
						t.Errorf("%s, %s: %v after %s", r.what, what, err, lasted)
					case call.wants < missing && err != nil:
						t.Errorf("%s, %s: %v, which does not need it", r.what, what, err)
					case what == "fetch an address" && err != nil && strings.Contains(err.Error(), "503"):
					case call.wants >= missing && !errors.Is(err, wechat.ErrSystem):
						t.Errorf("%s, %s: %v, want -1", r.what, what, err)
					}
				})
			}
		}
		all.Wait()
		for i, r := range round {
			slices.Sort(took[i])
			half := took[i][len(took[i])/2]
			t.Logf("%s: half of the calls took up to %s", r.what, half.Round(time.Millisecond))
			if away := r.fault.Silent || r.fault.Refuse; away && s.nodes[i].toDB == r.of(s.nodes[i]) && half > halfLimit+healthy {
				t.Errorf("%s: half of the calls took more than %s; the slowest without trouble took %s", r.what, half, healthy)
			}
		}
		s.each(storetest.Fault{}, toDB)
		s.each(storetest.Fault{}, toS3)
		t.Logf("all works again after %s", s.healed())
	}
	t.Run("bodies break off", func(t *testing.T) { bodiesBreakOff(t, s) })
	t.Run("commits lose their answers", func(t *testing.T) { lostCommits(t, s) })
}

// bodiesBreakOff checks that an answer whose body breaks off between S3 and the node
// never looks whole.
func bodiesBreakOff(t *testing.T, s *service) {
	n := s.nodes[0]
	e, err := newEndpoints(t.Context(), clientOf(t, n.endpoint, tried))
	must(t, err)
	defer n.toS3.Set(storetest.Fault{})
	for _, after := range []int64{2_000, 40_000, 150_000, 299_000} {
		n.toS3.CutAll()
		n.toS3.Set(storetest.Fault{Budget: func(down bool) int64 {
			if down {
				return after
			}
			return -1
		}})
		for _, what := range []string{"get an image", "fetch an address"} {
			// Where all that came was still to be sent on, there is no answer at all.
			if err := e.calls()[what].do(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) && !(after < 4_000 && errors.Is(err, io.EOF)) {
				t.Errorf("%s, cut after %d: %v", what, after, err)
			}
		}
	}
}

// lostCommits cuts exactly the answer of a commit on the wire, or the connection just
// before and after: one upload is one row, of which its client was told.
func lostCommits(t *testing.T, s *service) {
	n, other := s.nodes[0], clientOf(t, s.nodes[1].endpoint, recorded)
	c := clientOf(t, n.endpoint, recorded)
	_, err := c.GetMaterialCount(t.Context()) // has a token from here on
	must(t, err)
	defer n.toDB.Set(storetest.Fault{})
	told := map[string]bool{}
	for _, when := range []storetest.Loss{storetest.BeforeCommit, storetest.WhileCommitted, storetest.BeforeAnswer, storetest.AmidAnswer} {
		for _, times := range []int{1, 2} {
			lost := 0
			n.toDB.Set(storetest.LostCommits(when, times, func() { lost++ }))
			data := picture(1000, byte(len(told)))
			added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: strings.NewReader(string(data))})
			if err != nil || lost == 0 {
				t.Fatalf("%s, %d times, %d done: %v", when, times, lost, err)
			}
			told[added.MediaID] = true
			list, err := wholeList(t.Context(), other, wechat.Image)
			must(t, err)
			for _, it := range list {
				if !told[it.MediaID] {
					t.Fatalf("%s, %d times: there is a row of which nobody was told", when, times)
				}
			}
			if len(list) != len(told) {
				t.Fatalf("%s, %d times: %d are listed of %d", when, times, len(list), len(told))
			}
		}
	}
}

// wholeList gives all materials of a type while nobody changes them, as they are listed,
// and checks that the total adds up and that nothing comes twice.
func wholeList(ctx context.Context, c *wechat.Client, typ wechat.Type) (list []wechat.Item, err error) {
	seen := map[string]bool{}
	for {
		p, err := c.BatchGetMaterial(ctx, typ, int64(len(list)), 20)
		if err != nil {
			return nil, err
		}
		for _, it := range p.Item {
			if seen[it.MediaID] {
				return nil, errors.New(it.MediaID + " is listed twice")
			}
			seen[it.MediaID] = true
		}
		list = append(list, p.Item...)
		if len(p.Item) == 0 || int64(len(list)) >= p.TotalCount {
			if int64(len(list)) != p.TotalCount {
				err = errors.New("the total does not add up")
			}
			return list, err
		}
	}
}
