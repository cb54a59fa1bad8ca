package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// Three nodes behind a balancer, many clients, and in turn all that can go wrong with
// nodes, stores and connections. Whatever it is, clients get the right answer, -1 within
// the limits in time, or a broken connection where theirs was broken; and afterwards
// everything works without a restart, and what was acknowledged is there.
//
// What is guaranteed of a call that was not acknowledged: it was done once or not at all.
// An upload that got -1, or no answer, may have left a row: nobody can be told of it any
// more, and the list shows it. While the database answers within the 3 s of a call there
// is none of which its client, if that still listens, was not told: TestEndpointsInTrouble
// loses commits, and package sqlstore tries the rest.
//
// SUCAI_TEST_SEED repeats what clients and cuts are made of, as far as time allows.
func TestFaults(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	if text := os.Getenv("SUCAI_TEST_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		must(t, err)
	}
	t.Logf("SUCAI_TEST_SEED=%d", seed)
	s := startService(t, 3)
	tr := newTrial(t)
	tr.enter(turn{name: "calm"})
	var clients sync.WaitGroup
	for n := range 8 {
		appID, step := recorded, (*patron).record
		if n >= 5 {
			appID, step = mixed, (*patron).mix
		}
		p := tr.newPatron(n, "http://"+s.front.Addr, appID, seed)
		clients.Go(func() { p.use(func() { step(p) }) })
	}
	time.Sleep(2 * time.Second)
	for _, f := range s.faults(rand.New(rand.NewPCG(seed, 100))) {
		if f.thorough && !storetest.Thorough() {
			continue
		}
		tr.enter(f.turn)
		f.begin()
		if !storetest.Thorough() {
			f.lasts = min(f.lasts, 4*time.Second)
		}
		time.Sleep(f.lasts)
		f.end()
		took := s.healed()
		t.Logf("%s: works again after %s", f.name, took.Round(time.Millisecond))
		tr.enter(turn{name: "after " + f.name})
		time.Sleep(500 * time.Millisecond)
	}
	close(tr.ended)
	clients.Wait()
	tr.report()
	tr.final(s)
}

// fault is a turn, how it begins, and how it ends.
type fault struct {
	turn
	lasts      time.Duration
	thorough   bool // what TestEndpointsInTrouble does too
	begin, end func()
}

func (s *service) faults(random *rand.Rand) []fault {
	ok := func(err error) { must(s.t, err) }
	calm := func() {
		for _, p := range []func(n *node) *storetest.Proxy{toDB, toS3} {
			s.each(storetest.Fault{}, p)
		}
		s.front.Set(storetest.Fault{})
	}
	// Some connections break soon, some late, and some not at all.
	var mu sync.Mutex
	budget := func(bool) int64 {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(3) == 0 {
			return -1
		}
		return random.Int64N(1 << (7 + random.IntN(14)))
	}
	return []fault{
		{turn{"a node is killed", true, false}, 3 * time.Second, false,
			func() { s.nodes[0].kill() },
			func() { s.start(s.nodes[0]); s.balance(s.nodes...) }},
		{turn{"PostgreSQL is away", false, true}, 10 * time.Second, false,
			func() { ok(s.db.Halt()) },
			func() { ok(s.db.Start()) }},
		{turn{"S3 is away", false, true}, 10 * time.Second, false,
			func() { ok(s.s3.Halt()) },
			func() { ok(s.s3.Start()) }},
		{turn{"PostgreSQL takes connections and says nothing", false, true}, 4 * time.Second, true,
			func() {
				ok(s.db.Freeze())
				for _, n := range s.nodes {
					n.toDB.CutAll()
				}
			},
			func() { ok(s.db.Thaw()) }},
		{turn{"S3 stands still", false, true}, 4 * time.Second, true,
			func() { ok(s.s3.Freeze()) },
			func() { ok(s.s3.Thaw()) }},
		{turn{"one node has lost its database, another S3", false, true}, 4 * time.Second, true,
			func() {
				s.nodes[1].toDB.Set(storetest.Fault{Silent: true})
				s.nodes[2].toS3.Set(storetest.Fault{Silent: true})
			},
			calm},
		{turn{"what stands between has forgotten all connections", false, true}, 4 * time.Second, true,
			func() {
				for _, n := range s.nodes {
					n.toDB.Forget()
					n.toS3.Forget()
				}
			},
			calm},
		{turn{"both are slow", false, true}, 7 * time.Second, true,
			func() {
				for i, delay := range []time.Duration{30 * time.Millisecond, 400 * time.Millisecond, 3500 * time.Millisecond} {
					slow := storetest.Fault{Delay: delay, Rate: 400_000}
					s.nodes[i].toDB.Set(slow)
					s.nodes[i].toS3.Set(slow)
				}
			},
			calm},
		{turn{"connections break", true, true}, 6 * time.Second, false,
			func() {
				breaks := storetest.Fault{Budget: budget}
				s.each(breaks, toDB)
				s.each(breaks, toS3)
				s.front.Set(breaks)
			},
			calm},
	}
}

// report shows what clients got in each turn, and fails where nothing was tested or where
// too much went wrong while nothing was wrong.
func (tr *trial) report() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	all := 0
	for _, in := range tr.turns {
		sum := map[outcome]int{}
		var text strings.Builder
		for _, kind := range slices.Sorted(maps.Keys(tr.counts[in.name])) {
			fmt.Fprintf(&text, "; %s", kind)
			for _, o := range []outcome{answered, refused, trouble, cut, wrong} {
				if n := tr.counts[in.name][kind][o]; n > 0 {
					fmt.Fprintf(&text, " %d %s", n, o)
					sum[o] += n
					all += n
				}
			}
		}
		tr.t.Logf("%s: the longest call took %s%s", in.name, tr.slow[in.name].Round(time.Millisecond), &text)
		wrong := in.away || in.cuts
		switch {
		case in.away && !in.cuts && sum[trouble] == 0, in.away && in.cuts && sum[cut] == 0, !wrong && sum[answered] == 0:
			tr.t.Errorf("%s: nothing was tested", in.name)
		case !wrong && sum[trouble] > 3+sum[answered]/10: // of a slow machine
			tr.t.Errorf("%s: -1 is the answer to %d calls of %d, and all stores are there", in.name, sum[trouble], sum[trouble]+sum[answered])
		}
	}
	tr.t.Logf("%d calls in all", all)
}

// final reads everything back, on each node.
func (tr *trial) final(s *service) {
	for i, n := range s.nodes {
		p := tr.newPatron(100+i, n.endpoint, recorded, 0)
		began := tr.h.now()
		items, err := wholeList(tr.t.Context(), p.c, wechat.Image)
		must(tr.t, err)
		p.listed(began, items, int64(len(items)), int64(len(items)))
		for mediaID, name := range maps.Clone(tr.h.names) {
			p.get(mediaID, name)
		}
		c := clientOf(tr.t, n.endpoint, mixed)
		for _, typ := range []wechat.Type{wechat.Image, wechat.News} {
			_, err := wholeList(tr.t.Context(), c, typ)
			must(tr.t, err)
		}
		check(tr.t, c, tr.l)
	}
	unsure, left := tr.h.unsure()
	tr.t.Logf("%d images were recorded, of %d nobody was told, of which %d were kept; %d others are there, %d were deleted, and %d news",
		len(tr.h.sums), unsure, left, len(tr.l.kept), len(tr.l.deleted), len(tr.l.news))
	if wrong := tr.h.check(); wrong != "" {
		tr.t.Errorf("the history is not linearizable:\n%s", wrong)
	}
}
