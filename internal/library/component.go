package library

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"time"

	"sucai/wechat"
)

// NewComponent adds a third-party platform. An empty appID or secret is made up, as for
// an account. Its message token and AES key are made up too. The secret comes out once,
// in clear; only its hash is kept. ErrExists where the appid is taken.
func (ls *Libraries) NewComponent(ctx context.Context, appID, secret string) (c *Component, clear string, err error) {
	if appID, secret, err = credentials(appID, secret); err != nil {
		return nil, "", err
	}
	c = &Component{AppID: appID, Created: ls.now().Unix()}
	c.Settings.Token, c.Settings.AESKey, c.Settings.Mark = randomHex(16), wechat.NewAESKey(), randomHex(8)
	c.setSecret(secret)
	if err := ls.Accounts.CreateComponent(ctx, c); err != nil {
		return nil, "", err
	}
	return c, secret, nil
}

// RotateComponent gives a platform a new secret and ends its own tokens at once. What it
// holds on behalf of accounts, and its tickets, stay.
func (ls *Libraries) RotateComponent(ctx context.Context, appID string) (clear string, err error) {
	clear = randomHex(16)
	err = ls.changeComponent(ctx, appID, func(c *Component, h Holdings) error {
		c.setSecret(clear)
		return h.EndGrants(0, atOnce, ls.now().Unix())
	})
	return clear, err
}

// SetComponent changes what an operator may set. Setting the push address starts the
// push of tickets, unsetting it ends that. What was not delivered to the address before is
// dropped: it holds codes and tickets, which are for nobody else.
func (ls *Libraries) SetComponent(ctx context.Context, appID string, set func(*ComponentSettings) error) error {
	return ls.changeComponent(ctx, appID, func(c *Component, h Holdings) error {
		before := c.Settings.PushURL
		if err := set(&c.Settings); err != nil {
			return err
		}
		if c.Settings.PushURL == before {
			return nil
		}
		c.NextTicket = 0
		if c.Settings.PushURL != "" {
			c.NextTicket = ls.now().Unix()
		}
		return h.DropPushes("", "the push address was changed")
	})
}

// RemoveComponent removes a platform; its tokens, and those on behalf of accounts, end.
func (ls *Libraries) RemoveComponent(ctx context.Context, appID string) error {
	defer ls.callers.drop()
	return ls.Accounts.RemoveComponent(ctx, appID)
}

// changeComponent is ChangeComponent for this process: what it ended is ended here at once.
func (ls *Libraries) changeComponent(ctx context.Context, appID string, fn func(*Component, Holdings) error) error {
	defer ls.callers.drop()
	return ls.Accounts.ChangeComponent(ctx, appID, fn)
}

func (c *Component) setSecret(secret string) {
	c.Salt = make([]byte, 16)
	rand.Read(c.Salt)
	c.Hash = secretHash(c.Salt, secret)
}

// HasSecret tells, in constant time, whether secret is the platform's.
func (c *Component) HasSecret(secret string) bool {
	return subtle.ConstantTimeCompare(c.Hash, secretHash(c.Salt, secret)) == 1
}

// KnownComponent gives the platform with an appid; unknown where there is none.
func (ls *Libraries) KnownComponent(ctx context.Context, appID string, unknown *wechat.Error) (*Component, error) {
	if !plausible(appID) {
		return nil, unknown
	}
	c, err := ls.Accounts.Component(ctx, appID)
	if errors.Is(err, ErrNotFound) {
		return nil, unknown
	}
	return c, err
}

// ComponentState is what people are shown of a platform beside its settings.
type ComponentState struct {
	Authorized int64 // accounts
	Pushes     []*Push
}

// shownPushes is how many of the last messages people are shown.
const shownPushes = 10

// ComponentState gives a platform's state.
func (ls *Libraries) ComponentState(ctx context.Context, c *Component) (*ComponentState, error) {
	_, total, err := ls.Accounts.AuthorizationPage(ctx, c.ID, 0, 1)
	if err != nil {
		return nil, err
	}
	pushes, err := ls.Accounts.Pushes(ctx, c.ID, shownPushes)
	return &ComponentState{total, pushes}, err
}

// TicketAge is how old a platform's newest ticket is.
func (ls *Libraries) TicketAge(c *Component) time.Duration {
	return time.Duration(ls.now().Unix()-c.TicketMade) * time.Second
}
