package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// startNodes runs three servers on one store, until the test ends.
func (o *outgrown) startNodes(t *testing.T) (nodes []*process) {
	t.Helper()
	for range 3 {
		p, err := startServer(binary(t), o.with(nil), t.TempDir())
		must(t, err)
		t.Cleanup(p.kill)
		nodes = append(nodes, p)
	}
	return nodes
}

// clientWith calls the API of a server with one token.
func clientWith(t *testing.T, p *process, token string) *wechat.Client {
	c := newClientFor(p)
	t.Cleanup(c.HTTP.CloseIdleConnections)
	c.Token = func(context.Context, string) (string, error) { return token, nil }
	return c
}

// everywhere makes a change, while all servers are asked without a pause by calls with a
// token. Before it, they succeed. What is asked more than a second after the change was
// acknowledged comes to the errcode, on all of them; 0 stands for success. What counts is
// when a call was begun, and not how long the machine took for it.
func everywhere(t *testing.T, what string, nodes []*process, token string, errcode int, change func()) {
	t.Helper()
	type answer struct {
		begun time.Time
		err   error
	}
	answers := make([][]answer, len(nodes))
	var acknowledged atomic.Int64 // ns; 0: not yet
	var wg sync.WaitGroup
	for i, p := range nodes {
		c := clientWith(t, p, token)
		ask := func() answer {
			begun := time.Now()
			_, err := c.GetMaterialCount(t.Context())
			return answer{begun, err}
		}
		if first := ask(); errcode != 0 && first.err != nil {
			t.Errorf("%s: server %d before: %v", what, i, first.err)
		}
		wg.Go(func() {
			for late, troubles := 0, 0; late < 3; time.Sleep(5 * time.Millisecond) {
				a := ask()
				if errors.Is(a.err, wechat.ErrSystem) && troubles < 20 {
					troubles++ // a store that took too long, on a slow machine, says nothing
					continue
				}
				answers[i] = append(answers[i], a)
				if at := acknowledged.Load(); at > 0 && a.begun.UnixNano() > at+time.Second.Nanoseconds() {
					late++
				}
			}
		})
	}
	change()
	done := time.Now()
	acknowledged.Store(done.UnixNano())
	wg.Wait()
	for i, list := range answers {
		for _, a := range list {
			var e *wechat.Error
			is := 0
			if errors.As(a.err, &e) {
				is = e.Code
			}
			if a.err != nil && e == nil || is == -1 || is != errcode && a.begun.After(done.Add(time.Second)) {
				t.Errorf("%s: server %d says %v %s afterwards", what, i, a.err, a.begun.Sub(done))
				break
			}
		}
	}
}

// ask posts JSON.
func ask(t *testing.T, p *process, path string, args map[string]any) (answer map[string]any) {
	t.Helper()
	body, err := json.Marshal(args)
	must(t, err)
	res, err := http.Post(p.endpoint+path, "application/json", bytes.NewReader(body))
	must(t, err)
	defer res.Body.Close()
	must(t, json.NewDecoder(res.Body).Decode(&answer))
	return answer
}

// Three servers on one database and one bucket are one service: what one was told, or a
// command beside them, the others know.
func TestServersAreOneService(t *testing.T) {
	t.Parallel()
	o := newOutgrown(t)
	o.env["SUCAI_ACCOUNTS"], o.env["SUCAI_COMPONENTS"] = "wxone:s1", "wxplatform:s2"
	nodes := o.startNodes(t)
	run := func(args ...string) string {
		t.Helper()
		printed, err := o.run(t, nil, args...)
		must(t, err)
		return printed
	}
	issued, err := newClientFor(nodes[0]).GetToken(t.Context())
	must(t, err)
	token := issued.AccessToken
	for i := range nodes {
		from, to, third := clientWith(t, nodes[i], token), clientWith(t, nodes[(i+1)%3], token), clientWith(t, nodes[(i+2)%3], token)
		added, err := from.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(fixtures[".png"])})
		must(t, err)
		got, err := to.GetMaterial(t.Context(), added.MediaID)
		must(t, err)
		data, err := io.ReadAll(got.File.Body)
		if got.File.Body.Close(); err != nil || !bytes.Equal(data, fixtures[".png"]) {
			t.Errorf("another server gives %d bytes, %v", len(data), err)
		}
		must(t, third.DelMaterial(t.Context(), added.MediaID))
		if _, err := from.GetMaterial(t.Context(), added.MediaID); !errors.Is(err, wechat.ErrInvalidMediaID) {
			t.Errorf("deleted by another: %v", err)
		}
	}

	everywhere(t, "frozen", nodes, token, 50002, func() { run("account", "set", "wxone", "frozen=true") })
	everywhere(t, "thawed", nodes, token, 0, func() { run("account", "set", "wxone", "frozen=") })
	everywhere(t, "quota", nodes, token, 45009, func() { run("account", "set", "wxone", "quota.get_materialcount=0") })
	everywhere(t, "unlimited", nodes, token, 0, func() { run("account", "set", "wxone", "quota.get_materialcount=") })
	everywhere(t, "whitelist", nodes, token, 40164, func() { run("account", "set", "wxone", "whitelist=192.0.2.1") })
	everywhere(t, "no whitelist", nodes, token, 0, func() { run("account", "set", "wxone", "whitelist=") })

	own := ask(t, nodes[0], "/cgi-bin/component/api_component_token", map[string]any{
		"component_appid": "wxplatform", "component_appsecret": "s2", "component_verify_ticket": run("component", "ticket", "wxplatform")})["component_access_token"]
	authorize := func() string {
		t.Helper()
		info := ask(t, nodes[1], fmt.Sprint("/cgi-bin/component/api_query_auth?component_access_token=", own), map[string]any{
			"component_appid": "wxplatform", "authorization_code": run("component", "authorize", "wxplatform", "wxone", "--sets", "11")})
		return info["authorization_info"].(map[string]any)["authorizer_access_token"].(string)
	}
	everywhere(t, "withdrawn", nodes, authorize(), 61007, func() { run("component", "unauthorize", "wxplatform", "wxone") })
	everywhere(t, "platform removed", nodes, authorize(), 40001, func() { run("component", "rm", "wxplatform", "--force") })
	var printed string
	everywhere(t, "rotated", nodes, token, 40001, func() { printed = run("account", "rotate", "wxone") })
	c := newClientFor(nodes[2])
	defer c.HTTP.CloseIdleConnections()
	_, c.Secret, _ = strings.Cut(printed, "secret=")
	issued, err = c.GetToken(t.Context())
	must(t, err)
	everywhere(t, "account removed", nodes, issued.AccessToken, 40001, func() { run("account", "rm", "wxone") })
	for _, p := range nodes {
		must(t, p.stop())
		if log := p.err.String(); strings.Contains(log, token) {
			t.Errorf("a token is in the log:\n%s", log)
		}
	}
}

// newPushing gives a store whose platform is told of everything at an address.
func newPushing(t *testing.T, p *platform) *outgrown {
	web := httptest.NewServer(p)
	t.Cleanup(web.Close)
	o := &outgrown{env: map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": t.TempDir(), "SUCAI_DB": storetest.Postgres(t), "SUCAI_BLOBS": t.TempDir(), "SUCAI_COMPONENTS": "wxplatform:s2",
	}}
	_, err := o.run(t, nil, "component", "add", "wxplatform")
	must(t, err)
	_, err = o.run(t, nil, "component", "set", "wxplatform", "token=messagetoken", "aes_key="+pushKey, "push_url="+web.URL)
	must(t, err)
	return o
}

// received waits for so many messages, and gives when each came, by what is unlike in them.
func received(t *testing.T, p *platform, n int) map[string][]time.Time {
	t.Helper()
	for end := time.Now().Add(startTime); ; time.Sleep(20 * time.Millisecond) {
		p.mu.Lock()
		came := map[string][]time.Time{}
		for i, e := range p.events {
			key := fmt.Sprint(e.InfoType, " ", e.AuthorizerAppID, e.CreateTime, e.ComponentVerifyTicket)
			came[key] = append(came[key], p.at[i])
		}
		all := len(p.events)
		p.mu.Unlock()
		if all >= n {
			return came
		}
		if time.Now().After(end) {
			t.Fatalf("%d messages came, want %d: %v", all, n, came)
		}
	}
}

// Each message is pushed by one of the servers. One that a server could not bring to its
// end comes again, 10 seconds later; nothing else does.
func TestServersPushOnce(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	o := newPushing(t, p)
	const accounts = 12
	var list []string
	for i := range accounts {
		list = append(list, fmt.Sprintf("wx%d:s", i))
	}
	o.env["SUCAI_ACCOUNTS"] = strings.Join(list, ",")
	nodes := o.startNodes(t)
	for i := range accounts {
		_, err := o.run(t, nil, "component", "authorize", "wxplatform", fmt.Sprint("wx", i), "--sets", "11")
		must(t, err)
	}
	received(t, p, accounts+1)
	time.Sleep(3 * time.Second) // for what would come twice
	came := received(t, p, accounts+1)
	if len(came) != accounts+1 {
		t.Errorf("%d different messages came", len(came))
	}
	for what, at := range came {
		slices.SortFunc(at, time.Time.Compare)
		for i, later := range at[1:] {
			if later.Sub(at[i]) < 9*time.Second {
				t.Errorf("%.40s came again after %s", what, later.Sub(at[i]))
			}
		}
	}
	for _, node := range nodes {
		must(t, node.stop())
	}
}

// A server that is killed while it delivers a message keeps it, and the platform, for the
// time of its lease; then another one delivers it.
func TestServerKilledWhilePushing(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	o := newPushing(t, p)
	release := make(chan struct{})
	p.answer(func() (int, string) {
		p.mu.Unlock()
		<-release
		p.mu.Lock()
		return http.StatusOK, "success"
	})
	first, err := startServer(binary(t), o.with(nil), t.TempDir())
	must(t, err)
	defer first.kill()
	received(t, p, 1)
	first.kill()
	p.answer(nil)
	close(release)
	nodes := o.startNodes(t)
	received(t, p, 2)
	time.Sleep(3 * time.Second)
	came := received(t, p, 2)
	for what, at := range came {
		// It is taken up to 5 seconds before it comes, for 30 seconds to the full one.
		if len(came) != 1 || len(at) != 2 || at[1].Sub(at[0]) < 24*time.Second {
			t.Errorf("%.40s came at %v", what, at)
		}
	}
	for _, node := range nodes {
		must(t, node.stop())
	}
}
