package library

import (
	"context"
	"net/netip"
	"slices"

	"sucai/wechat"
)

// caller finds whom a grant stands for. ErrNotFound where its account or component is gone.
func (ls *Libraries) caller(ctx context.Context, g *Grant) (c *Caller, err error) {
	c = &Caller{Grant: g}
	if g.Account != 0 {
		if c.Account, err = ls.Accounts.AccountByID(ctx, g.Account); err != nil {
			return nil, err
		}
	}
	if g.Component == 0 {
		return c, nil
	}
	if c.Component, err = ls.Accounts.ComponentByID(ctx, g.Component); err != nil || g.Account == 0 {
		return c, err
	}
	switch auth, err := ls.Accounts.Authorization(ctx, g.Component, g.Account); err {
	case nil:
		c.Sets = slices.DeleteFunc(auth.Sets, func(n int) bool {
			own := c.Component.Settings.Sets
			return len(own) > 0 && !slices.Contains(own, n)
		})
	case ErrNotFound: // withdrawn
	default:
		return nil, err
	}
	return c, nil
}

// Admit tells whether the caller may call an account's endpoint now, from an address, and
// counts the call on the account's quota. sets are the permission sets of which a platform
// needs one. A platform has its own list of addresses, in place of the account's. Errors
// are those of [Library.Admit], and for a platform, at the places of the list of addresses
// and of the account's kind: 61004, and 61007 without a set.
func (ls *Libraries) Admit(ctx context.Context, c *Caller, endpoint string, sets []int, from netip.Addr) error {
	if c.Component == nil {
		return ls.Of(c.Account).Admit(ctx, endpoint, from)
	}
	if err := c.Component.admit(from); err != nil {
		return err
	}
	return ls.Of(c.Account).admit(ctx, endpoint, func() error {
		if !slices.ContainsFunc(sets, func(n int) bool { return slices.Contains(c.Sets, n) }) {
			return wechat.ErrSetMissing
		}
		return nil
	})
}

// AdmitComponent tells whether the platform may call its own endpoints from an address;
// 61004 beside its list.
func (ls *Libraries) AdmitComponent(c *Component, from netip.Addr) error { return c.admit(from) }

func (c *Component) admit(from netip.Addr) error {
	if list := c.Settings.Whitelist; len(list) > 0 && !slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(from) }) {
		return wechat.ErrClientIP.With(wechat.ErrClientIP.Msg + " requestIP: " + from.String())
	}
	return nil
}
