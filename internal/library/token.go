package library

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"

	"sucai/wechat"
)

const (
	tokenLife    = 7200 // seconds
	overlap      = 300  // seconds that a superseded token lives on
	stableMargin = 300  // seconds before its end from which stable_token hands out another
	remembered   = 24 * 3600
	forceRest    = 30 // seconds after a forced refresh in which another does nothing
	forcesADay   = 20

	// atOnce is the end of a grant that is revoked: it has come on every node, whatever
	// the node's clock says.
	atOnce = 0
)

// Known gives the account with an appid; 40013 where there is none.
func (ls *Libraries) Known(ctx context.Context, appID string) (*Account, error) {
	if !plausible(appID) {
		return nil, wechat.ErrInvalidAppID
	}
	a, err := ls.Accounts.Account(ctx, appID)
	if errors.Is(err, ErrNotFound) {
		return nil, wechat.ErrInvalidAppID
	}
	return a, err
}

// Token issues an access token, as GET /cgi-bin/token does. The ones before it end in
// five minutes. 40125 for a wrong secret.
func (ls *Libraries) Token(ctx context.Context, a *Account, secret string) (*wechat.AccessToken, error) {
	token, now := newToken(), ls.now().Unix()
	err := ls.change(ctx, a.AppID, func(a *Account, g Grants) error {
		if !a.HasSecret(secret) {
			return wechat.ErrInvalidSecret
		}
		if err := g.End(PlainGrant, now+overlap, now); err != nil {
			return err
		}
		return g.Add(newGrant(PlainGrant, token, now))
	})
	if err != nil {
		return nil, err
	}
	return &wechat.AccessToken{AccessToken: token, ExpiresIn: tokenLife}, nil
}

// StableToken gives an account's stable token, as POST /cgi-bin/stable_token does: the
// same one again until five minutes before its end. With force it is replaced, and the
// old one ends at once; but within 30 seconds of the last time the same one is given,
// and after 20 times a day the error is 45009. It is independent of Token. 40125 for a
// wrong secret.
func (ls *Libraries) StableToken(ctx context.Context, a *Account, secret string, force bool) (*wechat.AccessToken, error) {
	if !a.HasSecret(secret) {
		return nil, wechat.ErrInvalidSecret
	}
	now := ls.now().Unix()
	lasts := func(t StableToken) bool {
		return t.Expires-now > stableMargin && (!force || now-t.Forced < forceRest)
	}
	stable := a.Stable
	if !lasts(stable) {
		err := ls.change(ctx, a.AppID, func(a *Account, g Grants) error {
			if !a.HasSecret(secret) { // rotated while we waited
				return wechat.ErrInvalidSecret
			}
			if stable = a.Stable; lasts(stable) { // somebody else was first
				return nil
			}
			if force {
				if err := stable.countForce(now, ls.day()); err != nil {
					return err
				}
				if err := g.End(StableGrant, atOnce, now); err != nil {
					return err
				}
			}
			stable.Token, stable.Expires = newToken(), now+tokenLife
			a.Stable = stable
			return g.Add(newGrant(StableGrant, stable.Token, now))
		})
		if err != nil {
			return nil, err
		}
	}
	return &wechat.AccessToken{AccessToken: stable.Token, ExpiresIn: stable.Expires - now}, nil
}

func (t *StableToken) countForce(now, day int64) error {
	if t.Day != day {
		t.Day, t.Times = day, 0
	}
	if t.Times == forcesADay {
		return wechat.ErrQuota
	}
	t.Times++
	t.Forced = now
	return nil
}

// newToken has the shape of real ones: a short number, _, and 144 characters.
func newToken() string {
	b := make([]byte, 109)
	rand.Read(b)
	return strconv.Itoa(10+int(b[0])%90) + "_" + base64.RawURLEncoding.EncodeToString(b[1:])
}

func newGrant(kind GrantKind, token string, now int64) *Grant {
	return &Grant{Hash: sha256.Sum256([]byte(token)), Kind: kind, Expires: now + tokenLife, Ends: now + tokenLife}
}

// Caller is who a token stands for.
type Caller struct {
	Account   *Account   // nil for a component by its own token
	Grant     *Grant     // nil where no token was needed
	Component *Component // nil for an account by itself
	Sets      []int      // of a component on behalf of an account: the permission sets that both have, none when it was withdrawn
}

// Authenticate tells who calls with a token. Errors: 40001 for a token that is unknown,
// superseded or revoked, 42001 for one that lived to its end less than a day ago.
//
// A grant is taken from memory for at most a second, and one that this process ended
// not at all; a grant that was not found is always looked for.
func (ls *Libraries) Authenticate(ctx context.Context, token string) (*Caller, error) {
	hash := sha256.Sum256([]byte(token))
	c, seen := ls.callers.get(hash)
	if c == nil {
		g, err := ls.Accounts.Grant(ctx, hash)
		if errors.Is(err, ErrNotFound) {
			return nil, wechat.ErrInvalidCredential
		}
		if err != nil {
			return nil, err
		}
		c, err = ls.caller(ctx, g)
		if errors.Is(err, ErrNotFound) {
			return nil, wechat.ErrInvalidCredential
		}
		if err != nil {
			return nil, err
		}
		ls.callers.put(hash, c, seen)
	}
	switch now := ls.now().Unix(); {
	case now < c.Grant.Ends:
		return c, nil
	case c.Grant.Ends < c.Grant.Expires, now >= c.Grant.Expires+remembered:
		return nil, wechat.ErrInvalidCredential
	}
	return nil, wechat.ErrTokenExpired
}
