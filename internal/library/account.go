package library

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

var appIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// ErrAppIDForm means that a text cannot be an appid.
var ErrAppIDForm = errors.New("an appid has 1 to 64 letters, digits, _ and -")

// NewAccount adds an account. An empty appID or secret is made up: wx and 16 hex
// digits, and 32 hex digits. The secret comes out once, in clear; only its hash is kept.
// ErrExists where the appid is taken.
func (ls *Libraries) NewAccount(ctx context.Context, appID, secret string) (a *Account, clear string, err error) {
	if appID, secret, err = credentials(appID, secret); err != nil {
		return nil, "", err
	}
	a = &Account{AppID: appID, Created: ls.now().Unix()}
	a.setSecret(secret)
	for {
		number, err := rand.Int(rand.Reader, big.NewInt(1e9))
		if err != nil {
			return nil, "", err
		}
		a.Uin = 3e9 + number.Int64()
		err = ls.Accounts.CreateAccount(ctx, a)
		if !errors.Is(err, ErrExists) {
			return a, secret, err
		}
		switch _, err := ls.Accounts.Account(ctx, appID); {
		case err == nil:
			return nil, "", ErrExists
		case !errors.Is(err, ErrNotFound):
			return nil, "", err
		}
		// The number was taken, not the appid.
	}
}

// credentials makes up what is empty and checks what is not.
func credentials(appID, secret string) (string, string, error) {
	if appID == "" {
		appID = "wx" + randomHex(8)
	}
	if !appIDForm.MatchString(appID) {
		return "", "", fmt.Errorf("appid %q: %w", appID, ErrAppIDForm)
	}
	if secret == "" {
		secret = randomHex(16)
	}
	if strings.TrimSpace(secret) != secret {
		return "", "", errors.New("a secret does not begin or end with white space")
	}
	return appID, secret, nil
}

// RotateSecret gives an account a new secret and ends its own tokens at once.
func (ls *Libraries) RotateSecret(ctx context.Context, appID string) (clear string, err error) {
	clear = randomHex(16)
	err = ls.change(ctx, appID, func(a *Account, g Grants) error {
		a.setSecret(clear)
		a.Stable = StableToken{}
		now := ls.now().Unix()
		return errors.Join(g.End(PlainGrant, atOnce, now), g.End(StableGrant, atOnce, now))
	})
	return clear, err
}

// SetAccount changes what an operator may set.
func (ls *Libraries) SetAccount(ctx context.Context, appID string, set func(*Settings) error) error {
	return ls.change(ctx, appID, func(a *Account, _ Grants) error { return set(&a.Settings) })
}

// RemoveAccount removes an account with all its materials, tokens first. The third-party
// platforms that it authorised are told.
func (ls *Libraries) RemoveAccount(ctx context.Context, appID string) error {
	a, err := ls.Accounts.Account(ctx, appID)
	if err != nil {
		return err
	}
	if err := ls.unauthorizeAll(ctx, a); err != nil {
		return err
	}
	if err := ls.Accounts.RemoveAccount(ctx, appID); err != nil {
		return err
	}
	ls.callers.drop()
	ls.clouds.drop()
	return ls.Materials.DeleteAll(ctx, a.ID)
}

// change is ChangeAccount for this process: what it ended is ended here at once.
func (ls *Libraries) change(ctx context.Context, appID string, fn func(*Account, Grants) error) error {
	defer ls.callers.drop()
	return ls.Accounts.ChangeAccount(ctx, appID, fn)
}

func (a *Account) setSecret(secret string) {
	a.Salt = make([]byte, 16)
	rand.Read(a.Salt)
	a.Hash = secretHash(a.Salt, secret)
}

// HasSecret tells, in constant time, whether secret is the account's.
func (a *Account) HasSecret(secret string) bool {
	return subtle.ConstantTimeCompare(a.Hash, secretHash(a.Salt, secret)) == 1
}

func secretHash(salt []byte, secret string) []byte {
	h := sha256.Sum256(append(append([]byte{}, salt...), secret...))
	return h[:]
}

func randomHex(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b)
	return hex.EncodeToString(b)
}
