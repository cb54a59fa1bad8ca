package library

import (
	"context"
	"errors"
	"slices"
	"time"
)

const maxRefresh = 512 // bytes of a refresh token that is taken in

// importTime is after how long an import lets others have their turn: what it took in so
// far is one transaction, which excludes them and has a limit of its own.
const importTime = 500 * time.Millisecond

// ImportedAuthorization is one authorisation to take in as it is.
type ImportedAuthorization struct {
	Account      *Account
	Sets         []int
	RefreshToken string
}

// ImportAuthorizations takes in authorisations with the refresh tokens that the platform
// has of them already, so that it goes on without asking anybody. Nothing is pushed. Where
// one of them cannot be, none is taken in; trouble may leave the first so many taken, and
// to import them again changes nothing of those.
func (ls *Libraries) ImportAuthorizations(ctx context.Context, appID string, list []ImportedAuthorization) (taken int, err error) {
	for _, one := range list {
		if !plausible(one.RefreshToken) || len(one.RefreshToken) > maxRefresh {
			return 0, errors.New(one.Account.AppID + ": that is no refresh token")
		}
	}
	for taken < len(list) {
		var piece int
		err := ls.changeComponent(ctx, appID, func(_ *Component, h Holdings) error {
			piece = 0
			for began := time.Now(); taken+piece < len(list) && time.Since(began) < importTime; piece++ {
				if err := ls.importAuthorization(h, list[taken+piece]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return taken, err
		}
		taken += piece
	}
	return taken, nil
}

func (ls *Libraries) importAuthorization(h Holdings, one ImportedAuthorization) error {
	before, err := h.Authorization(one.Account.ID)
	switch {
	case err == nil && before.RefreshToken == one.RefreshToken && slices.Equal(before.Sets, one.Sets):
		return nil // by an import that broke off
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	}
	_, err = ls.grantSets(h, one.Account, one.Sets, one.RefreshToken, ls.now().Unix())
	return err
}
