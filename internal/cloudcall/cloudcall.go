// Package cloudcall stands in for the gateway of 云调用 (cloud calls): it takes what the
// npm package wx-server-sdk 2.x to 4.x sends, makes the call of the API that is named in
// it, and wraps the answer as that package reads it. It also serves the other product of
// the same name, 开放接口服务 of containers ([Container]).
//
// A call is POST /admin with a multipart form (envelope.go), signed by TC3-HMAC-SHA256
// (signature.go), in which a protobuf message holds the arguments (message.go). Nobody
// but the platform has published what its gateway answers; ours is what the package
// decodes, with the texts that people have quoted.
package cloudcall

import (
	"bytes"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sucai/internal/library"
	"sucai/internal/server"
	"sucai/wechat"
)

// Path is where cloud calls are taken.
const Path = "/admin"

// methods are the names that cloud calls have, and the paths of the API they stand for.
// They are the two that the documents of these interfaces name.
var methods = map[string]string{
	"officialAccount.material.get":              "/cgi-bin/material/get_material",
	"officialAccount.material.batchGetMaterial": "/cgi-bin/material/batchget_material",
}

// Methods gives the names of all methods, in a fixed order.
func Methods() []string {
	return []string{"officialAccount.material.get", "officialAccount.material.batchGetMaterial"}
}

// errcodes of the gateway, inside an answer.
const (
	noMethod  = -604100 // API not found
	noLicence = -604101 // function has no permission to call this API
)

// Handler takes cloud calls at [Path].
type Handler struct {
	libraries *library.Libraries
	server    *server.Server
	now       func() time.Time
}

// New makes the handler. Calls are made by srv, under its limits and in its log.
func New(ls *library.Libraries, srv *server.Server) *Handler {
	return &Handler{libraries: ls, server: srv, now: time.Now}
}

// ServeHTTP implements http.Handler. Where no environment is configured it is 404: a
// server that takes no cloud calls has no such path.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := h.server.Receive(w, r, maxBody)
	sig, env, err := h.sender(r)
	if err != nil {
		if there, trouble := h.libraries.HasCloudEnvs(r.Context()); trouble == nil && !there {
			h.server.Refuse(in, http.StatusNotFound, "text/plain; charset=utf-8", []byte("404 page not found\n"), "there is no environment", false)
			return
		}
		h.refuse(in, err)
		return
	}
	if !in.Whole {
		h.refuse(in, refusal{paramInvalid, fmt.Sprintf("the request broke off, or is longer than the %d bytes that a call of these methods may have", maxBody)})
		return
	}
	c, err := h.accept(r, sig, env, in.Body)
	if err != nil {
		h.refuse(in, err)
		return
	}
	if code := c.permitted(); code != 0 {
		h.server.Refuse(in, http.StatusOK, octets, appendErrorCode(nil, code), fmt.Sprintf("%s: %d %s", c.env.ID, code, quoted(c.method)), false)
		return
	}
	reply := h.server.Call(in, c.account, methods[c.method], c.args)
	defer reply.Close()
	h.server.SendAround(w, octets, respHead(reply.Size), reply, respTail(reply.ContentType))
}

const octets = "application/octet-stream"

// call is a cloud call whose sender is known.
type call struct {
	env     *library.CloudEnv
	account *library.Account
	method  string
	args    []byte // the body that the call has over HTTPS
}

// sender finds whose key a request says that it is signed by.
func (h *Handler) sender(r *http.Request) (*signature, *library.CloudEnv, error) {
	sig, err := parseSignature(r)
	if err != nil {
		return nil, nil, err
	}
	env, err := h.libraries.CloudEnvBySecretID(r.Context(), sig.secretID)
	if errors.Is(err, library.ErrNotFound) {
		err = refusal{signInvalid, "secret id error"}
	}
	return sig, env, err
}

// accept finds out what a request is for, and whether it may be: signature, ticket,
// action, arguments, account, in this order. What is wrong comes out as a refusal.
func (h *Handler) accept(r *http.Request, sig *signature, env *library.CloudEnv, body []byte) (*call, error) {
	f, err := parseForm(r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	if err := sig.check(r, f, env.SecretKey, h.now()); err != nil {
		return nil, err
	}
	f = f.only(sig.params) // the rest may be anybody's
	switch ticket := f["wxcloudapitoken"]; {
	case len(ticket) == 0:
		return nil, refusal{paramInvalid, "missing wxCloudApiToken"}
	case subtle.ConstantTimeCompare(bytes.TrimSpace(ticket), []byte(env.Ticket)) != 1:
		return nil, refusal{paramInvalid, "Invalid wxCloudApiToken"}
	}
	if name := f.text("envname"); name != "" && name != env.ID {
		return nil, refusal{paramInvalid, "the key is not one of the environment that envName names: cloud.init wants env " + env.ID}
	}
	if action := f.text("action"); action != "wx.openApi" {
		return nil, refusal{paramInvalid, "action " + quoted(action) + " is not served: cloud.openapi is"}
	}
	msg, err := parseCommAPIData(f["requestdata"])
	if err != nil {
		return nil, refusal{paramInvalid, "requestData: " + err.Error()}
	}
	account, err := h.libraries.For(r.Context(), env, msg.appID)
	if errors.Is(err, library.ErrNotFound) {
		return nil, refusal{commonParamInvalid, "wx api error: -605108, appid unauthorized"}
	}
	if err != nil {
		return nil, err
	}
	return &call{env, account, f.text("apiname"), msg.arguments()}, nil
}

// permitted gives 0, or the gateway's errorCode of a method that is not there or that the
// environment may not call.
func (c *call) permitted() int32 {
	switch {
	case methods[c.method] == "":
		return noMethod
	case !slices.Contains(c.env.Methods, c.method):
		return noLicence
	}
	return 0
}

// refusal is an answer that is no call's: the package rejects with the number that stands
// for code, and shows message.
type refusal struct{ code, message string }

func (e refusal) Error() string { return e.code + ": " + e.message }

// quoted is a word of the caller's where it looks like a name. Another is not repeated, in
// the log above all: whoever mixes up his settings sends a key in its place.
func quoted(word string) string {
	if len(word) > 80 || strings.ContainsFunc(word, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("._-", r)
	}) {
		word = "…"
	}
	return strconv.Quote(word)
}

// Codes of refusals. The package knows the second and third as -501007 and -501006, any
// other as -501001.
const (
	signInvalid        = "SIGN_PARAM_INVALID"
	paramInvalid       = "INVALID_PARAM"
	commonParamInvalid = "INVALID_COMMON_PARAM"
	systemError        = "SYS_ERR"
)

// refuse answers what is wrong with a request; trouble of ours is not told.
func (h *Handler) refuse(in *server.Received, err error) {
	told := refusal{systemError, wechat.ErrSystem.Msg}
	theirs := errors.As(err, &told)
	data, failed := json.Marshal(map[string]string{"code": told.code, "message": told.message, "requestId": in.RID})
	if failed != nil {
		data = nil // three strings are always encoded
	}
	h.server.Refuse(in, http.StatusOK, "application/json; charset=utf-8", data, err.Error(), !theirs)
}
