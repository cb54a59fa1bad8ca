package evidence

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sucai/internal/cloudcall"
	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/server"
	"sucai/wechat"
)

// lab is a server in this process whose states cases may change.
type lab struct {
	t       testing.TB
	engines library.Engines
	live    bool
	clock   time.Duration
	https   bool
	caps    library.Caps
	handler atomic.Pointer[server.Server]
	http    *httptest.Server
	ls      *library.Libraries
	n       int
	bound   map[string]string // by the states of a case
}

func newLab(t testing.TB, engines library.Engines, live bool) (*lab, Target) {
	l := &lab{t: t, engines: engines, live: live}
	if err := l.rebuild(); err != nil {
		t.Fatal(err)
	}
	l.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		api := l.handler.Load()
		switch {
		case r.Host == containerHost:
			(&cloudcall.Container{Libraries: l.ls, Server: api, Env: labCloud.Env, Base: l.http.URL}).ServeHTTP(w, r)
		case r.URL.Path == cloudcall.Path:
			cloudcall.New(l.ls, api).ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(l.http.Close)
	appID, secret, err := l.Account()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(client.CloseIdleConnections)
	return l, Target{Base: l.http.URL, Do: client.Do, AppID: appID, Secret: secret, Live: live, Write: true, Lab: l}
}

// rebuild makes a server of the states as they are now.
func (l *lab) rebuild() error {
	ls, err := library.Open(context.Background(), l.engines, library.Options{
		Caps: l.caps, Now: func() time.Time { return time.Now().Add(l.clock) },
	})
	if err != nil {
		return err
	}
	l.ls = ls
	l.handler.Store(server.New(ls, server.Options{
		Live: l.live, RequireHTTPS: l.https, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Log: slog.New(slog.DiscardHandler),
	}))
	return nil
}

// Account implements Lab.
func (l *lab) Account() (appID, secret string, err error) {
	l.n++
	a, secret, err := l.ls.NewAccount(context.Background(), "", "")
	if err != nil {
		return "", "", err
	}
	return a.AppID, secret, nil
}

// State implements Lab. The words: "account", a new account and nothing else; "clock
// +7200", seconds later; "clock =23:59", at that hour of the platform's day, UTC+8; "set key=value", a setting of the account; "cap image=2", how
// many it may have; "https", wanted of callers; "broken", the stores are away; "cloud", an
// environment of the account, see cloud; and those of platformState.
func (l *lab) State(appID string, words []string) error {
	switch words[0] {
	case "account":
		return nil
	case "clock":
		if hour, ok := strings.CutPrefix(words[1], "="); ok {
			return l.waitFor(hour)
		}
		n, err := strconv.Atoi(words[1])
		l.clock += time.Duration(n) * time.Second
		return err
	case "set":
		key, value, _ := strings.Cut(strings.Join(words[1:], " "), "=")
		return l.ls.SetAccount(context.Background(), appID, func(s *library.Settings) error { return s.Set(key, value) })
	case "cloud":
		return l.cloud(appID, words[1:])
	case "rotate":
		_, err := l.ls.RotateSecret(context.Background(), appID)
		return err
	case "cap":
		t, n, _ := strings.Cut(words[1], "=")
		most, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			return err
		}
		l.caps = library.DefaultCaps()
		l.caps[wechat.Type(t)] = most
		return l.rebuild()
	case "https":
		l.https = true
		return l.rebuild()
	case "broken":
		l.ls.Materials = brokenMaterials{l.ls.Materials}
		return nil
	}
	return l.platformState(appID, words)
}

// waitFor moves the clock on to the next time that it is an hour of the platform's day.
func (l *lab) waitFor(hour string) error {
	at, err := time.Parse("15:04", hour)
	if err != nil {
		return err
	}
	now := time.Now().Add(l.clock).In(time.FixedZone("UTC+8", 8*3600))
	next := time.Date(now.Year(), now.Month(), now.Day(), at.Hour(), at.Minute(), 0, 0, now.Location())
	if next.Before(now) {
		next = next.AddDate(0, 0, 1)
	}
	l.clock += next.Sub(now)
	return nil
}

// Done implements Lab.
func (l *lab) Done() error {
	l.clock, l.https, l.caps, l.bound = 0, false, nil, nil
	if err := l.ls.RemoveCloudEnv(context.Background(), labCloud.Env); err != nil && !errors.Is(err, library.ErrNotFound) {
		return err
	}
	return l.rebuild()
}

// containerHost is the name by which requests reach the listener of containers here.
const containerHost = "localhost:8081"

// cloud makes the lab's environment, which the account owns: allow=APPID is another
// account that it may call for, methods=NAME the one method that it may call.
func (l *lab) cloud(owner string, words []string) error {
	e := &library.CloudEnv{ID: labCloud.Env, SecretID: labCloud.SecretID, SecretKey: labCloud.SecretKey, Ticket: labCloud.Ticket,
		Owner: owner, Methods: cloudcall.Methods()}
	for _, word := range words {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "allow":
			e.Allow = []string{value}
		case "methods":
			e.Methods = []string{value}
		default:
			return fmt.Errorf("there is no state cloud %s", word)
		}
	}
	return l.ls.Accounts.CreateCloudEnv(context.Background(), e)
}

// brokenMaterials is a store that is away.
type brokenMaterials struct{ library.Materials }

var errAway = errors.New("the store is away")

func (brokenMaterials) Material(context.Context, int64, string, int64) (*library.Material, error) {
	return nil, errAway
}

func (brokenMaterials) Page(context.Context, int64, wechat.Type, int64, int64, library.Room, func(*library.Material) error) (int64, error) {
	return 0, errAway
}

func (brokenMaterials) Counts(context.Context, int64) (map[wechat.Type]int64, error) {
	return nil, errAway
}

func (brokenMaterials) Insert(context.Context, *library.Material, int64) error { return errAway }

func openLab(t testing.TB, live bool) (*lab, Target) {
	return newLab(t, storetest.EmbeddedAt(t, filepath.Join(t.TempDir(), "data")), live)
}
