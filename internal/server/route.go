package server

import (
	"fmt"
	"net/http"
	"runtime/debug"
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
	sets     []int // permission sets (权限集): a platform that calls on behalf of an account needs one
}

// caller is who may call.
type caller int

const (
	nobody    caller = iota // without a token
	account                 // an account's access_token, or a platform's on behalf of an account
	component               // a third-party platform's component_access_token
)

// endpoint reads its arguments from the request and returns a wechat.Answer, a
// *wechat.File or, of an answer that is encoded already, a *spool; or an error: a
// *wechat.Error for the caller, anything else is trouble.
type endpoint func(rq *request) (any, error)

var routes = map[string]route{
	"/cgi-bin/token":        {"GET", nobody, token, nil},
	"/cgi-bin/stable_token": {"POST", nobody, arguments(tokenBody, stableToken), nil},

	"/cgi-bin/material/get_material":      {"POST", account, byMediaID(getMaterial), []int{3, 11, 18, 30, 31, 100}},
	"/cgi-bin/material/batchget_material": {"POST", account, arguments(smallBody, batchGetMaterial), []int{11, 100}},
	"/cgi-bin/material/get_materialcount": {"GET POST", account, getMaterialCount, []int{11, 100}},
	"/cgi-bin/material/add_material":      {"POST", account, addMaterial, []int{11, 100}},
	"/cgi-bin/material/del_material":      {"POST", account, byMediaID(delMaterial), []int{11, 100}},
	"/cgi-bin/material/add_news":          {"POST", account, unlessRetired(arguments(newsBody, addNews)), []int{11}},
	"/cgi-bin/material/update_news":       {"POST", account, unlessRetired(argumentsBeside(newsStored, newsBody, updateNews)), []int{11}},

	"/cgi-bin/media/uploadimg": {"POST", account, uploadImg, []int{1, 8, 9, 11, 18, 37, 100}},
	"/cgi-bin/media/upload":    {"POST", account, mediaUpload, []int{1, 3, 8, 9, 11, 19, 30, 31, 100}},
	"/cgi-bin/media/get":       {"GET", account, mediaGet, []int{1, 3, 8, 9, 11, 19, 30, 31, 100}},

	"/cgi-bin/component/api_start_push_ticket":   {"POST", nobody, arguments(tokenBody, startPushTicket), nil},
	"/cgi-bin/component/api_component_token":     {"POST", nobody, arguments(tokenBody, componentToken), nil},
	"/cgi-bin/component/api_create_preauthcode":  {"POST", component, ofComponent(createPreAuthCode), nil},
	"/cgi-bin/component/api_query_auth":          {"POST", component, ofComponent(queryAuth), nil},
	"/cgi-bin/component/api_authorizer_token":    {"POST", component, ofComponent(authorizerToken), nil},
	"/cgi-bin/component/api_get_authorizer_info": {"POST", component, ofComponent(authorizerInfo), nil},
	"/cgi-bin/component/api_get_authorizer_list": {"POST", component, ofComponent(authorizerList), nil},
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
	switch {
	case err != nil:
		return err
	case c.Account == nil:
		rq.caller = c
		return wechat.ErrUnauthorized // as it was seen; the list of return codes would have 61015
	}
	rq.as(c)
	return nil
}

func (rq *request) as(c *library.Caller) {
	rq.caller, rq.library = c, rq.server.libraries.Of(c.Account)
}

// endpointName is an endpoint's in settings, quotas, metrics and logs.
func endpointName(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, "/cgi-bin/"), "material/")
}

// admit asks whether the account may make this call, now and from where it comes.
func (rq *request) admit(c *library.Caller) error {
	return rq.server.libraries.Admit(rq.Context(), c, endpointName(rq.URL.Path), rq.route.sets, rq.server.client(rq.Request))
}

// callSafely makes trouble of a panic: the caller gets -1, the log where it was.
func (rq *request) callSafely() (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			value, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return rq.call()
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
	rq.route = rt
	switch rt.caller {
	case account:
		if err := rq.identify(); err != nil {
			return nil, err
		}
		if err := rq.admit(rq.caller); err != nil {
			return nil, err
		}
	case component:
		if err := rq.identifyComponent(); err != nil {
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
