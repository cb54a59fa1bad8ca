package server

import (
	"net/http"
	"slices"
	"strings"

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
	"/cgi-bin/material/add_news":          {"POST", account, arguments(newsBody, addNews)},
	"/cgi-bin/material/update_news":       {"POST", account, argumentsBeside(news, newsBody, updateNews)},

	"/cgi-bin/media/uploadimg": {"POST", account, uploadImg},
	"/cgi-bin/media/upload":    {"POST", account, mediaUpload},
	"/cgi-bin/media/get":       {"GET", account, mediaGet},
}

// call checks in the documented order: https, path, token, method, body, arguments. The
// last two are the endpoint's.
func (rq *request) call() (any, error) {
	if rq.server.opt.RequireHTTPS && rq.server.scheme(rq.Request) != "https" {
		return nil, wechat.ErrRequireHTTPS
	}
	rt, ok := routes[rq.URL.Path]
	if !ok {
		return nil, wechat.ErrUnknownURL
	}
	if rt.caller == account {
		token := rq.param("access_token")
		if token == "" {
			return nil, wechat.ErrTokenMissing
		}
		c, err := rq.server.libraries.Authenticate(rq.Context(), token)
		if err != nil {
			return nil, err
		}
		rq.caller = c
		rq.library = rq.server.libraries.Of(c.Account)
	}
	switch {
	case slices.Contains(strings.Fields(rt.methods), rq.Method):
		return rt.endpoint(rq)
	case rt.methods == http.MethodGet:
		return nil, wechat.ErrRequireGET
	}
	return nil, wechat.ErrRequirePOST
}
