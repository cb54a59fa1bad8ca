package library

import (
	"context"
	"crypto/sha256"
	"errors"
	"reflect"
	"slices"
)

// byAppID finds what has an appid.
func byAppID[T any](list []T, appID func(T) string) map[string]T {
	found := map[string]T{}
	for _, one := range list {
		found[appID(one)] = one
	}
	return found
}

// copyAccounts makes the accounts of the target those of the source, and gives these. One
// that was removed and added again has another number, and none of its old materials.
func (c *copying) copyAccounts(ctx context.Context) ([]*Account, error) {
	list, err := c.from.Accounts.AccountList(ctx)
	if err != nil {
		return nil, err
	}
	there, err := c.to.Accounts.AccountList(ctx)
	if err != nil {
		return nil, err
	}
	wanted := byAppID(list, func(a *Account) string { return a.AppID })
	kept := map[string]*Account{}
	for _, old := range there {
		if a := wanted[old.AppID]; a != nil && a.Uin == old.Uin {
			kept[old.AppID] = old
			continue
		}
		n, err := listed(ctx, c.to.Materials, old.ID)
		if err != nil {
			return nil, err
		}
		if err := c.to.Accounts.RemoveAccount(ctx, old.AppID); err != nil {
			return nil, err
		}
		if err := c.to.Materials.DeleteAll(ctx, old.ID); err != nil {
			return nil, err
		}
		c.done.Removed += n
	}
	for _, a := range list {
		made, old := *a, kept[a.AppID]
		var err error
		if old == nil {
			err = c.to.Accounts.CreateAccount(ctx, &made)
		} else if made.ID, made.Stable = old.ID, old.Stable; !reflect.DeepEqual(&made, old) {
			err = c.to.Accounts.ChangeAccount(ctx, a.AppID, func(t *Account, _ Grants) error {
				t.Salt, t.Hash, t.Settings = a.Salt, a.Hash, a.Settings
				return nil
			})
		}
		if err != nil {
			return nil, err
		}
		c.accounts[a.ID] = made.ID
		c.done.Accounts++
	}
	return list, nil
}

// copyComponents does the same for third-party platforms, and for what accounts allow them.
func (c *copying) copyComponents(ctx context.Context) error {
	list, err := c.from.Accounts.ComponentList(ctx)
	if err != nil {
		return err
	}
	there, err := c.to.Accounts.ComponentList(ctx)
	if err != nil {
		return err
	}
	wanted := byAppID(list, func(p *Component) string { return p.AppID })
	kept := map[string]*Component{}
	for _, old := range there {
		if p := wanted[old.AppID]; p != nil && p.Settings.Mark == old.Settings.Mark {
			kept[old.AppID] = old
		} else if err := c.to.Accounts.RemoveComponent(ctx, old.AppID); err != nil {
			return err
		}
	}
	for _, p := range list {
		made, old := *p, kept[p.AppID]
		var err error
		if old == nil {
			err = c.to.Accounts.CreateComponent(ctx, &made)
		} else if made.ID = old.ID; !reflect.DeepEqual(&made, old) {
			err = c.to.Accounts.ChangeComponent(ctx, p.AppID, func(t *Component, _ Holdings) error {
				*t = made
				return nil
			})
		}
		if err != nil {
			return err
		}
		c.components[p.ID] = made.ID
		if err := c.copyAuthorizations(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// How many authorisations are read at once, and written in one transaction, which takes
// several statements for each.
const (
	authorizationsAtOnce = 500
	authorizationsInOne  = 50
)

func authorizations(ctx context.Context, as Accounts, component int64) (list []*Authorization, err error) {
	for offset := int64(0); ; offset += authorizationsAtOnce {
		piece, total, err := as.AuthorizationPage(ctx, component, offset, authorizationsAtOnce)
		if list = append(list, piece...); err != nil || offset+authorizationsAtOnce >= total {
			return list, err
		}
	}
}

func (c *copying) copyAuthorizations(ctx context.Context, p *Component) error {
	list, err := authorizations(ctx, c.from.Accounts, p.ID)
	if errors.Is(err, ErrNotFound) {
		return nil // the platform was removed meanwhile
	}
	if err != nil {
		return err
	}
	there, err := authorizations(ctx, c.to.Accounts, c.components[p.ID])
	if err != nil {
		return err
	}
	old := byAppID(there, func(a *Authorization) string { return a.AppID })
	var gone []int64
	var changed []*Authorization
	for _, a := range list {
		account, ok := c.accounts[a.Account]
		if !ok {
			continue // added since the accounts were read
		}
		want := *a
		want.Component, want.Account = c.components[p.ID], account
		have := old[a.AppID]
		delete(old, a.AppID)
		if !reflect.DeepEqual(&want, have) {
			changed = append(changed, &want)
		}
	}
	left := map[int64]bool{}
	for _, a := range old {
		left[a.Account] = true
	}
	for source, target := range c.accounts {
		if !left[target] {
			continue
		}
		// The list may have lacked it: others were withdrawn while it was read.
		switch _, err := c.from.Accounts.Authorization(ctx, p.ID, source); {
		case errors.Is(err, ErrNotFound):
			gone = append(gone, target)
		case err != nil:
			return err
		}
	}
	for piece := range slices.Chunk(changed, authorizationsInOne) {
		err := c.to.Accounts.ChangeComponent(ctx, p.AppID, func(_ *Component, h Holdings) error {
			for _, a := range piece {
				if err := h.SetAuthorization(a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for piece := range slices.Chunk(gone, authorizationsInOne) {
		err := c.to.Accounts.ChangeComponent(ctx, p.AppID, func(_ *Component, h Holdings) error {
			for _, account := range piece {
				if err := h.RemoveAuthorization(account); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyCloudEnvs makes the environments of cloud calls those of the source.
func (c *copying) copyCloudEnvs(ctx context.Context) error {
	list, err := c.from.Accounts.CloudEnvList(ctx)
	if err != nil {
		return err
	}
	there, err := c.to.Accounts.CloudEnvList(ctx)
	if err != nil {
		return err
	}
	for _, old := range there {
		i := slices.IndexFunc(list, func(e *CloudEnv) bool { return reflect.DeepEqual(e, old) })
		if i >= 0 {
			list = slices.Delete(list, i, i+1)
		} else if err := c.to.Accounts.RemoveCloudEnv(ctx, old.ID); err != nil {
			return err
		}
	}
	for _, e := range list {
		err := c.to.Accounts.CreateCloudEnv(ctx, e)
		if err != nil && !errors.Is(err, ErrNotFound) { // of an account that was added or removed meanwhile
			return err
		}
	}
	return nil
}

// grantsAtOnce are read, and written in one transaction.
const grantsAtOnce = 500

// copyGrants makes the access tokens of the target those of the source, or none: what was
// taken along before may have been revoked since. It comes last, so that what is taken
// along is as new as it can be.
func (c *copying) copyGrants(ctx context.Context, list []*Account) error {
	if err := c.to.Accounts.DropGrants(ctx); err != nil {
		return err
	}
	for after := [32]byte{}; c.o.Grants; {
		piece, err := c.from.Accounts.GrantList(ctx, after, grantsAtOnce)
		if err != nil {
			return err
		}
		if len(piece) == 0 {
			break
		}
		after = piece[len(piece)-1].Hash
		piece = slices.DeleteFunc(piece, func(g *Grant) bool { return !c.toTarget(g) })
		if err := c.to.Accounts.ImportGrants(ctx, piece); err != nil {
			return err
		}
	}
	for _, a := range list {
		if err := c.copyStable(ctx, a.AppID); err != nil {
			return err
		}
	}
	return nil
}

// toTarget gives a grant the IDs of the target; it is false where that lacks one.
func (c *copying) toTarget(g *Grant) (ok bool) {
	if g.Account != 0 {
		if g.Account, ok = c.accounts[g.Account]; !ok {
			return false
		}
	}
	if g.Component != 0 {
		if g.Component, ok = c.components[g.Component]; !ok {
			return false
		}
	}
	return true
}

// copyStable takes along the stable token of an account, which is handed out again. One
// without its grant would be good for nothing, and is left out.
func (c *copying) copyStable(ctx context.Context, appID string) error {
	a, err := c.from.Accounts.Account(ctx, appID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	stable := a.Stable
	_, err = c.to.Accounts.Grant(ctx, sha256.Sum256([]byte(stable.Token)))
	if errors.Is(err, ErrNotFound) {
		stable.Token, stable.Expires = "", 0
	} else if err != nil {
		return err
	}
	there, err := c.to.Accounts.Account(ctx, appID)
	if err != nil || there.Stable == stable {
		return err
	}
	return c.to.Accounts.ChangeAccount(ctx, appID, func(t *Account, _ Grants) error {
		t.Stable = stable
		return nil
	})
}
