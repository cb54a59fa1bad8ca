package library_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/server"
	"sucai/wechat"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(storetest.Waiting{M: m}) }

// nodes are three nodes of one service, on one PostgreSQL and one bucket. Each has
// connections, memory, an address and a clock of its own.
type nodes struct {
	*testing.T
	list []*node
	ms   atomic.Int64 // since 1970, of the clock that is right
}

type node struct {
	*library.Libraries
	address string
}

// newNodes gives nodes whose clocks are off by some seconds.
func newNodes(t *testing.T) *nodes {
	return newNodesWith(t, [3]time.Duration{0, 4 * time.Second, -4 * time.Second})
}

// newNodesWith gives nodes whose clocks are off by so much.
func newNodesWith(t *testing.T, off [3]time.Duration) *nodes {
	t.Parallel() // nearly all of it is waiting
	n := &nodes{T: t}
	n.ms.Store(time.Date(2026, 3, 14, 4, 0, 0, 0, time.UTC).UnixMilli()) // noon of the platform
	for i, engines := range storetest.Nodes(t, 3) {
		ls, err := library.Open(t.Context(), engines, library.Options{
			Now:  func() time.Time { return time.UnixMilli(n.ms.Load()).Add(off[i]) },
			Caps: library.Caps{wechat.Image: 10, wechat.Voice: 1000, wechat.Video: 10, wechat.News: 10},
		})
		n.must(err)
		web := httptest.NewServer(server.New(ls, server.Options{Log: slog.New(slog.DiscardHandler)}).HTTP().Handler)
		t.Cleanup(web.Close)
		n.list = append(n.list, &node{ls, web.URL})
	}
	return n
}

func (n *nodes) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

// pass lets time go by, on clocks of the service and on those of its memories.
func (n *nodes) pass(d time.Duration) {
	n.ms.Add(d.Milliseconds())
	time.Sleep(1100 * time.Millisecond)
}

func (n *nodes) account(appID string) *library.Account {
	n.Helper()
	a, _, err := n.list[0].NewAccount(n.Context(), appID, "secret")
	n.must(err)
	return a
}

// token issues a token of an account at a node.
func (n *nodes) token(at *node, a *library.Account) string {
	n.Helper()
	token, err := at.Token(n.Context(), a, "secret")
	n.must(err)
	return token.AccessToken
}

// everywhere checks what a probe gives on every node.
func (n *nodes) everywhere(what string, want error, probe func(*node) error) {
	n.Helper()
	for i, node := range n.list {
		if err := probe(node); !errors.Is(err, want) {
			n.Errorf("%s: node %d: %v, want %v", what, i, err, want)
		}
	}
}

// atOnce does something on all nodes at the same time, several times on each, and tells
// how often it came to which end.
func (n *nodes) atOnce(times int, do func(*node) error) map[string]int {
	var mu sync.Mutex
	ends, start := map[string]int{}, make(chan struct{})
	var wg sync.WaitGroup
	for _, node := range n.list {
		for range times {
			wg.Go(func() {
				<-start
				err := do(node)
				mu.Lock()
				defer mu.Unlock()
				ends[fmt.Sprint(err)]++
			})
		}
	}
	close(start)
	wg.Wait()
	return ends
}

// spreads makes a change at one node, while all nodes are asked without a pause what they
// think of something. Before, they must think one thing. Of what is asked after the change
// was acknowledged, that node must say the other; of what is asked more than a second
// later, all. That holds on a slow machine too: what counts is when a question was begun.
func (n *nodes) spreads(what string, by int, before, after error, change func(*node) error, probe func(*node) error) {
	n.Helper()
	type answer struct {
		begun time.Time
		err   error
	}
	n.everywhere(what+", before", before, probe)
	var done atomic.Int64 // when the change was acknowledged, in ns
	answers := make([][]answer, len(n.list))
	var wg sync.WaitGroup
	for i, node := range n.list {
		wg.Go(func() {
			for late, troubles := 0, 0; late < 3; time.Sleep(2 * time.Millisecond) {
				begun := time.Now()
				err := probe(node)
				var rule *wechat.Error
				if known := err == nil || errors.As(err, &rule) || errors.Is(err, library.ErrNotFound); !known && troubles < 20 {
					troubles++ // a store that took too long, on a slow machine, says nothing
					continue
				}
				answers[i] = append(answers[i], answer{begun, err})
				if at := done.Load(); at > 0 && begun.UnixNano() > at+time.Second.Nanoseconds() {
					late++
				}
			}
		})
	}
	err := change(n.list[by])
	acknowledged := time.Now()
	done.Store(acknowledged.UnixNano())
	wg.Wait()
	if err != nil {
		n.Errorf("%s, by node %d: %v", what, by, err)
		return
	}
	for i, list := range answers {
		limit := acknowledged
		if i != by {
			limit = limit.Add(time.Second)
		}
		for _, a := range list {
			var rule *wechat.Error // what a change does one after the other may be seen
			if !errors.Is(a.err, after) && (a.begun.After(limit) || !errors.Is(a.err, before) && !errors.As(a.err, &rule)) {
				n.Errorf("%s, by node %d: node %d says %v %s afterwards", what, by, i, a.err, a.begun.Sub(acknowledged))
				break
			}
		}
	}
}

// authenticates asks whether a token is good.
func (n *nodes) authenticates(token string) func(*node) error {
	return func(node *node) error {
		_, err := node.Authenticate(n.Context(), token)
		return err
	}
}

// A token is good everywhere at once, and lives on for five minutes behind the next one.
func TestNodesAndTokens(t *testing.T) {
	n := newNodes(t)
	var first, second []string
	for i, node := range n.list {
		a := n.account(fmt.Sprint("wx", i))
		first = append(first, n.token(node, a))
		n.everywhere("a new token", nil, n.authenticates(first[i]))
		second = append(second, n.token(n.list[(i+1)%3], a))
		n.everywhere("the next one", nil, n.authenticates(second[i]))
		n.everywhere("the one before", nil, n.authenticates(first[i]))
	}
	for _, later := range []struct {
		what          string
		pass          time.Duration
		first, second error
	}{
		{"nearly five minutes later", 290 * time.Second, nil, nil},
		{"five minutes later", 20 * time.Second, wechat.ErrInvalidCredential, nil},
		{"nearly two hours later", 6880 * time.Second, wechat.ErrInvalidCredential, nil},
		{"two hours later", 20 * time.Second, wechat.ErrInvalidCredential, wechat.ErrTokenExpired},
	} {
		n.pass(later.pass)
		for i := range n.list {
			n.everywhere(later.what+", the first", later.first, n.authenticates(first[i]))
			n.everywhere(later.what+", the second", later.second, n.authenticates(second[i]))
		}
	}
}

// Where clocks are right, what ends at a time ends everywhere within a second of it, and
// not before.
func TestNodesEndTokensInTime(t *testing.T) {
	n := newNodesWith(t, [3]time.Duration{})
	began := n.ms.Load()
	var first, second []string
	for i, node := range n.list {
		a := n.account(fmt.Sprint("wx", i))
		first = append(first, n.token(node, a))
		second = append(second, n.token(n.list[(i+1)%3], a))
	}
	for _, end := range []struct {
		what   string
		tokens []string
		at     time.Duration
		want   error
	}{
		{"superseded", first, 300 * time.Second, wechat.ErrInvalidCredential},
		{"expired", second, 7200 * time.Second, wechat.ErrTokenExpired},
	} {
		n.pass(time.Duration(began-n.ms.Load())*time.Millisecond + end.at - time.Second)
		for i, token := range end.tokens {
			n.everywhere(fmt.Sprint("token ", i, " a second before it is ", end.what), nil, n.authenticates(token))
		}
		// Clocks alone go on: what the nodes remember of a second ago must not help a token.
		n.ms.Add((2 * time.Second).Milliseconds())
		for i, token := range end.tokens {
			n.everywhere(fmt.Sprint("token ", i, " a second after it is ", end.what), end.want, n.authenticates(token))
		}
	}
}

// What is revoked ends everywhere within a second, however wrong clocks are.
func TestNodesRevoke(t *testing.T) {
	n := newNodes(t)
	for what, change := range map[string]func(*node, *library.Account) error{
		"rotated": func(by *node, a *library.Account) error { _, err := by.RotateSecret(t.Context(), a.AppID); return err },
		"removed": func(by *node, a *library.Account) error { return by.RemoveAccount(t.Context(), a.AppID) },
		"stable, forced": func(by *node, a *library.Account) error {
			_, err := by.StableToken(t.Context(), a, "secret", true)
			return err
		},
	} {
		var wg sync.WaitGroup
		var tokens []string
		for by := range n.list {
			a := n.account(fmt.Sprintf("wx%.5s%d", what, by))
			token := n.token(n.list[1], a)
			if what == "stable, forced" {
				token = n.stable(n.list[1], a, false)
			}
			tokens = append(tokens, token)
			wg.Go(func() {
				n.spreads(what, by, nil, wechat.ErrInvalidCredential, func(by *node) error { return change(by, a) }, n.authenticates(token))
			})
		}
		wg.Wait()
		for _, node := range n.list { // what is tidied up is not forgiven
			n.must(node.Tidy(t.Context()))
		}
		for _, token := range tokens {
			n.everywhere(what+", tidied up", wechat.ErrInvalidCredential, n.authenticates(token))
		}
	}
}

// stable gives an account's stable token at a node.
func (n *nodes) stable(at *node, a *library.Account, force bool) string {
	n.Helper()
	known, err := at.Known(n.Context(), a.AppID)
	n.must(err)
	token, err := at.StableToken(n.Context(), known, "secret", force)
	n.must(err)
	return token.AccessToken
}

// The stable token is one, whoever is asked and when, and so is what replaces it by force;
// the rest between two, and their number a day, are counted together.
func TestNodesAndStableTokens(t *testing.T) {
	n := newNodes(t)
	a := n.account("wxone")
	ask := func(force bool) func(*node) error {
		return func(node *node) error {
			known, err := node.Known(t.Context(), a.AppID)
			if err != nil {
				return err
			}
			token, err := node.StableToken(t.Context(), known, "secret", force)
			if err == nil {
				err = errors.New(token.AccessToken) // to be counted
			}
			return err
		}
	}
	if got := n.atOnce(10, ask(false)); len(got) != 1 {
		t.Fatalf("asked at the same time, they give %v", got)
	}
	before := n.stable(n.list[0], a, false)
	for round := range 20 {
		n.ms.Add((45 * time.Second).Milliseconds()) // more than rest and clocks come to
		if round%5 > 0 {
			n.stable(n.list[round%3], a, true)
		} else if got := n.atOnce(5, ask(true)); len(got) != 1 {
			t.Fatalf("forced at the same time, they give %v", got)
		}
		now := n.stable(n.list[0], a, false)
		if now == before {
			t.Fatalf("round %d: not replaced", round)
		}
		before = now
	}
	n.pass(45 * time.Second)
	n.everywhere("forced too often", wechat.ErrQuota, func(node *node) error {
		known, err := node.Known(t.Context(), a.AppID)
		n.must(err)
		_, err = node.StableToken(t.Context(), known, "secret", true)
		return err
	})
	n.everywhere("the last one", nil, n.authenticates(before))
	if got := n.stable(n.list[2], a, false); got != before {
		t.Error("it is not the last one that is handed out")
	}
	n.pass(7200*time.Second - 200*time.Second) // within the margin of every clock
	if got := n.atOnce(5, ask(false)); len(got) != 1 || got[before] > 0 {
		t.Errorf("near the end of %.5s.. they give %v", before, got)
	}
}
