package library

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"sucai/wechat"
)

const (
	ticketLife  = 12 * 3600 // seconds
	ticketEvery = 600       // seconds from one pushed ticket to the next
	ticketFirst = "ticket@@@"
)

// A ticket says when it was made and is signed with the store's key, so that each is
// good for its 12 hours without a list of them, and an expired one is known from one
// that never was. It looks like the real ones: 86 characters behind ticket@@@.
func (ls *Libraries) newTicket(c *Component, now int64) string {
	b := make([]byte, 40)
	binary.BigEndian.PutUint64(b, uint64(now))
	rand.Read(b[8:])
	body := base64.RawURLEncoding.EncodeToString(b)
	return ticketFirst + body + ls.signTicket(c, body)
}

// signTicket names the platform as it is named in a copy of the store too, and as none is
// that gets the appid after it.
func (ls *Libraries) signTicket(c *Component, body string) string {
	return ls.sign("ticket", c.AppID, c.Settings.Mark, body)
}

// checkTicket tells whether a ticket is the platform's and good: 61006 and 61005 where
// it is not.
func (ls *Libraries) checkTicket(c *Component, ticket string) error {
	text, ok := strings.CutPrefix(ticket, ticketFirst)
	const bodySize, signSize = 54, 32
	if !ok || len(text) != bodySize+signSize ||
		subtle.ConstantTimeCompare([]byte(text[bodySize:]), []byte(ls.signTicket(c, text[:bodySize]))) != 1 {
		return wechat.ErrInvalidTicket
	}
	b, err := base64.RawURLEncoding.DecodeString(text[:bodySize])
	if err != nil {
		return wechat.ErrInvalidTicket
	}
	if made := int64(binary.BigEndian.Uint64(b)); ls.now().Unix()-made >= ticketLife {
		return wechat.ErrTicketExpired
	}
	return nil
}

// renewTicket makes the platform's ticket anew and, where it has an address, the message
// that brings it. Tickets that are still under way give way to it.
func (ls *Libraries) renewTicket(c *Component, h Holdings, ours bool) (*Push, error) {
	now := ls.now().Unix()
	c.Ticket, c.TicketMade = ls.newTicket(c, now), now
	if c.Settings.PushURL == "" {
		return nil, nil
	}
	if err := h.DropPushes(wechat.InfoTicket, "gave way to a newer ticket"); err != nil {
		return nil, err
	}
	return ls.addPush(c, h, 0, &wechat.ComponentEvent{InfoType: wechat.InfoTicket, ComponentVerifyTicket: c.Ticket}, ours)
}

// Ticket gives the platform's newest ticket, for those who receive no pushes. Where there
// is none, or one with less than an hour to go, it is made.
func (ls *Libraries) Ticket(ctx context.Context, appID string) (ticket string, err error) {
	err = ls.changeComponent(ctx, appID, func(c *Component, _ Holdings) error {
		now := ls.now().Unix()
		if c.Ticket == "" || now-c.TicketMade > ticketLife-3600 {
			c.Ticket, c.TicketMade = ls.newTicket(c, now), now
		}
		ticket = c.Ticket
		return nil
	})
	return ticket, err
}

// StartTickets starts the push of tickets, as api_start_push_ticket does, and tells
// whether it was started already. 40125 for a wrong secret.
func (ls *Libraries) StartTickets(ctx context.Context, appID, secret string) (running bool, err error) {
	err = ls.changeComponent(ctx, appID, func(c *Component, _ Holdings) error {
		if !c.HasSecret(secret) {
			return wechat.ErrInvalidSecret
		}
		if running = c.NextTicket > 0; !running {
			c.NextTicket = ls.now().Unix()
		}
		return nil
	})
	return running, err
}

// ComponentToken issues a component_access_token, as api_component_token does. The ones
// before it end in five minutes. Errors: 40125 for a wrong secret, 61006 and 61005 for a
// ticket that is none or too old.
func (ls *Libraries) ComponentToken(ctx context.Context, appID, secret, ticket string) (*wechat.ComponentToken, error) {
	token, now := newToken(), ls.now().Unix()
	err := ls.changeComponent(ctx, appID, func(c *Component, h Holdings) error {
		if !c.HasSecret(secret) {
			return wechat.ErrInvalidSecret
		}
		if err := ls.checkTicket(c, ticket); err != nil {
			return err
		}
		if err := h.EndGrants(0, now+overlap, now); err != nil {
			return err
		}
		return h.AddGrant(newGrant(ComponentGrant, token, now))
	})
	if err != nil {
		return nil, err
	}
	return &wechat.ComponentToken{ComponentAccessToken: token, ExpiresIn: tokenLife}, nil
}
