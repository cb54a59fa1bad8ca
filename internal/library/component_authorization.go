package library

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"slices"

	"sucai/wechat"
)

const (
	preAuthLife = 1800 // seconds; the page's text, its sample says 600
	codeLife    = 3600 // seconds
)

// NewPreAuthCode makes a pre-auth code, with which the authorisation page is opened
// once, as api_create_preauthcode does.
func (ls *Libraries) NewPreAuthCode(ctx context.Context, appID string) (*wechat.PreAuthCode, error) {
	text := newCode("preauthcode@@@")
	err := ls.changeComponent(ctx, appID, func(_ *Component, h Holdings) error {
		return h.AddCode(&Code{Hash: sha256.Sum256([]byte(text)), Kind: PreAuthCode, Expires: ls.now().Unix() + preAuthLife})
	})
	if err != nil {
		return nil, err
	}
	return &wechat.PreAuthCode{PreAuthCode: text, ExpiresIn: preAuthLife}, nil
}

// newCode has the shape of real ones: a word and 86 characters.
func newCode(first string) string {
	b := make([]byte, 64)
	rand.Read(b)
	return first + base64.RawURLEncoding.EncodeToString(b)
}

func newRefreshToken() string {
	b := make([]byte, 32)
	rand.Read(b)
	return "refreshtoken@@@" + base64.RawURLEncoding.EncodeToString(b)
}

// useCode takes a code that is good for one use: 61009 where it is unknown or used,
// 61010 where it has expired.
func (ls *Libraries) useCode(h Holdings, text string, kind CodeKind) (*Code, error) {
	code, err := h.TakeCode(sha256.Sum256([]byte(text)), kind)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, wechat.ErrInvalidCode
	case err != nil:
		return nil, err
	case ls.now().Unix() >= code.Expires:
		return nil, wechat.ErrCodeExpired // the code comes back, and stays expired
	}
	return code, nil
}

// Authorize lets a platform call on behalf of an account, within permission sets, and
// gives an authorization code for it, good once and for an hour. An earlier authorisation
// is replaced, and its refresh token ends. A pre-auth code is used up where one is given:
// 61009, 61010. The platform is told, unless it may do now what it could before.
func (ls *Libraries) Authorize(ctx context.Context, appID string, a *Account, sets []int, preAuthCode string) (code string, err error) {
	code = newCode("queryauthcode@@@")
	err = ls.changeComponent(ctx, appID, func(c *Component, h Holdings) error {
		now := ls.now().Unix()
		if preAuthCode != "" {
			if _, err := ls.useCode(h, preAuthCode, PreAuthCode); err != nil {
				return err
			}
		}
		event, err := ls.grantSets(h, a, sets, newRefreshToken(), now)
		if err != nil {
			return err
		}
		if err := h.AddCode(&Code{Hash: sha256.Sum256([]byte(code)), Kind: AuthorizationCode, Account: a.ID, Expires: now + codeLife}); err != nil {
			return err
		}
		if event == "" {
			return nil
		}
		_, err = ls.addPush(c, h, a.ID, &wechat.ComponentEvent{
			InfoType: event, AuthorizerAppID: a.AppID, AuthorizationCode: code, AuthorizationCodeExpiredTime: now + codeLife, PreAuthCode: preAuthCode,
		}, false)
		return err
	})
	return code, err
}

// newerEvent is the outcome of an event that was not delivered before the next one about
// the same account: events of one account never come in another order than they happened.
const newerEvent = "gave way to what happened later"

// grantSets stores an authorisation and tells what event that is, "" where the same was
// allowed before and the platform knows. Events that are still under way give way to it:
// their codes are good no more. Tokens from before a withdrawal do not come back to life.
func (ls *Libraries) grantSets(h Holdings, a *Account, sets []int, refreshToken string, now int64) (event string, err error) {
	next := &Authorization{Account: a.ID, Sets: sets, RefreshToken: refreshToken, Created: now, Updated: now}
	before, err := h.Authorization(a.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		event = wechat.InfoAuthorized
		if err := h.EndGrants(a.ID, atOnce, now); err != nil {
			return "", err
		}
	case err != nil:
		return "", err
	default:
		next.Created = before.Created
		if !slices.Equal(before.Sets, sets) {
			event = wechat.InfoUpdated
		}
	}
	dropped, err := h.DropEvents(a.ID, newerEvent)
	if err != nil {
		return "", err
	}
	if event != wechat.InfoAuthorized && dropped != "" {
		event = dropped // the platform may not have heard of it
	}
	return event, h.SetAuthorization(next)
}

// Unauthorize withdraws an authorisation, and tells the platform. From now on its calls
// on behalf of the account get 61007. ErrNotFound where there is none.
func (ls *Libraries) Unauthorize(ctx context.Context, appID string, a *Account) error {
	return ls.changeComponent(ctx, appID, func(c *Component, h Holdings) error {
		if err := h.RemoveAuthorization(a.ID); err != nil {
			return err
		}
		if _, err := h.DropEvents(a.ID, newerEvent); err != nil {
			return err
		}
		_, err := ls.addPush(c, h, a.ID, &wechat.ComponentEvent{InfoType: wechat.InfoUnauthorized, AuthorizerAppID: a.AppID}, false)
		return err
	})
}

// unauthorizeAll withdraws all that an account allowed.
func (ls *Libraries) unauthorizeAll(ctx context.Context, a *Account) error {
	list, err := ls.Accounts.ComponentList(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		_, err := ls.Accounts.Authorization(ctx, c.ID, a.ID) // most have none, and a look costs no write
		if err == nil {
			err = ls.Unauthorize(ctx, c.AppID, a)
		}
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// QueryAuth uses up an authorization code and gives what was authorised with a new
// authorizer_access_token, as api_query_auth does. 61009 for a code that is unknown or
// used, or whose authorisation was withdrawn or replaced, 61010 for one that has expired.
func (ls *Libraries) QueryAuth(ctx context.Context, appID, code string) (*wechat.AuthorizationInfo, error) {
	var info *wechat.AuthorizationInfo
	err := ls.changeComponent(ctx, appID, func(_ *Component, h Holdings) error {
		used, err := ls.useCode(h, code, AuthorizationCode)
		if err != nil {
			return err
		}
		auth, err := h.Authorization(used.Account)
		if errors.Is(err, ErrNotFound) {
			return wechat.ErrInvalidCode
		}
		if err != nil {
			return err
		}
		token, err := ls.authorizerToken(h, auth)
		if err != nil {
			return err
		}
		info = &wechat.AuthorizationInfo{AuthorizerAppID: auth.AppID, AuthorizerToken: *token, FuncInfo: auth.Sets}
		return nil
	})
	return info, err
}

// authorizerToken issues a token on behalf of an account. Those before it end in five
// minutes.
func (ls *Libraries) authorizerToken(h Holdings, auth *Authorization) (*wechat.AuthorizerToken, error) {
	token, now := newToken(), ls.now().Unix()
	if err := h.EndGrants(auth.Account, now+overlap, now); err != nil {
		return nil, err
	}
	grant := newGrant(AuthorizerGrant, token, now)
	grant.Account = auth.Account
	if err := h.AddGrant(grant); err != nil {
		return nil, err
	}
	return &wechat.AuthorizerToken{AuthorizerAccessToken: token, ExpiresIn: tokenLife, AuthorizerRefreshToken: auth.RefreshToken}, nil
}

// AuthorizerToken gives a new authorizer_access_token for a refresh token, as
// api_authorizer_token does. Errors: 40013 for an account that there is not, 61003 for
// one that has not authorised the platform, 61023 for a wrong refresh token.
func (ls *Libraries) AuthorizerToken(ctx context.Context, appID, authorizer, refreshToken string) (*wechat.AuthorizerToken, error) {
	a, err := ls.Known(ctx, authorizer)
	if err != nil {
		return nil, err
	}
	var token *wechat.AuthorizerToken
	err = ls.changeComponent(ctx, appID, func(_ *Component, h Holdings) error {
		auth, err := h.Authorization(a.ID)
		switch {
		case errors.Is(err, ErrNotFound):
			return wechat.ErrNotAuthorizer
		case err != nil:
			return err
		case subtle.ConstantTimeCompare([]byte(auth.RefreshToken), []byte(refreshToken)) != 1:
			return wechat.ErrInvalidRefreshToken
		}
		token, err = ls.authorizerToken(h, auth)
		return err
	})
	return token, err
}

// AuthorizerInfo tells a platform about an account, as api_get_authorizer_info does.
// Errors: 40013 for an account that there is not, 61003 for one that has not authorised
// the platform.
func (ls *Libraries) AuthorizerInfo(ctx context.Context, c *Component, authorizer string) (*wechat.AuthorizerInfo, error) {
	a, err := ls.Known(ctx, authorizer)
	if err != nil {
		return nil, err
	}
	auth, err := ls.Accounts.Authorization(ctx, c.ID, a.ID)
	if errors.Is(err, ErrNotFound) {
		return nil, wechat.ErrNotAuthorizer
	}
	if err != nil {
		return nil, err
	}
	name := a.Settings.Name
	if name == "" {
		name = a.AppID
	}
	info := &wechat.AuthorizerInfo{
		NickName: name, UserName: "gh_" + ls.sign("user name", a.AppID)[:12],
		AuthorizerAppID: a.AppID, AuthorizerRefreshToken: auth.RefreshToken, FuncInfo: auth.Sets,
	}
	info.ServiceType, info.VerifyType, info.MiniProgram = a.Settings.Kind.typeInfo()
	return info, nil
}

// typeInfo gives the numbers by which the platform tells kinds of accounts. An account
// that may do everything is shown as a service account that is verified.
func (k Kind) typeInfo() (service, verify int, mini bool) {
	switch k {
	case "subscription":
		return 0, -1, false
	case "verified-subscription":
		return 0, 0, false
	case "service":
		return 2, -1, false
	case "mini-program":
		return 0, -1, true
	case "verified-mini-program":
		return 0, 0, true
	}
	return 2, 0, false
}

// AuthorizerList gives the accounts that authorised a platform, as
// api_get_authorizer_list does. 40097 for an offset below 0 or a count that is not from
// 1 to 500.
func (ls *Libraries) AuthorizerList(ctx context.Context, c *Component, offset, count int64) (*wechat.AuthorizerPage, error) {
	if offset < 0 || count < 1 || count > 500 {
		return nil, wechat.ErrInvalidArgs
	}
	list, total, err := ls.Accounts.AuthorizationPage(ctx, c.ID, offset, count)
	if err != nil {
		return nil, err
	}
	page := &wechat.AuthorizerPage{Total: total}
	for _, auth := range list {
		page.List = append(page.List, wechat.AuthorizerItem{AuthorizerAppID: auth.AppID, RefreshToken: auth.RefreshToken, AuthTime: auth.Updated})
	}
	return page, nil
}
