package wechat

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const testKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

func testCipher(t testing.TB, appID string) *MessageCipher {
	t.Helper()
	c, err := NewMessageCipher(appID, "token", testKey)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMessagesComeBack(t *testing.T) {
	c := testCipher(t, "wxplatform")
	for size := range 100 {
		message := bytes.Repeat([]byte("x"), size)
		query, body := c.Seal(message, 1413192760)
		got, err := c.Open(query, bytes.NewReader(body))
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%d bytes came back as %q, %v", size, got, err)
		}
		if query.Get("timestamp") != "1413192760" || query.Get("encrypt_type") != "aes" || query.Get("nonce") == "" {
			t.Fatalf("query %v", query)
		}
	}
	a, _ := c.Seal(nil, 1)
	b, _ := c.Seal(nil, 1)
	if a.Get("nonce") == b.Get("nonce") || a.Get("msg_signature") == b.Get("msg_signature") {
		t.Error("two messages are sealed alike")
	}
}

// The signatures are those of the documents, worked out here in another way.
func TestSignatures(t *testing.T) {
	c := testCipher(t, "wxplatform")
	query, body := c.Seal([]byte("<xml/>"), 5)
	_, rest, _ := strings.Cut(string(body), "<Encrypt><![CDATA[")
	encrypted, _, _ := strings.Cut(rest, "]]>")
	sign := func(parts ...string) string {
		slices.Sort(parts)
		h := sha1.New()
		io.WriteString(h, strings.Join(parts, ""))
		return hex.EncodeToString(h.Sum(nil))
	}
	if got, want := query.Get("signature"), sign("token", "5", query.Get("nonce")); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
	if got, want := query.Get("msg_signature"), sign("token", "5", query.Get("nonce"), encrypted); got != want {
		t.Errorf("msg_signature %s, want %s", got, want)
	}
	if data, err := base64.StdEncoding.DecodeString(encrypted); err != nil || len(data)%32 != 0 {
		t.Errorf("%d bytes are encrypted, %v", len(data), err)
	}
}

func TestMessagesOfOthers(t *testing.T) {
	c := testCipher(t, "wxplatform")
	query, body := c.Seal([]byte("<xml/>"), 5)
	changed := func(name, value string) url.Values {
		q := url.Values{}
		for k, v := range query {
			q[k] = v
		}
		q.Set(name, value)
		return q
	}
	other, err := NewMessageCipher("wxplatform", "other", testKey)
	if err != nil {
		t.Fatal(err)
	}
	otherKey, err := NewMessageCipher("wxplatform", "token", NewAESKey())
	if err != nil {
		t.Fatal(err)
	}
	cut := strings.Replace(string(body), "<Encrypt>", "<Crypt>", 1)
	for name, open := range map[string]func() ([]byte, error){
		"another token": func() ([]byte, error) { return other.Open(query, bytes.NewReader(body)) },
		"another key":   func() ([]byte, error) { return otherKey.Open(query, bytes.NewReader(body)) },
		"another appid": func() ([]byte, error) { return testCipher(t, "wxother").Open(query, bytes.NewReader(body)) },
		"another time":  func() ([]byte, error) { return c.Open(changed("timestamp", "6"), bytes.NewReader(body)) },
		"another nonce": func() ([]byte, error) { return c.Open(changed("nonce", "6"), bytes.NewReader(body)) },
		"no signature":  func() ([]byte, error) { return c.Open(changed("msg_signature", ""), bytes.NewReader(body)) },
		"another signature": func() ([]byte, error) {
			return c.Open(changed("msg_signature", query.Get("signature")), bytes.NewReader(body))
		},
		"no XML":     func() ([]byte, error) { return c.Open(query, strings.NewReader("x")) },
		"nothing":    func() ([]byte, error) { return c.Open(query, strings.NewReader("")) },
		"broken XML": func() ([]byte, error) { return c.Open(query, strings.NewReader(cut)) },
		"a long body": func() ([]byte, error) {
			return c.Open(query, io.MultiReader(bytes.NewReader(body), strings.NewReader(strings.Repeat(" ", maxMessage))))
		},
	} {
		if got, err := open(); err == nil {
			t.Errorf("%s is opened: %q", name, got)
		} else if strings.Contains(err.Error(), testKey) || strings.Contains(err.Error(), "token") {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
}

func TestAESKeys(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		key := NewAESKey()
		if err := CheckAESKey(key); err != nil || seen[key] {
			t.Fatalf("%s: %v, seen %t", key, err, seen[key])
		}
		seen[key] = true
	}
	for _, bad := range []string{"", "short", testKey + "x", testKey[1:], testKey[1:] + "!", testKey[1:] + "=", strings.Repeat("é", 22)[:43]} {
		if err := CheckAESKey(bad); err == nil || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestComponentEvents(t *testing.T) {
	for _, e := range []ComponentEvent{
		{AppID: "wxp", CreateTime: 1413192605, InfoType: InfoTicket, ComponentVerifyTicket: "ticket@@@x"},
		{AppID: "wxp", CreateTime: 1, InfoType: InfoAuthorized, AuthorizerAppID: "wxa", AuthorizationCode: "c", AuthorizationCodeExpiredTime: 9, PreAuthCode: "p"},
		{AppID: "wxp", CreateTime: 1, InfoType: InfoUnauthorized, AuthorizerAppID: "]]><x>&"},
	} {
		got, err := ParseComponentEvent(e.AppendXML(nil))
		if err != nil || *got != e {
			t.Errorf("%+v came back as %+v, %v", e, got, err)
		}
	}
	wantGoldenText(t, (&ComponentEvent{AppID: "wxp", CreateTime: 1413192605, InfoType: InfoTicket, ComponentVerifyTicket: "ticket@@@x"}).AppendXML(nil),
		"<xml>\n<AppId><![CDATA[wxp]]></AppId>\n<CreateTime>1413192605</CreateTime>\n<InfoType><![CDATA[component_verify_ticket]]></InfoType>\n"+
			"<ComponentVerifyTicket><![CDATA[ticket@@@x]]></ComponentVerifyTicket>\n</xml>")
}

func wantGoldenText(t *testing.T, got []byte, want string) {
	t.Helper()
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What a push is answered decides; its query, which is signed, stands in no error.
func TestPush(t *testing.T) {
	c := testCipher(t, "wxplatform")
	var reply func(w http.ResponseWriter, r *http.Request)
	var got *http.Request
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		if message, err := c.Open(r.URL.Query(), r.Body); err != nil || string(message) != "message" {
			t.Errorf("came: %q, %v", message, err)
		}
		reply(w, r)
	}))
	client := srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, a := range []struct {
		answer string
		status int
		want   string
	}{
		{"success", 200, ""},
		{" success\r\n", 200, ""},
		{"success", 500, `answered 500 "success" where 200 and success are wanted`},
		{"", 200, `answered 200 "" where`},
		{"Success", 200, `answered 200 "Success" where`},
		{strings.Repeat("success", 1000), 200, "where 200 and success are wanted"},
		{"success", 302, "answered 302"},
		{"\x1b[2J", 200, `answered 200 "\x1b[2J"`},
	} {
		reply = func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", srv.URL+"/elsewhere")
			w.WriteHeader(a.status)
			io.WriteString(w, a.answer)
		}
		err := c.Push(t.Context(), client, srv.URL+"/x?own=1&nonce=mine", []byte("message"), 5)
		if a.want == "" && err != nil || a.want != "" && (err == nil || !strings.Contains(err.Error(), a.want) || len(err.Error()) > 500) {
			t.Errorf("%d %.20q: %v", a.status, a.answer, err)
		}
		if q := got.URL.Query(); got.Method != "POST" || got.URL.Path != "/x" || q.Get("own") != "1" || len(q["nonce"]) != 1 {
			t.Errorf("%s %s", got.Method, got.URL)
		}
	}
	srv.Close()
	for _, address := range []string{srv.URL, "http://127.0.0.1:1", "::", "http://[::1"} {
		if err := c.Push(t.Context(), client, address, []byte("message"), 5); err == nil || strings.Contains(err.Error(), "signature") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// What a bomb costs is bounded, whatever is inside.
func TestMessageBombs(t *testing.T) {
	c := testCipher(t, "wxplatform")
	fill := func(first, unit, last string) io.Reader {
		return strings.NewReader(first + strings.Repeat(unit, (maxMessage-len(first)-len(last))/len(unit)) + last)
	}
	for name, body := range map[string]io.Reader{
		"nested":      fill("", "<a>", ""),
		"in a long":   io.MultiReader(strings.NewReader("<xml>"), strings.NewReader(strings.Repeat("<a>", 300_000))),
		"in Encrypt":  fill("<xml><Encrypt>", "<a>", "</Encrypt></xml>"),
		"beside":      fill("<xml>", "<a/>", "<Encrypt>x</Encrypt></xml>"),
		"many":        fill("<xml>", "<Encrypt>x</Encrypt>", "</xml>"),
		"entities":    fill(`<!DOCTYPE x [<!ENTITY a "`+strings.Repeat("b", 1000)+`">]><xml><Encrypt>`, "&a;", "</Encrypt></xml>"),
		"quoted":      fill("<xml><Encrypt>", "&lt;", "</Encrypt></xml>"),
		"comments":    fill("<xml><Encrypt>", "<!---->", "</Encrypt></xml>"),
		"sections":    fill("<xml><Encrypt>", "<![CDATA[a]]>", "</Encrypt></xml>"),
		"attributes":  fill("<xml ", `a="" `, "/>"),
		"attributes2": fill("<xml><Encrypt ", `a="" `, ">x</Encrypt></xml>"),
		"attributes3": fill("<xml", `a=""`, "/>"),
		"names":       fill("<xml>", "<a></a>", "<Encrypt>x</Encrypt></xml>"),
		"name spaces": fill("<xml>", `<a xmlns="b"/>`, "<Encrypt>x</Encrypt></xml>"),
		"endless":     io.MultiReader(strings.NewReader("<xml><Encrypt>"), endlessReader{}),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := c.Open(url.Values{}, body); err == nil {
			t.Errorf("%s: opened", name)
		}
		runtime.ReadMemStats(&after)
		used := after.TotalAlloc - before.TotalAlloc
		if used > 4<<20 {
			t.Errorf("%s: %d KiB were allocated", name, used>>10)
		}
	}
}

type endlessReader struct{}

func (endlessReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}

// Whatever is signed and decrypted, nothing panics, and what opens came from Seal.
func FuzzOpenMessage(f *testing.F) {
	c := testCipher(f, "wxplatform")
	_, body := c.Seal([]byte("<xml/>"), 1)
	f.Add(string(body))
	f.Add("<xml><Encrypt>" + base64.StdEncoding.EncodeToString(make([]byte, 64)) + "</Encrypt></xml>")
	f.Add("<xml><Encrypt></Encrypt></xml>")
	f.Fuzz(func(t *testing.T, body string) {
		c.Open(url.Values{}, strings.NewReader(body))
		// Signed by who knows the token, for what stands behind the signature.
		encrypted := base64.StdEncoding.EncodeToString([]byte(body))
		query := url.Values{"timestamp": {"1"}, "nonce": {"2"}}
		query.Set("msg_signature", c.signature("1", "2", encrypted))
		c.Open(query, strings.NewReader(fmt.Sprintf("<xml><Encrypt>%s</Encrypt></xml>", encrypted)))
		ParseComponentEvent([]byte(body))

		query, sealed := c.Seal([]byte(body), 1)
		if got, err := c.Open(query, bytes.NewReader(sealed)); len(body) < maxMessage/2 && (err != nil || string(got) != body) {
			t.Fatalf("%q came back as %q, %v", body, got, err)
		}
	})
}
