package server

import (
	"net/http"
	"slices"
	"strings"

	"sucai/internal/library"
	"sucai/wechat"
)

// route is one line of the API's documentation.
type route struct {
	methods  string // GET, POST, or both
	caller   caller
	endpoint endpoint
}

// caller is who may call.
type caller int

const (
	nobody  caller = iota // without a token
	account               // an account's access_token
)

// endpoint reads its arguments from the request and returns a wechat.Answer, a
// *wechat.File or, of an answer that is encoded already, a *spool; or an error: a
// *wechat.Error for the caller, anything else is trouble.
type endpoint func(rq *request) (any, error)

var routes = map[string]route{
	"/cgi-bin/token":        {"GET", nobody, token},
	"/cgi-bin/stable_token": {"POST", nobody, arguments(tokenBody, stableToken)},

	"/cgi-bin/material/get_material":      {"POST", account, byMediaID(getMaterial)},
	"/cgi-bin/material/batchget_material": {"POST", account, arguments(smallBody, batchGetMaterial)},
	"/cgi-bin/material/get_materialcount": {"GET POST", account, getMaterialCount},
	"/cgi-bin/material/add_material":      {"POST", account, addMaterial},
	"/cgi-bin/material/del_material":      {"POST", account, byMediaID(delMaterial)},
	"/cgi-bin/material/add_news":          {"POST", account, unlessRetired(arguments(newsBody, addNews))},
	"/cgi-bin/material/update_news":       {"POST", account, unlessRetired(argumentsBeside(news, newsBody, updateNews))},

	"/cgi-bin/media/uploadimg": {"POST", account, uploadImg},
	"/cgi-bin/media/upload":    {"POST", account, mediaUpload},
	"/cgi-bin/media/get":       {"GET", account, mediaGet},
}

// identify finds out who calls, unless that is known already.
func (rq *request) identify() error {
	if rq.caller != nil {
		return nil
	}
	token := rq.param("access_token")
	if token == "" {
		return wechat.ErrTokenMissing
	}
	c, err := rq.server.libraries.Authenticate(rq.Context(), token)
	if err == nil {
		rq.as(c)
	}
	return err
}

func (rq *request) as(c *library.Caller) {
	rq.caller, rq.library = c, rq.server.libraries.Of(c.Account)
}

// name is an endpoint's in settings and quotas.
func (rq *request) name() string {
	return strings.TrimPrefix(strings.TrimPrefix(rq.URL.Path, "/cgi-bin/"), "material/")
}

// admit asks whether the account may make this call, now and from where it comes.
func (rq *request) admit(a *library.Account) error {
	return rq.server.libraries.Of(a).Admit(rq.Context(), rq.name(), rq.server.client(rq.Request))
}

// call checks in the documented order: https, path, token, account, method, body,
// arguments. The last two are the endpoint's.
func (rq *request) call() (any, error) {
	switch {
	case rq.known != nil && rq.known.Refused != nil:
		return nil, rq.known.Refused
	case rq.known == nil && rq.server.opt.RequireHTTPS && rq.server.scheme(rq.Request) != "https":
		return nil, wechat.ErrRequireHTTPS
	}
	rt, ok := routes[rq.URL.Path]
	if !ok {
		return nil, wechat.ErrUnknownURL
	}
	if rt.caller == account {
		if err := rq.identify(); err != nil {
			return nil, err
		}
		if err := rq.admit(rq.caller.Account); err != nil {
			return nil, err
		}
	}
	switch {
	case slices.Contains(strings.Fields(rt.methods), rq.Method):
		return rt.endpoint(rq)
	case rt.methods == http.MethodGet:
		return nil, wechat.ErrRequireGET
	}
	return nil, wechat.ErrRequirePOST
}
