package wechat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DefaultEndpoint is the platform itself.
const DefaultEndpoint = "https://api.weixin.qq.com"

// Client calls the API of one account. The zero value with AppID and Secret set calls
// the platform. It may be used from any number of goroutines.
//
// Every method returns a *[Error] for an errcode other than 0; compare it by
// errors.Is(err, wechat.ErrInvalidMediaID) and the like. A call that is refused because
// of its access token is made once more with a new one.
type Client struct {
	Endpoint string // scheme and host; DefaultEndpoint where empty
	AppID    string
	Secret   string

	// Token supplies access tokens instead of stable_token, of which AppID and Secret
	// are not needed then. refused is the token that was just refused, "" at first.
	Token func(ctx context.Context, refused string) (string, error)

	HTTP *http.Client // http.DefaultClient where nil

	mu      sync.Mutex
	token   string
	expires time.Time
}

// maxAnswer bounds an answer in JSON, in bytes: a page of 20 news of 8 articles of 1 MB.
const maxAnswer = 256 << 20

// GetToken fetches an access token by GET /cgi-bin/token. The ones before it end in
// five minutes: prefer StableToken where others use the same account.
func (c *Client) GetToken(ctx context.Context) (*AccessToken, error) {
	q := url.Values{"grant_type": {"client_credential"}, "appid": {c.AppID}, "secret": {c.Secret}}
	t := &AccessToken{}
	return t, c.exchange(ctx, http.MethodGet, "/cgi-bin/token", q, payload{}, t)
}

// StableToken fetches the account's stable token by POST /cgi-bin/stable_token: the
// same one as others get. With force it is replaced, and the old one ends at once.
func (c *Client) StableToken(ctx context.Context, force bool) (*AccessToken, error) {
	body, err := marshal(map[string]any{
		"grant_type": "client_credential", "appid": c.AppID, "secret": c.Secret, "force_refresh": force,
	})
	if err != nil {
		return nil, err
	}
	t := &AccessToken{}
	return t, c.exchange(ctx, http.MethodPost, "/cgi-bin/stable_token", nil, jsonBody(body), t)
}

// payload is the body of a request.
type payload struct {
	contentType string
	body        io.Reader
	size        int64 // -1: not known
}

func jsonBody(data []byte) payload {
	return payload{"application/json; charset=utf-8", bytes.NewReader(data), int64(len(data))}
}

// accessToken gives the token to call with, a new one where the given one was refused.
func (c *Client) accessToken(ctx context.Context, refused string) (string, error) {
	if c.Token != nil {
		return c.Token(ctx, refused)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && c.token != refused && time.Now().Before(c.expires) {
		return c.token, nil
	}
	t, err := c.StableToken(ctx, false)
	if err != nil {
		return "", err
	}
	c.token = t.AccessToken
	c.expires = time.Now().Add(time.Duration(t.ExpiresIn)*time.Second - time.Minute)
	return c.token, nil
}

// authorized runs call with a token, and once more where the token was the trouble and
// again allows it: a body that was read once cannot always be sent twice.
func (c *Client) authorized(ctx context.Context, again func() bool, call func(q url.Values) error) error {
	token, err := c.accessToken(ctx, "")
	if err != nil {
		return err
	}
	err = call(url.Values{"access_token": {token}})
	if !errors.Is(err, ErrInvalidCredential) && !errors.Is(err, ErrInvalidToken) && !errors.Is(err, ErrTokenExpired) || !again() {
		return err
	}
	fresh, e := c.accessToken(ctx, token)
	if e != nil || fresh == token {
		return err
	}
	return call(url.Values{"access_token": {fresh}})
}

func always() bool { return true }

// post makes a call whose arguments and answer are JSON.
func (c *Client) post(ctx context.Context, path string, args, answer any) error {
	body, err := marshal(args)
	if err != nil {
		return err
	}
	return c.authorized(ctx, always, func(q url.Values) error {
		return c.exchange(ctx, http.MethodPost, path, q, jsonBody(body), answer)
	})
}

// marshal leaves <, > and & as they are: some servers look at the bytes.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

// exchange makes one call with a JSON answer.
func (c *Client) exchange(ctx context.Context, method, path string, q url.Values, p payload, answer any) error {
	res, err := c.send(ctx, method, path, q, p)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return decode(res.Body, res.Status, path, answer)
}

// decode reads an answer in JSON, which is an object always; answer may be nil.
func decode(body io.Reader, status, path string, answer any) error {
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if len(data) > maxAnswer {
		return fmt.Errorf("%s: an answer of more than %d bytes", path, maxAnswer)
	}
	data = unmarked(data)
	if e := asError(data); e != nil {
		return e
	}
	if answer == nil {
		answer = &struct{}{}
	}
	if err := json.Unmarshal(data, answer); err != nil || !isObject(data) {
		return fmt.Errorf("%s: %s: the answer is no JSON of this API: %.60q", path, status, data)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, q url.Values, p payload) (*http.Response, error) {
	endpoint := strings.TrimSuffix(c.Endpoint, "/")
	if endpoint == "" {
		endpoint = DefaultEndpoint
	}
	req, err := http.NewRequestWithContext(ctx, method, endpoint+path+"?"+q.Encode(), p.body)
	if err != nil {
		return nil, err
	}
	if p.body != nil {
		req.Header.Set("Content-Type", p.contentType)
		req.ContentLength = p.size
	}
	return c.do(req)
}

// do keeps tokens and secrets, which stand in the query, out of errors.
func (c *Client) do(req *http.Request) (*http.Response, error) {
	h := c.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	res, err := h.Do(req)
	var e *url.Error
	if errors.As(err, &e) {
		return nil, fmt.Errorf("%s://%s%s: %w", req.URL.Scheme, req.URL.Host, req.URL.Path, e.Err)
	}
	return res, err
}

// asError gives the error that an answer is, or nil. It looks at the bytes alone: the
// status is 200 and the content type not to be relied on.
func asError(data []byte) *Error {
	if !isObject(data) {
		return nil
	}
	var e struct {
		Code json.Number `json:"errcode"`
		Msg  string      `json:"errmsg"`
	}
	if json.Unmarshal(data, &e) != nil || e.Code == "" {
		return nil
	}
	code, err := e.Code.Int64()
	if err != nil || code == 0 {
		return nil
	}
	return &Error{int(code), e.Msg}
}
