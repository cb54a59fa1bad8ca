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

// push makes tickets and delivers messages to platforms until ctx ends.
func push(ctx context.Context, ls *library.Libraries, client *http.Client) {
	var wg sync.WaitGroup
	for i := range pushers {
		wg.Go(func() {
			for ctx.Err() == nil {
				pause := pushEvery
				any, err := pushOnce(ctx, ls, client, i == 0)
				switch {
				case err != nil && ctx.Err() == nil:
					slog.Error("messages to third-party platforms", "error", err)
					pause = pushTrouble
				case any:
					continue
				}
				select {
				case <-ctx.Done():
				case <-time.After(pause):
				}
			}
		})
	}
	wg.Wait()
}

// pushOnce delivers the next message, and tells whether there was one. One of those who
// deliver makes the tickets too.
func pushOnce(ctx context.Context, ls *library.Libraries, client *http.Client, tickets bool) (any bool, err error) {
	var made error
	if tickets {
		made = ls.MakeTickets(ctx)
	}
	any, err = ls.PushNext(ctx, client)
	return any, errors.Join(made, err)
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
