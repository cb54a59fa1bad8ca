package evidence

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"sucai/wechat"
)

// CloudCall is a cloud call (云调用) as the npm package wx-server-sdk 4.0.2 makes it:
// cloud.openapi({appid: AppID}).METHOD(arguments) in an environment.
type CloudCall struct {
	Env       string
	SecretID  string
	SecretKey string
	Ticket    string // the value of WX_API_TOKEN; not sent where empty
	AppID     string // of the account it is for; "": the environment's own
	Action    string // wx.openApi where empty
	Method    string // such as officialAccount.material.get
	Message   []byte // the arguments, as CloudArguments or a test makes them
	Time      time.Time
}

// CloudArguments makes the protobuf message of a call for an account, or for the
// environment's own where appID is empty. The body is a JSON object, as over HTTPS.
func CloudArguments(appID, body string) ([]byte, error) {
	object, err := wechat.ParseObject([]byte(body))
	if err != nil {
		return nil, fmt.Errorf("arguments %s: %w", body, err)
	}
	var pairs []byte
	for _, key := range slices.Sorted(maps.Keys(object)) {
		pair := appendField(nil, 1, []byte(key))
		pairs = appendField(pairs, 1, appendField(pair, 2, object[key]))
	}
	m := appendField([]byte{8, 0}, 2, pairs)
	if appID != "" {
		m = appendField(m, 6, []byte(appID))
	}
	return m, nil
}

func appendField(b []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, number, protowire.BytesType), value)
}

// Request makes the signed request to the gateway at a scheme and host.
func (c CloudCall) Request(ctx context.Context, base string) (*http.Request, error) {
	if c.Action == "" {
		c.Action = "wx.openApi"
	}
	parts := []struct{ name, value string }{
		{"action", c.Action}, {"apiName", c.Method}, {"requestData", string(c.Message)}, {"envName", c.Env}, {"wxCloudApiToken", c.Ticket},
		{"tcb_sessionToken", ""},
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	var names []string
	payload := sha256.New()
	for _, p := range parts {
		h := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"`, p.name)}}
		w, err := form.CreatePart(h)
		if err == nil {
			_, err = w.Write([]byte(p.value))
		}
		if err != nil {
			return nil, err
		}
		if p.value != "" { // these happen to be sorted
			names = append(names, strings.ToLower(p.name))
			fmt.Fprintf(payload, "&%s=%s\r\n", strings.ToLower(p.name), p.value)
		}
	}
	if err := form.Close(); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/admin?env="+c.Env+"&seqId=1", &body)
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(c.Time.Unix(), 10)
	scope := c.Time.UTC().Format(time.DateOnly) + "/tcb/tc3_request"
	const headers = "content-type;host;x-sdk-version"
	canon := fmt.Sprintf("post\n//%s/admin\n%s\ncontent-type:multipart/form-data\nhost:%s\nx-sdk-version:wx-server-sdk/4.0.2\n\n%s\n%x",
		req.Host, req.URL.RawQuery, req.Host, headers, payload.Sum(nil))
	key := []byte("TC3" + c.SecretKey)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	signed := mac(key, fmt.Sprintf("TC3-HMAC-SHA256\n%s\n%s\n%x", stamp, scope, sha256.Sum256([]byte(canon))))
	req.Header = http.Header{
		"Content-Type":    {form.FormDataContentType()},
		"X-Sdk-Version":   {"wx-server-sdk/4.0.2"},
		"X-Timestamp":     {stamp},
		"Accept-Encoding": {"identity"},
		"Authorization": {fmt.Sprintf("TC3-HMAC-SHA256 Credential=%s/%s, SignedParams=%s, SignedHeaders=%s, Signature=%s",
			c.SecretID, scope, strings.Join(names, ";"), headers, hex.EncodeToString(signed))},
	}
	return req, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// CloudAnswer is what the gateway answers where it does not refuse with JSON.
type CloudAnswer struct {
	Data        []byte // the body that the call has over HTTPS
	ContentType string
	ErrorCode   int32 // of the gateway
	HTTPCode    uint32
}

var errNoAnswer = errors.New("it is no CommOpenApiResp")

// ParseCloudAnswer reads the message of an answer.
func ParseCloudAnswer(data []byte) (a CloudAnswer, err error) {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return a, errNoAnswer
		}
		data = data[n:]
		var value []byte
		var varint uint64
		switch kind {
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(data)
		case protowire.VarintType:
			varint, n = protowire.ConsumeVarint(data)
		default:
			return a, errNoAnswer
		}
		if n < 0 {
			return a, errNoAnswer
		}
		data = data[n:]
		switch number {
		case 1:
			a.Data = value
		case 2:
			a.ContentType = string(value)
		case 3:
			a.ErrorCode = int32(varint)
		case 4:
			a.HTTPCode = uint32(varint)
		}
	}
	return a, nil
}

// labCloud is the environment that the state "cloud" brings about.
var labCloud = CloudCall{Env: "env-evidence", SecretID: "evidence-id", SecretKey: "evidence-key", Ticket: "evidence-ticket"}

// cloudMethod is the method of the request line of a cloud call.
const cloudMethod = "CLOUD"

// cloudRequest makes a request of a step CLOUD: its headers are members of the call that
// differ from those of the lab's environment.
func (r *runner) cloudRequest(method string, header http.Header, body string) (*http.Request, error) {
	c := labCloud
	c.Method, c.Time = method, time.Now()
	for name, values := range header {
		switch name {
		case "Env":
			c.Env = values[0]
		case "Secretid":
			c.SecretID = values[0]
		case "Secretkey":
			c.SecretKey = values[0]
		case "Ticket":
			c.Ticket = strings.TrimSuffix(values[0], "none")
		case "Appid":
			c.AppID = values[0]
		case "Action":
			c.Action = values[0]
		case "Age":
			seconds, err := strconv.Atoi(values[0])
			if err != nil {
				return nil, err
			}
			c.Time = c.Time.Add(-time.Duration(seconds) * time.Second)
		default:
			return nil, fmt.Errorf("a cloud call has no member %s", name)
		}
	}
	if body == "" {
		body = "{}"
	}
	var err error
	if c.Message, err = CloudArguments(c.AppID, body); err != nil {
		return nil, err
	}
	return c.Request(r.ctx, r.t.Base)
}

// unwrap makes an HTTP answer of the gateway's: the body that is in it, with its
// Content-Type, and its errorCode as a header. A refusal stays as it is.
func unwrap(res *http.Response, body []byte) ([]byte, error) {
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/octet-stream") {
		return body, nil
	}
	a, err := ParseCloudAnswer(body)
	if err != nil {
		return nil, err
	}
	res.Header.Del("Content-Type")
	if a.ContentType != "" {
		res.Header.Set("Content-Type", a.ContentType)
	}
	if a.ErrorCode != 0 {
		res.Header.Set("Error-Code", strconv.Itoa(int(a.ErrorCode)))
	}
	return a.Data, nil
}
