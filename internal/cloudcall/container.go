package cloudcall

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"sucai/internal/library"
	"sucai/internal/server"
	"sucai/wechat"
)

// errNotListed is the sidecar's, not the API's. Its text goes on, but nobody quotes it whole.
var errNotListed = &wechat.Error{Code: 85107, Msg: "URL不在白名单内"}

// Container serves 开放接口服务 of 云托管: the API as a container calls it that leaves the
// token out, for one environment. Whoever reaches it is believed, so it belongs on a
// listener of its own that only the callers reach.
//
// The account is the environment's owner, or the allowed one that from_appid names
// (another is 48001). The older form adds cloudbase_access_token, which has to be the
// environment's ticket (else 40001). An access_token that is sent is looked at as
// everywhere else. Paths that are none of the environment's methods are 85107; with the
// environment gone, all is 41001. A success has the header x-openapi-seqid.
type Container struct {
	Libraries *library.Libraries
	Server    *server.Server
	Env       string // ID of the environment
	Base      string // scheme and host of our addresses in answers, where Server has none
	AnyName   bool   // by whichever name callers reach it
}

// ServeHTTP implements http.Handler.
func (c *Container) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !c.AnyName && !isOwnName(r.Host) {
		// A page in a browser on this machine could have a name of its own lead here.
		const why = "this listener is called by its address, as localhost or as api.weixin.qq.com"
		c.Server.Refuse(c.Server.Receive(w, r, 0), http.StatusForbidden, "text/plain; charset=utf-8", []byte(why+"\n"), why, false)
		return
	}
	k := c.caller(r)
	k.Base = c.Base
	k.Success = http.Header{"X-Openapi-Seqid": {rand.Text()}}
	c.Server.ServeAs(w, r, k)
}

func (c *Container) caller(r *http.Request) server.Known {
	query := r.URL.Query()
	env, err := c.Libraries.CloudEnv(r.Context(), c.Env)
	switch {
	case errors.Is(err, library.ErrNotFound):
		return server.Known{Refused: wechat.ErrTokenMissing}
	case err != nil:
		return server.Known{Refused: err}
	case !slices.ContainsFunc(env.Methods, func(m string) bool { return methods[m] == r.URL.Path }):
		return server.Known{Refused: errNotListed}
	case query.Get("access_token") != "":
		return server.Known{}
	case query.Has("cloudbase_access_token") && subtle.ConstantTimeCompare([]byte(query.Get("cloudbase_access_token")), []byte(env.Ticket)) != 1:
		return server.Known{Refused: wechat.ErrInvalidCredential}
	}
	a, err := c.Libraries.For(r.Context(), env, query.Get("from_appid"))
	if errors.Is(err, library.ErrNotFound) {
		err = wechat.ErrUnauthorized
	}
	return server.Known{Account: a, Refused: err}
}

// apiNames are the hosts that the API has in the documents, and so in callers' code.
var apiNames = []string{"api.weixin.qq.com", "api2.weixin.qq.com", "sh.api.weixin.qq.com", "sz.api.weixin.qq.com", "hk.api.weixin.qq.com"}

// isOwnName tells whether a Host is an address, this machine, or a name of the API. None
// of them can be made to lead here by whoever has another name.
func isOwnName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else if inner, ok := strings.CutPrefix(host, "["); ok {
		host = strings.TrimSuffix(inner, "]")
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return host == "localhost" || slices.Contains(apiNames, host)
}
