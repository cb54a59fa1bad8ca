package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// platform is a third-party platform's end of the pushes.
type platform struct {
	t      *testing.T
	cipher *wechat.MessageCipher

	mu     sync.Mutex
	reply  func() (status int, body string)
	err    error
	events []*wechat.ComponentEvent
	at     []time.Time
}

func (p *platform) take(r *http.Request) (int, string, error) {
	message, err := p.cipher.Open(r.URL.Query(), r.Body)
	if err != nil {
		p.t.Error(err)
	}
	event, err := wechat.ParseComponentEvent(message)
	if err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events, p.at = append(p.events, event), append(p.at, time.Now())
	if p.reply == nil {
		return http.StatusOK, "success", p.err
	}
	status, body := p.reply()
	return status, body, p.err
}

// RoundTrip implements http.RoundTripper, without a network.
func (p *platform) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "dead.example" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	status, body, err := p.take(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}, Request: r}, nil
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status, body, _ := p.take(r)
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// answer sets what it replies from now on; nil is success.
func (p *platform) answer(reply func() (status int, body string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reply = reply
}

// taken gives the types of the messages that came since the last call, and when.
func (p *platform) taken() (infoTypes []string, at []time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		infoTypes = append(infoTypes, e.InfoType)
	}
	at, p.at, p.events = p.at, nil, nil
	return infoTypes, at
}

const pushKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

func newPlatform(t *testing.T) *platform {
	cipher, err := wechat.NewMessageCipher("wxplatform", "messagetoken", pushKey)
	if err != nil {
		t.Fatal(err)
	}
	return &platform{t: t, cipher: cipher}
}

// pushing runs fn beside a server's push, in the time of the bubble.
func pushing(t *testing.T, nodes int, fn func(t *testing.T, ls *library.Libraries, p *platform)) {
	synctest.Test(t, func(t *testing.T) {
		ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, filepath.Join(t.TempDir(), "data")), library.Options{})
		must(t, err)
		_, _, err = ls.NewComponent(t.Context(), "wxplatform", "secret")
		must(t, err)
		must(t, ls.SetComponent(t.Context(), "wxplatform", func(s *library.ComponentSettings) error {
			return errors.Join(s.Set("token", "messagetoken"), s.Set("aes_key", pushKey), s.Set("push_url", "http://platform.example/x?own=1"))
		}))
		p := newPlatform(t)
		client := newPushClient()
		client.Transport = p
		ctx, stop := context.WithCancel(t.Context())
		var ended sync.WaitGroup
		for range nodes {
			ended.Go(func() { push(ctx, ls, client) })
		}
		fn(t, ls, p)
		stop()
		ended.Wait()
	})
}

func wantTaken(t *testing.T, p *platform, want ...string) []time.Time {
	t.Helper()
	got, at := p.taken()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("%v were pushed, want %v", got, want)
	}
	return at
}

// A ticket comes at once and every ten minutes, from one of however many nodes.
func TestTicketsArePushed(t *testing.T) {
	t.Parallel()
	for _, nodes := range []int{1, 3} {
		pushing(t, nodes, func(t *testing.T, ls *library.Libraries, p *platform) {
			time.Sleep(1100 * time.Millisecond)
			wantTaken(t, p, "component_verify_ticket")
			time.Sleep(595 * time.Second)
			wantTaken(t, p)
			time.Sleep(10 * time.Second)
			wantTaken(t, p, "component_verify_ticket")
			time.Sleep(30 * time.Minute)
			wantTaken(t, p, "component_verify_ticket", "component_verify_ticket", "component_verify_ticket")
			if err := ls.SetComponent(t.Context(), "wxplatform", func(s *library.ComponentSettings) error { return s.Set("push_url", "") }); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Minute)
			wantTaken(t, p)
		})
	}
}

// What a platform does not take is tried again, after longer and longer pauses; a ticket
// gives way to the next one.
func TestPushesAreTriedAgain(t *testing.T) {
	pushing(t, 2, func(t *testing.T, ls *library.Libraries, p *platform) {
		p.answer(func() (int, string) { return http.StatusOK, "fail " + strings.Repeat("x", 5000) })
		time.Sleep(9 * time.Minute)
		at := wantTaken(t, p, "component_verify_ticket", "component_verify_ticket", "component_verify_ticket",
			"component_verify_ticket", "component_verify_ticket", "component_verify_ticket")
		for i, pause := range []int{10, 20, 40, 80, 160} {
			if got := at[i+1].Sub(at[i]).Round(time.Second); got < time.Duration(pause)*time.Second || got > time.Duration(pause+3)*time.Second {
				t.Errorf("pause %d is %s, want about %d s", i, got, pause)
			}
		}
		c, err := ls.Accounts.Component(t.Context(), "wxplatform")
		if err != nil {
			t.Fatal(err)
		}
		state, err := ls.ComponentState(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if text := state.Pushes[0].String(); !strings.Contains(text, `answered 200 "fail xxx`) || !strings.Contains(text, "tried 6 times, again at") || len(text) > 400 {
			t.Errorf("shown: %s", text)
		}
		p.answer(nil)
		time.Sleep(70 * time.Second)
		wantTaken(t, p, "component_verify_ticket") // the next one, not both
		if state, err = ls.ComponentState(t.Context(), c); err != nil || len(state.Pushes) != 2 ||
			!strings.HasSuffix(state.Pushes[0].String(), ": delivered") || !strings.HasSuffix(state.Pushes[1].String(), ": gave way to a newer ticket") {
			t.Errorf("shown: %v, %v", state.Pushes, err)
		}
	})
}

// What a platform does wrong is kept, whatever bytes it is told in: a message whose end
// cannot be stored would come again for ever.
func TestOutcomesOfAnyBytes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		ls, err := library.Open(t.Context(), e.Open(t), library.Options{})
		must(t, err)
		_, _, err = ls.NewComponent(t.Context(), "wxplatform", "secret")
		must(t, err)
		must(t, ls.SetComponent(t.Context(), "wxplatform", func(s *library.ComponentSettings) error {
			return errors.Join(s.Set("token", "messagetoken"), s.Set("aes_key", pushKey), s.Set("push_url", "http://platform.example/"))
		}))
		p := newPlatform(t)
		p.err = errors.New("malformed header \xff\x00 line")
		client := newPushClient()
		client.Transport = p
		var refused *library.NotPushed
		if err := ls.PushTicket(t.Context(), client, "wxplatform"); !errors.As(err, &refused) {
			t.Fatal(err)
		}
		c, err := ls.Accounts.Component(t.Context(), "wxplatform")
		must(t, err)
		state, err := ls.ComponentState(t.Context(), c)
		must(t, err)
		if text := fmt.Sprint(state.Pushes); !strings.Contains(text, "malformed header \uFFFD line") {
			t.Errorf("kept: %s", text)
		}
	})
}

// Events come once each, and one that is never taken is given up.
func TestEventsArePushed(t *testing.T) {
	t.Parallel()
	nodes, long := 1, 4*time.Hour
	if storetest.Thorough() {
		nodes, long = 2, 8*time.Hour // they ask for work more than ten thousand times
	}
	pushing(t, nodes, func(t *testing.T, ls *library.Libraries, p *platform) {
		time.Sleep(2 * time.Second)
		wantTaken(t, p, "component_verify_ticket")
		a, _, err := ls.NewAccount(t.Context(), "wxaccount", "")
		must(t, err)
		authorize := func(sets ...int) string {
			t.Helper()
			code, err := ls.Authorize(t.Context(), "wxplatform", a, sets, "")
			must(t, err)
			return code
		}
		code := authorize(11)
		time.Sleep(2 * time.Second)
		p.mu.Lock()
		e := *p.events[0]
		p.mu.Unlock()
		if e.AppID != "wxplatform" || e.AuthorizerAppID != "wxaccount" || e.AuthorizationCode != code ||
			e.AuthorizationCodeExpiredTime != e.CreateTime+3600 || time.Since(time.Unix(e.CreateTime, 0)) > 5*time.Second {
			t.Errorf("the event is %+v", e)
		}
		wantTaken(t, p, "authorized")
		authorize(11)
		time.Sleep(2 * time.Second)
		wantTaken(t, p) // it allows what it did
		authorize(11, 100)
		time.Sleep(2 * time.Second)
		wantTaken(t, p, "updateauthorized")

		p.mu.Lock()
		p.err = errors.New("connection refused")
		p.mu.Unlock()
		must(t, ls.Unauthorize(t.Context(), "wxplatform", a))
		must(t, ls.SetComponent(t.Context(), "wxplatform", func(s *library.ComponentSettings) error { return nil }))
		time.Sleep(long)
		kinds, _ := p.taken()
		events := 0
		for _, kind := range kinds {
			if kind == "unauthorized" {
				events++
			}
		}
		if events != 12 {
			t.Errorf("the event was tried %d times", events)
		}
	})
}

// What happens to an account is never told in another order, and what was overtaken is
// not told at all.
func TestEventsDoNotOvertake(t *testing.T) {
	pushing(t, 2, func(t *testing.T, ls *library.Libraries, p *platform) {
		a, _, err := ls.NewAccount(t.Context(), "wxaccount", "")
		if err != nil {
			t.Fatal(err)
		}
		authorize := func(sets ...int) (code string) {
			t.Helper()
			code, err := ls.Authorize(t.Context(), "wxplatform", a, sets, "")
			if err != nil {
				t.Fatal(err)
			}
			return code
		}
		failing := func(on bool) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.err = nil; on {
				p.err = errors.New("connection refused")
			}
		}
		unauthorize := func() {
			t.Helper()
			if err := ls.Unauthorize(t.Context(), "wxplatform", a); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
		wantTaken(t, p, "component_verify_ticket")
		failing(true)
		authorize(11)
		time.Sleep(20 * time.Second) // it is tried twice, and pauses
		unauthorize()
		failing(false)
		p.taken()
		time.Sleep(5 * time.Minute)
		wantTaken(t, p, "unauthorized")

		// Nothing of an authorisation is new, but the platform does not know of it, and its
		// code is another.
		failing(true)
		authorize(11)
		time.Sleep(2 * time.Second)
		last := authorize(11)
		failing(false)
		p.taken()
		time.Sleep(2 * time.Minute)
		p.mu.Lock()
		if len(p.events) != 1 || p.events[0].AuthorizationCode != last {
			t.Errorf("came: %v", p.events)
		}
		p.mu.Unlock()
		wantTaken(t, p, "authorized")

		// One is under way while the next one happens, and fails.
		p.answer(func() (int, string) {
			p.reply = nil
			p.mu.Unlock()
			time.Sleep(3 * time.Second)
			p.mu.Lock()
			return http.StatusInternalServerError, ""
		})
		authorize(11, 100)
		time.Sleep(2 * time.Second)
		unauthorize()
		time.Sleep(2 * time.Minute)
		wantTaken(t, p, "updateauthorized", "unauthorized")

		// What waits for one address goes to no other.
		failing(true)
		authorize(11)
		time.Sleep(2 * time.Second)
		if err := ls.SetComponent(t.Context(), "wxplatform", func(s *library.ComponentSettings) error {
			return s.Set("push_url", "http://other.example/")
		}); err != nil {
			t.Fatal(err)
		}
		failing(false)
		p.taken()
		time.Sleep(2 * time.Minute)
		wantTaken(t, p, "component_verify_ticket")
	})
}

// Platforms that do not answer do not keep the others waiting, however much waits for them.
func TestDeadPlatforms(t *testing.T) {
	t.Parallel()
	for _, dead := range []int{1, 12} {
		pushing(t, 1, func(t *testing.T, ls *library.Libraries, p *platform) {
			time.Sleep(2 * time.Second)
			wantTaken(t, p, "component_verify_ticket")
			url := func(appID, address string) {
				t.Helper()
				must(t, ls.SetComponent(t.Context(), appID, func(s *library.ComponentSettings) error { return s.Set("push_url", address) }))
			}
			for i := range dead {
				appID := fmt.Sprint("wxdead", i)
				_, _, err := ls.NewComponent(t.Context(), appID, "")
				must(t, err)
				url(appID, "http://dead.example/")
			}
			for i := range 30 {
				a, _, err := ls.NewAccount(t.Context(), fmt.Sprint("wxaccount", i), "")
				must(t, err)
				for i := range dead {
					_, err = ls.Authorize(t.Context(), fmt.Sprint("wxdead", i), a, []int{11}, "")
					must(t, err)
				}
			}
			limit := 3 * time.Second
			if dead > pushers {
				limit = 12 * time.Second
			}
			for range 5 {
				time.Sleep(37 * time.Second)
				url("wxplatform", "")
				url("wxplatform", "http://platform.example/")
				began := time.Now()
				time.Sleep(limit)
				if at := wantTaken(t, p, "component_verify_ticket"); len(at) == 1 && at[0].Sub(began) > limit {
					t.Errorf("%d dead: the ticket came after %s", dead, at[0].Sub(began))
				}
			}
		})
	}
}

// Trouble with one platform keeps no other from its ticket.
func TestTicketsInTrouble(t *testing.T) {
	ctx, engines := t.Context(), storetest.EmbeddedAt(t, filepath.Join(t.TempDir(), "data"))
	engines.Accounts = brokenPlatform{engines.Accounts}
	now := time.Now()
	ls, err := library.Open(ctx, engines, library.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, appID := range []string{"wxfirst", "wxbroken", "wxsecond"} {
		if _, _, err := ls.NewComponent(ctx, appID, ""); err != nil {
			t.Fatal(err)
		}
		if err := engines.Accounts.(brokenPlatform).Accounts.ChangeComponent(ctx, appID, func(c *library.Component, _ library.Holdings) error {
			c.Settings.PushURL, c.NextTicket = "http://platform.example/", now.Unix()-1
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	err = ls.MakeTickets(ctx)
	if err == nil || err.Error() != "ticket of wxbroken: disk is full" {
		t.Errorf("error: %v", err)
	}
	for _, appID := range []string{"wxfirst", "wxsecond"} {
		if c, err := ls.Accounts.Component(ctx, appID); err != nil || c.Ticket == "" {
			t.Errorf("%s has no ticket, %v", appID, err)
		}
	}
}

// An import of any length is no transaction of that length: the store allows three seconds
// of its time, and others want to change the platform too.
func TestLongImport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engines := storetest.EmbeddedAt(t, filepath.Join(t.TempDir(), "data"))
		slow := &slowPlatform{Accounts: engines.Accounts, most: 1 << 30}
		engines.Accounts = slow
		ls, err := library.Open(t.Context(), engines, library.Options{})
		must(t, err)
		c, _, err := ls.NewComponent(t.Context(), "wxplatform", "")
		must(t, err)
		var list []library.ImportedAuthorization
		for i := range 300 {
			a, _, err := ls.NewAccount(t.Context(), fmt.Sprintf("wxaccount%03d", i), "")
			must(t, err)
			list = append(list, library.ImportedAuthorization{Account: a, Sets: []int{11}, RefreshToken: fmt.Sprint("r", i)})
		}
		authorized := func() int64 {
			state, err := ls.ComponentState(t.Context(), c)
			must(t, err)
			return state.Authorized
		}
		took := func() time.Duration {
			began := time.Now()
			if n, err := ls.ImportAuthorizations(t.Context(), "wxplatform", list); err != nil || n != 300 {
				t.Errorf("%d were taken in, %v", n, err)
			}
			return time.Since(began)
		}
		slow.most = 70
		if n, err := ls.ImportAuthorizations(t.Context(), "wxplatform", list); err == nil || n < 40 || n > 70 {
			t.Errorf("broken off, %d were taken in, %v", n, err)
		}
		slow.most = 1 << 30
		if n := authorized(); n < 40 || n > 70 {
			t.Errorf("%d have authorised it", n)
		}
		if first, again := took(), took(); first < 5*time.Second || again > time.Second {
			t.Errorf("it took %s, and again %s", first, again)
		}
		if n := authorized(); n != 300 {
			t.Errorf("%d have authorised it", n)
		}
	})
}

// slowPlatform takes a while to store an authorisation, and cannot store more than so many.
type slowPlatform struct {
	library.Accounts
	most int
}

func (s *slowPlatform) ChangeComponent(ctx context.Context, appID string, fn func(*library.Component, library.Holdings) error) error {
	return s.Accounts.ChangeComponent(ctx, appID, func(c *library.Component, h library.Holdings) error {
		return fn(c, slowHoldings{h, s})
	})
}

type slowHoldings struct {
	library.Holdings
	platform *slowPlatform
}

func (h slowHoldings) SetAuthorization(a *library.Authorization) error {
	time.Sleep(20 * time.Millisecond)
	if h.platform.most--; h.platform.most < 0 {
		return errors.New("disk is full")
	}
	return h.Holdings.SetAuthorization(a)
}

type brokenPlatform struct{ library.Accounts }

func (b brokenPlatform) ChangeComponent(ctx context.Context, appID string, fn func(*library.Component, library.Holdings) error) error {
	if appID == "wxbroken" {
		return errors.New("disk is full")
	}
	return b.Accounts.ChangeComponent(ctx, appID, fn)
}

// A push goes to its address, whatever proxy the environment names.
func TestPushesPassNoProxy(t *testing.T) {
	if newPushClient().Transport.(*http.Transport).Proxy != nil {
		t.Error("a proxy is asked for")
	}
}

// `component push` does it itself, whether a server runs or not, and says what became of it.
func TestComponentPush(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	srv := httptest.NewServer(p)
	defer srv.Close()
	dir := t.TempDir()
	sucai := func(args ...string) (string, error) {
		cmd := exec.Command(binary(t), append(append([]string{"component"}, args...), "--data", filepath.Join(dir, "data"))...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	run := func(args ...string) string {
		t.Helper()
		out, err := sucai(args...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	run("add", "wxplatform")
	run("set", "wxplatform", "token=messagetoken", "aes_key="+pushKey, "push_url="+srv.URL)
	if out := run("push", "wxplatform"); out != "delivered=true\n" {
		t.Errorf("prints %q", out)
	}
	wantTaken(t, p, "component_verify_ticket")

	server, err := startServer(binary(t), os.Environ(), dir, "--data", filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	run("push", "wxplatform")
	time.Sleep(2 * time.Second) // the server has nothing to do
	wantTaken(t, p, "component_verify_ticket")
	ticket := strings.TrimSpace(run("ticket", "wxplatform"))
	if ticket == "" {
		t.Error("no ticket")
	}

	p.answer(func() (int, string) { return http.StatusFound, "success" })
	out, err := sucai("push", "wxplatform")
	if err == nil || !strings.Contains(out, `the ticket was not taken: answered 302 "success" where 200 and success are wanted`) {
		t.Errorf("prints %q, %v", out, err)
	}
	p.answer(nil)
	for end := time.Now().Add(30 * time.Second); !strings.HasSuffix(strings.TrimSpace(firstPush(run("show", "wxplatform"))), "delivered"); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the server did not try again:\n%s", run("show", "wxplatform"))
		}
	}
	wantTaken(t, p, "component_verify_ticket", "component_verify_ticket")
	if err := server.stop(); err != nil {
		t.Error(err)
	}
	if log := server.err.String(); strings.Contains(log, ticket) || strings.Contains(log, pushKey) || strings.Contains(log, "messagetoken") {
		t.Errorf("secrets in the log:\n%s", log)
	}
}

func firstPush(shown string) string {
	for line := range strings.Lines(shown) {
		if strings.HasPrefix(line, "push=") {
			return line
		}
	}
	return ""
}
