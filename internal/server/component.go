package server

import (
	"sucai/internal/library"
	"sucai/wechat"
)

// identifyComponent finds out which third-party platform calls by its own token, and
// whether it may from there. The older documents name the parameter
// component_access_token, the newer ones access_token.
func (rq *request) identifyComponent() error {
	if rq.caller == nil {
		token := rq.param("component_access_token")
		if token == "" {
			token = rq.param("access_token")
		}
		if token == "" {
			return wechat.ErrTokenMissing
		}
		c, err := rq.server.libraries.Authenticate(rq.Context(), token)
		if err != nil {
			return err
		}
		rq.caller = c
	}
	if rq.caller.Component == nil || rq.caller.Account != nil {
		return wechat.ErrComponentToken
	}
	return rq.server.libraries.AdmitComponent(rq.caller.Component, rq.server.client(rq.Request))
}

// textArgs gives string members of a request, "" for those that are absent.
func textArgs(args wechat.Object, names ...string) ([]string, error) {
	list := make([]string, len(names))
	for i, name := range names {
		var err error
		if list[i], err = args.Text(name); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// ofComponent makes an endpoint of a function for a platform that called by its token. It
// names itself in the body once more.
func ofComponent(fn func(rq *request, c *library.Component, args wechat.Object) (any, error)) endpoint {
	return arguments(smallBody, func(rq *request, args wechat.Object) (any, error) {
		appID, err := args.Text("component_appid")
		if err != nil {
			return nil, err
		}
		c := rq.caller.Component
		if appID != c.AppID {
			return nil, wechat.ErrInvalidComponent
		}
		value, err := fn(rq, c, args)
		if err == library.ErrNotFound { // it was removed under us, and its tokens with it
			err = wechat.ErrInvalidCredential
		}
		return value, err
	})
}

// platform checks what the two endpoints without a token ask for, and from where first:
// who may not call from there learns nothing of secrets.
func (rq *request) platform(appID, secret string, unknown *wechat.Error) error {
	c, err := rq.server.libraries.KnownComponent(rq.Context(), appID, unknown)
	if err != nil {
		return err
	}
	rq.caller = &library.Caller{Component: c} // for the log
	if err := rq.server.libraries.AdmitComponent(c, rq.server.client(rq.Request)); err != nil {
		return err
	}
	switch {
	case secret == "":
		return wechat.ErrSecretMissing
	case !c.HasSecret(secret):
		return wechat.ErrInvalidSecret
	}
	return nil
}

// startPushTicket is POST /cgi-bin/component/api_start_push_ticket.
func startPushTicket(rq *request, args wechat.Object) (any, error) {
	text, err := textArgs(args, "component_appid", "component_secret")
	if err != nil {
		return nil, err
	}
	if err := rq.platform(text[0], text[1], wechat.ErrInvalidAppID); err != nil {
		return nil, err
	}
	running, err := rq.server.libraries.StartTickets(rq.Context(), text[0], text[1])
	switch {
	case err == library.ErrNotFound: // it was removed since
		return nil, wechat.ErrInvalidAppID
	case err != nil:
		return nil, err
	case running:
		return wechat.Running, nil
	}
	return wechat.OK, nil
}

// componentToken is POST /cgi-bin/component/api_component_token.
func componentToken(rq *request, args wechat.Object) (any, error) {
	text, err := textArgs(args, "component_appid", "component_appsecret", "component_verify_ticket")
	if err != nil {
		return nil, err
	}
	if err := rq.platform(text[0], text[1], wechat.ErrInvalidComponent); err != nil {
		return nil, err
	}
	token, err := rq.server.libraries.ComponentToken(rq.Context(), text[0], text[1], text[2])
	if err == library.ErrNotFound { // it was removed since
		err = wechat.ErrInvalidComponent
	}
	return answer(token, err)
}

// createPreAuthCode is POST /cgi-bin/component/api_create_preauthcode.
func createPreAuthCode(rq *request, c *library.Component, _ wechat.Object) (any, error) {
	return answer(rq.server.libraries.NewPreAuthCode(rq.Context(), c.AppID))
}

// queryAuth is POST /cgi-bin/component/api_query_auth.
func queryAuth(rq *request, c *library.Component, args wechat.Object) (any, error) {
	code, err := args.Text("authorization_code")
	if err != nil {
		return nil, err
	}
	return answer(rq.server.libraries.QueryAuth(rq.Context(), c.AppID, code))
}

// authorizerToken is POST /cgi-bin/component/api_authorizer_token.
func authorizerToken(rq *request, c *library.Component, args wechat.Object) (any, error) {
	text, err := textArgs(args, "authorizer_appid", "authorizer_refresh_token")
	if err != nil {
		return nil, err
	}
	return answer(rq.server.libraries.AuthorizerToken(rq.Context(), c.AppID, text[0], text[1]))
}

// authorizerInfo is POST /cgi-bin/component/api_get_authorizer_info.
func authorizerInfo(rq *request, c *library.Component, args wechat.Object) (any, error) {
	appID, err := args.Text("authorizer_appid")
	if err != nil {
		return nil, err
	}
	return answer(rq.server.libraries.AuthorizerInfo(rq.Context(), c, appID))
}

// authorizerList is POST /cgi-bin/component/api_get_authorizer_list.
func authorizerList(rq *request, c *library.Component, args wechat.Object) (any, error) {
	var numbers [2]int64
	for i, name := range []string{"offset", "count"} {
		n, ok, err := args.Int(name)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, wechat.ErrInvalidArgs
		}
		numbers[i] = n
	}
	return answer(rq.server.libraries.AuthorizerList(rq.Context(), c, numbers[0], numbers[1]))
}

// answer keeps a nil pointer from becoming an answer.
func answer[T wechat.Answer](value T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return value, nil
}
