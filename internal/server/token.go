package server

import (
	"encoding/json"

	"sucai/internal/library"
	"sucai/wechat"
)

// token is GET /cgi-bin/token.
func token(rq *request) (any, error) {
	a, err := rq.credential(rq.param("appid"), rq.param("grant_type"), rq.param("secret"))
	if err != nil {
		return nil, err
	}
	return rq.server.libraries.Token(rq.Context(), a, rq.param("secret"))
}

// stableToken is POST /cgi-bin/stable_token.
func stableToken(rq *request, args wechat.Object) (any, error) {
	var text [3]string
	for i, name := range []string{"appid", "grant_type", "secret"} {
		var err error
		if text[i], err = args.Text(name); err != nil {
			return nil, err
		}
	}
	var force bool
	if raw, ok := args["force_refresh"]; ok && json.Unmarshal(raw, &force) != nil {
		return nil, wechat.ErrDataFormat
	}
	a, err := rq.credential(text[0], text[1], text[2])
	if err != nil {
		return nil, err
	}
	return rq.server.libraries.StableToken(rq.Context(), a, text[2], force)
}

// credential checks what both token endpoints ask for, the appid first, and whether the
// account may call.
func (rq *request) credential(appID, grantType, secret string) (*library.Account, error) {
	if appID == "" {
		return nil, wechat.ErrAppIDMissing
	}
	a, err := rq.server.libraries.Known(rq.Context(), appID)
	if err != nil {
		return nil, err
	}
	rq.caller = &library.Caller{Account: a} // for the log
	switch {
	case grantType != "client_credential":
		return nil, wechat.ErrInvalidGrantType
	case secret == "":
		return nil, wechat.ErrSecretMissing
	case !a.HasSecret(secret):
		return nil, wechat.ErrInvalidSecret
	}
	return a, rq.admit(rq.caller)
}
