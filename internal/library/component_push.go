package library

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"sucai/wechat"
)

const (
	pushTime   = 5 * time.Second // for a platform to answer
	pushLease  = 30              // seconds that a message is its taker's alone; well above pushTime
	firstPause = 10              // seconds after a first failure; twice as long after each further one
	restPause  = 10              // seconds that a platform is left in peace after a failure of any message
	mostPause  = 3600            // seconds
	mostTries  = 12              // about four hours
	ticketsAt  = 100             // components that are looked after at once
)

// addPush stores a message for the platform, unless it has no address to send it to. It is
// due at once or, when it is ours, has our lease. account is the one that an event is about.
func (ls *Libraries) addPush(c *Component, h Holdings, account int64, event *wechat.ComponentEvent, ours bool) (*Push, error) {
	if c.Settings.PushURL == "" {
		return nil, nil
	}
	now := ls.now().Unix()
	event.AppID, event.CreateTime = c.AppID, now
	p := &Push{Account: account, InfoType: event.InfoType, Message: event.AppendXML(nil), Created: now, Due: now}
	if ours {
		p.Due, p.Tries = now+pushLease, 1
	}
	return p, h.AddPush(p)
}

// MakeTickets makes the tickets that are due, each with its message. On several nodes
// each ticket is made once. Trouble with one platform keeps no other from its ticket.
func (ls *Libraries) MakeTickets(ctx context.Context) error {
	now := ls.now().Unix()
	appIDs, err := ls.Accounts.TicketsDue(ctx, now, ticketsAt)
	if err != nil {
		return err
	}
	var failed []error
	for _, appID := range appIDs {
		err := ls.Accounts.ChangeComponent(ctx, appID, func(c *Component, h Holdings) error {
			if c.NextTicket == 0 || c.NextTicket > now { // another node was first
				return nil
			}
			if c.Settings.PushURL == "" { // nowhere to send it
				c.NextTicket = 0
				return nil
			}
			c.NextTicket = now + ticketEvery
			_, err := ls.renewTicket(c, h, false)
			return err
		})
		if err != nil && !errors.Is(err, ErrNotFound) {
			failed = append(failed, fmt.Errorf("ticket of %s: %w", appID, err))
		}
	}
	return errors.Join(failed...)
}

// PushNext takes the message that is longest due and delivers it, and tells whether there
// was one. What became of it stands in the store; an error is trouble of ours. client has
// the same duties as for [PushTicket].
func (ls *Libraries) PushNext(ctx context.Context, client *http.Client) (any bool, err error) {
	now := ls.now().Unix()
	p, err := ls.Accounts.TakePush(ctx, now, now+pushLease)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c, err := ls.Accounts.ComponentByID(ctx, p.Component)
	if errors.Is(err, ErrNotFound) {
		return true, nil // it was removed, and its messages with it
	}
	if err != nil {
		return true, err
	}
	return true, ls.deliver(ctx, client, c, p)
}

// deliver sends a message that was taken, and stores what became of it.
func (ls *Libraries) deliver(ctx context.Context, client *http.Client, c *Component, p *Push) error {
	limited, cancel := context.WithTimeout(ctx, pushTime)
	defer cancel()
	failed := ls.send(limited, client, c, p)
	if ctx.Err() != nil {
		return ctx.Err() // we are ending; the message falls due again when its lease has passed
	}
	if failed == nil {
		ls.done.pushed.Add(1)
	} else {
		ls.done.pushFailed.Add(1)
	}
	now := ls.now().Unix()
	switch {
	case failed == nil:
		p.Due, p.Delivered, p.Outcome = 0, true, "success"
	case p.Tries >= mostTries:
		p.Due, p.Outcome = 0, "given up: "+storable(failed.Error())
	default:
		p.Due, p.Outcome = now+min(int64(firstPause)<<(p.Tries-1), mostPause), storable(failed.Error())
	}
	var next int64 // a platform that fails is not asked again at once, or it would hold up the others
	if failed != nil {
		next = now + restPause
	}
	err := ls.Accounts.FinishPush(ctx, p, next)
	if errors.Is(err, ErrConflict) {
		return nil // a newer message took its place, or another node the message
	}
	return err
}

func (ls *Libraries) send(ctx context.Context, client *http.Client, c *Component, p *Push) error {
	if c.Settings.PushURL == "" {
		return errors.New("the platform has no push_url any more")
	}
	cipher, err := wechat.NewMessageCipher(c.AppID, c.Settings.Token, c.Settings.AESKey)
	if err != nil {
		return err
	}
	return cipher.Push(ctx, client, c.Settings.PushURL, p.Message, ls.now().Unix())
}

// NotPushed is a ticket that the platform did not take; it is tried again.
type NotPushed struct{ Outcome string }

func (e *NotPushed) Error() string { return "the ticket was not taken: " + e.Outcome }

// ErrNoPushURL means that there is no address to push to.
var ErrNoPushURL = errors.New("the platform has no push_url")

// PushTicket makes a new ticket, starts the push of tickets and delivers this one at
// once. The error is ErrNoPushURL, or a *NotPushed where the platform did not take it; the
// server then tries again. client follows no redirects: the message is for one address.
func (ls *Libraries) PushTicket(ctx context.Context, client *http.Client, appID string) error {
	var c *Component
	var p *Push
	err := ls.changeComponent(ctx, appID, func(changed *Component, h Holdings) (err error) {
		if changed.Settings.PushURL == "" {
			return ErrNoPushURL
		}
		c, changed.NextTicket = changed, ls.now().Unix()+ticketEvery
		p, err = ls.renewTicket(changed, h, true) // so that a running server does not send it too
		return err
	})
	if err != nil {
		return err
	}
	if err := ls.deliver(ctx, client, c, p); err != nil {
		return err
	}
	if !p.Delivered {
		return &NotPushed{p.Outcome}
	}
	return nil
}

// String says how a message fares, in words.
func (p *Push) String() string {
	at := time.Unix(p.Created, 0).Format(time.RFC3339)
	switch {
	case p.Delivered:
		return fmt.Sprintf("%s %s: delivered", at, p.InfoType)
	case p.Due == 0:
		return fmt.Sprintf("%s %s: %s", at, p.InfoType, p.Outcome)
	case p.Tries == 0 || p.Outcome == "":
		return fmt.Sprintf("%s %s: on its way", at, p.InfoType)
	}
	return fmt.Sprintf("%s %s: %s; tried %d times, again at %s", at, p.InfoType, p.Outcome, p.Tries, time.Unix(p.Due, 0).Format(time.RFC3339))
}
