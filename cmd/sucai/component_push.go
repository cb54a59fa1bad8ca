package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"sucai/internal/library"
)

// pushers is how many messages to platforms are under way at once: a platform that does
// not answer shall not keep the others waiting. It holds one of them for 5 seconds in
// every 15 at most, however much waits for it.
const pushers = 8

// How often a server looks for messages that are due, and for how long it leaves a store
// in peace that is in trouble.
const (
	pushEvery   = time.Second
	pushTrouble = 10 * time.Second
)

// newPushClient makes a client for platforms' addresses. It follows no redirects, since
// what it sends is meant for one address, no proxy of the environment for the same reason,
// and keeps no connections, which would be idle for ten minutes. It goes to any address
// that the operator sets, private ones too.
func newPushClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = nil
	transport.DisableKeepAlives = true
	transport.MaxResponseHeaderBytes = 16 << 10
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// push makes tickets and delivers messages to platforms until ctx ends. Who makes tickets
// delivers nothing, so that no platform holds up the tickets of others.
func push(ctx context.Context, ls *library.Libraries, client *http.Client) {
	var wg sync.WaitGroup
	wg.Go(func() {
		untilEnd(ctx, func() (bool, error) { return false, ls.MakeTickets(ctx) })
	})
	for range pushers {
		wg.Go(func() {
			untilEnd(ctx, func() (bool, error) { return ls.PushNext(ctx, client) })
		})
	}
	wg.Wait()
}

// untilEnd does something again and again: at once where there may be more to do, else
// after a pause.
func untilEnd(ctx context.Context, do func() (more bool, err error)) {
	for ctx.Err() == nil {
		pause := pushEvery
		switch more, err := do(); {
		case err != nil && ctx.Err() == nil:
			slog.Error("messages to third-party platforms", "error", err)
			pause = pushTrouble
		case more:
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// addComponents creates the third-party platforms of appid:secret,.. that are missing.
func addComponents(ctx context.Context, ls *library.Libraries, list string) error {
	return eachPair("SUCAI_COMPONENTS", list, func(appID, secret string) (same bool, err error) {
		_, _, err = ls.NewComponent(ctx, appID, secret)
		if !errors.Is(err, library.ErrExists) {
			return true, err
		}
		c, err := ls.Accounts.Component(ctx, appID)
		return err == nil && c.HasSecret(secret), err
	})
}
