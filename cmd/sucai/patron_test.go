package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sucai/wechat"
)

// outcome is what a client got of a call.
type outcome string

const (
	answered outcome = "done"
	refused  outcome = "40007"
	trouble  outcome = "-1"
	cut      outcome = "cut" // the connection broke
	wrong    outcome = "wrong"
)

// outcomeOf sorts what a call gave. Nothing in the tests gives cause to another errcode
// than 40007, nor for a broken answer.
func outcomeOf(err error) outcome {
	var e *wechat.Error
	switch {
	case err == nil:
		return answered
	case errors.Is(err, wechat.ErrSystem):
		return trouble
	case errors.Is(err, wechat.ErrInvalidMediaID):
		return refused
	case errors.As(err, &e), errors.Is(err, errOther):
		return wrong
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNREFUSED, net.ErrClosed} {
		if errors.Is(err, broken) {
			return cut
		}
	}
	// net/http has no errors for these; the latter was cut in its head.
	for _, text := range []string{"server closed idle connection", "transport connection broken"} {
		if strings.Contains(err.Error(), text) {
			return cut
		}
	}
	return wrong
}

// turn is a part of the test in which something is wrong, or nothing.
type turn struct {
	name string
	cuts bool // connections of clients may break
	away bool // a store is away: there may be trouble, and bodies may break off
}

// trial is what all clients know together.
type trial struct {
	t      *testing.T
	h      *history // of the account recorded
	l      *ledger  // of the account mixed
	ended  chan struct{}
	mu     sync.Mutex
	turns  []turn // up to now
	counts map[string]map[string]map[outcome]int
	slow   map[string]time.Duration // the longest call of a turn
}

func newTrial(t *testing.T) *trial {
	return &trial{
		t: t, h: newHistory(), l: newLedger(), ended: make(chan struct{}),
		counts: map[string]map[string]map[outcome]int{}, slow: map[string]time.Duration{},
	}
}

func (tr *trial) enter(next turn) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.turns = append(tr.turns, next)
	tr.counts[next.name] = map[string]map[outcome]int{}
}

func (tr *trial) turn() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.turns) - 1
}

// judge counts what a call gave that began in a turn, and tells of what must not be. One
// that met with several turns counts for that in which something was wrong.
func (tr *trial) judge(kind string, began int, took time.Duration, err error) outcome {
	o := outcomeOf(err)
	tr.mu.Lock()
	defer tr.mu.Unlock()
	in, mayCut := tr.turns[began], false
	for _, t := range tr.turns[began:] {
		if !in.away && !in.cuts {
			in = t
		}
		mayCut = mayCut || t.cuts || t.away && kind == "get a file"
	}
	if tr.counts[in.name][kind] == nil {
		tr.counts[in.name][kind] = map[outcome]int{}
	}
	tr.counts[in.name][kind][o]++
	tr.slow[in.name] = max(tr.slow[in.name], took)
	if o == wrong || o == cut && !mayCut {
		tr.t.Errorf("%s: %s: %v after %s", in.name, kind, err, took)
	}
	return o
}

// patron is one client.
type patron struct {
	*trial
	n      int
	c      *wechat.Client
	random *rand.Rand
	token  string
	sent   int
	mine   []string // media_ids of files that it may delete
	covers []string // of those that it may not
	news   []*draft
}

// onlyOK tells of answers that have another status than 200.
type onlyOK struct {
	http.RoundTripper
	t *testing.T
}

func (o onlyOK) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := o.RoundTripper.RoundTrip(req)
	if err == nil && res.StatusCode != http.StatusOK {
		o.t.Errorf("%s: status %s", req.URL.Path, res.Status)
	}
	return res, err
}

func (tr *trial) newPatron(n int, endpoint, appID string, seed uint64) *patron {
	p := &patron{trial: tr, n: n, c: clientOf(tr.t, endpoint, appID), random: rand.New(rand.NewPCG(seed, uint64(n)))}
	p.c.HTTP.Transport = onlyOK{p.c.HTTP.Transport, tr.t}
	p.c.Token = p.authorize
	return p
}

// authorize gives an access token. None ends while the test runs, so that a refusal of
// one is false.
func (p *patron) authorize(ctx context.Context, refused string) (string, error) {
	if refused != "" {
		p.t.Errorf("an access token was refused that is valid")
		return refused, nil
	}
	if p.token != "" && p.random.IntN(30) > 0 {
		return p.token, nil
	}
	kind, fetch := "stable_token", func() (*wechat.AccessToken, error) { return p.c.StableToken(ctx, false) }
	if p.random.IntN(3) == 0 {
		kind, fetch = "token", func() (*wechat.AccessToken, error) { return p.c.GetToken(ctx) }
	}
	began, start := p.turn(), time.Now()
	a, err := fetch() // within the limit of the call that wants it
	if o := p.judge(kind, began, time.Since(start), err); o != answered {
		return "", err
	}
	p.token = a.AccessToken
	return p.token, nil
}

// call makes a call and judges it.
func (p *patron) call(kind string, limit time.Duration, fn func(ctx context.Context) error) outcome {
	if p.random.IntN(10) == 0 {
		p.c.HTTP.CloseIdleConnections() // and comes to another node
	}
	began, start := p.turn(), time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	err := fn(ctx)
	return p.judge(kind, began, time.Since(start), err)
}

// use calls step, with pauses, until the trial ends.
func (p *patron) use(step func()) {
	for {
		step()
		select {
		case <-p.ended:
			return
		case <-time.After(time.Duration(40+p.random.IntN(120)) * time.Millisecond):
		}
	}
}

// file makes a file of its own: most are small, some have megabytes.
func (p *patron) file() (name string, data []byte) {
	p.sent++
	size := 100 + p.random.IntN(50_000)
	switch p.random.IntN(20) {
	case 0:
		size = 1<<20 + p.random.IntN(2<<20)
	case 1, 2:
		size = 100_000 + p.random.IntN(400_000)
	}
	data = picture(size, byte(p.random.Uint32()))
	name = fmt.Sprintf("%d-%d.png", p.n, p.sent)
	copy(data[50:], name)
	return name, data
}

// read gets a file whole; a news gives nil.
func (p *patron) read(ctx context.Context, mediaID string) (sum [32]byte, m *wechat.Material, err error) {
	m, err = p.c.GetMaterial(ctx, mediaID)
	if err != nil || m.File == nil {
		return sum, m, err
	}
	defer m.File.Body.Close()
	data, err := io.ReadAll(m.File.Body)
	if err == nil && bytes.HasPrefix(data, []byte("{")) {
		err = errOther
	}
	return sha256.Sum256(data), m, err
}
