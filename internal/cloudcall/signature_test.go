package cloudcall

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// recorded are requests as wx-server-sdk 2.7.2, 3.0.4 and 4.0.2 sent them, with this key.
const recordedKey = "key-of-the-vector"

// recorded reads one of them.
func recorded(t *testing.T, name string) (*http.Request, form) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name+".http"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseForm(r.Header.Get("Content-Type"), body)
	if err != nil {
		t.Fatal(err)
	}
	return r, f
}

// checked checks a request's signature some time after it was made.
func checked(r *http.Request, f form, key string, after time.Duration) error {
	s, err := parseSignature(r)
	if err != nil {
		return err
	}
	return s.check(r, f, key, time.Unix(s.time, 0).Add(after))
}

func TestRecordedCalls(t *testing.T) {
	for name, want := range map[string]struct{ method, appID, args string }{
		"get-2":   {"officialAccount.material.get", "", `{"media_id":"NEWS"}`},
		"get-3":   {"officialAccount.material.get", "", `{"media_id":"NEWS"}`},
		"get-4":   {"officialAccount.material.get", "", `{"media_id":"NEWS"}`},
		"appid-4": {"officialAccount.material.batchGetMaterial", "wxOA", `{"type":"图片","offset":0,"count":20}`},
		"none-4":  {"officialAccount.material.get", "", `{}`},
	} {
		r, f := recorded(t, name)
		if err := checked(r, f, recordedKey, 0); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s, err := parseSignature(r)
		if err != nil {
			t.Fatal(err)
		}
		signed := f.only(s.params)
		m, err := parseCommAPIData(signed["requestdata"])
		if err != nil {
			t.Fatal(err)
		}
		if signed.text("apiname") != want.method || m.appID != want.appID || string(m.arguments()) != want.args ||
			signed.text("wxcloudapitoken") != "ticket-of-the-vector" || signed.text("envname") != "env-test-1" {
			t.Errorf("%s: %q %q %s", name, signed, m.appID, m.arguments())
		}
	}
}

// Nothing that counts can be changed without the key.
func TestSignatureCovers(t *testing.T) {
	for what, change := range map[string]func(*http.Request, form){
		"method of the API": func(_ *http.Request, f form) { f["apiname"] = []byte("officialAccount.material.batchGetMaterial") },
		"arguments":         func(_ *http.Request, f form) { f["requestdata"][len(f["requestdata"])-2] = 'X' },
		"ticket":            func(_ *http.Request, f form) { f["wxcloudapitoken"] = []byte("another") },
		"environment":       func(_ *http.Request, f form) { f["envname"] = []byte("another") },
		"action":            func(_ *http.Request, f form) { f["action"] = nil },
		"host":              func(r *http.Request, _ form) { r.Host = "elsewhere:18080" },
		"path":              func(r *http.Request, _ form) { r.URL.Path = "/admin/" },
		"query":             func(r *http.Request, _ form) { r.URL.RawQuery += "&env=another" },
		"signed header":     func(r *http.Request, _ form) { r.Header.Set("X-SDK-Version", "wx-server-sdk/9") },
		"time":              func(r *http.Request, _ form) { addSeconds(r, 1) },
		"list of parts": func(r *http.Request, _ form) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";requestdata", "", 1))
		},
		"list of headers": func(r *http.Request, _ form) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";user-agent", "", 1))
		},
		"signature": func(r *http.Request, _ form) {
			text := r.Header.Get("Authorization")
			r.Header.Set("Authorization", text[:strings.LastIndex(text, "=")+1])
		},
	} {
		for _, name := range []string{"get-2", "get-3", "get-4"} {
			r, f := recorded(t, name)
			change(r, f)
			if err := checked(r, f, recordedKey, 0); err == nil || !strings.Contains(err.Error(), "signature error") {
				t.Errorf("%s of %s changed: %v", what, name, err)
			}
		}
	}
	r, f := recorded(t, "get-4")
	if err := checked(r, f, "another key", 0); err == nil || strings.Contains(err.Error(), "another key") {
		t.Errorf("another key: %v", err)
	}
	f["tcb_sessiontoken"] = []byte("not signed")
	s, err := parseSignature(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := checked(r, f, recordedKey, 0); err != nil || f.only(s.params)["tcb_sessiontoken"] != nil {
		t.Errorf("a part that is not signed counts: %v", err)
	}
}

func addSeconds(r *http.Request, n int) {
	var at int
	fmt.Sscan(r.Header.Get("X-Timestamp"), &at)
	r.Header.Set("X-Timestamp", fmt.Sprint(at+n))
}

func TestSignatureLasts(t *testing.T) {
	for after, good := range map[time.Duration]bool{
		600 * time.Second: true, -600 * time.Second: true, 601 * time.Second: false, -601 * time.Second: false, 1 << 62: false, -1 << 62: false,
	} {
		r, f := recorded(t, "get-3")
		err := checked(r, f, recordedKey, after)
		if good != (err == nil) || !good && !strings.Contains(err.Error(), "signature is expired") {
			t.Errorf("%s after: %v", after, err)
		}
	}
}

func TestSignaturesOfOtherForms(t *testing.T) {
	for what, change := range map[string]func(text string) (authorization, timestamp string){
		"none":           func(string) (string, string) { return "", "1795316879" },
		"another scheme": func(string) (string, string) { return "Bearer x", "1795316879" },
		"sha1":           func(string) (string, string) { return "q-sign-algorithm=sha1&q-ak=AKIDvector", "1795316879" },
		"no time":        func(text string) (string, string) { return text, "" },
		"no number":      func(text string) (string, string) { return text, "now" },
		"far future":     func(text string) (string, string) { return text, "9223372036854775807" },
		"another day": func(text string) (string, string) {
			return strings.Replace(text, "2026-11-22", "2026-11-23", 1), "1795316879"
		},
		"another service": func(text string) (string, string) {
			return strings.Replace(text, "/tcb/", "/cvm/", 1), "1795316879"
		},
		"host is not signed": func(text string) (string, string) { return strings.Replace(text, "host;", "", 1), "1795316879" },
	} {
		r, f := recorded(t, "get-4")
		authorization, timestamp := change(r.Header.Get("Authorization"))
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Timestamp", timestamp)
		err := checked(r, f, recordedKey, 0)
		if refused, ok := err.(refusal); !ok || refused.code != signInvalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The lists of a signature are read before anybody is known: no name in them makes us
// read the same bytes again, and nothing that is long is read at all.
func TestSignatureBombs(t *testing.T) {
	long := strings.Repeat("x", 60<<10)
	lists := func(r *http.Request, params, headers string) {
		text := r.Header.Get("Authorization")
		text = strings.Replace(text, "SignedParams=", "SignedParams="+params, 1)
		r.Header.Set("Authorization", strings.Replace(text, "SignedHeaders=", "SignedHeaders="+headers, 1))
	}
	for what, c := range map[string]struct {
		change func(*http.Request, form)
		want   string
	}{
		"a part again and again": {func(r *http.Request, f form) {
			f["tcb_sessiontoken"] = []byte(long)
			lists(r, strings.Repeat("tcb_sessiontoken;", 20), "")
		}, "comes twice"},
		"a header again and again": {func(r *http.Request, _ form) {
			r.Header.Set("X-Long", long)
			lists(r, "", strings.Repeat("x-long;", 20))
		}, "comes twice"},
		"a header in two spellings": {func(r *http.Request, _ form) { lists(r, "", "Host;") }, "comes twice"},
		"many parts":                {func(r *http.Request, _ form) { lists(r, numbered(1000), "") }, "more than 32"},
		"many headers":              {func(r *http.Request, _ form) { lists(r, "", numbered(1000)) }, "more than 32"},
		"long host":                 {func(r *http.Request, _ form) { r.Host = long }, "longer than"},
		"long query":                {func(r *http.Request, _ form) { r.URL.RawQuery = long }, "longer than"},
		"long path":                 {func(r *http.Request, _ form) { r.URL.Path = "/" + long }, "longer than"},
		"long header":               {func(r *http.Request, _ form) { r.Header.Set("X-Sdk-Version", long) }, "longer than"},
		"long name":                 {func(r *http.Request, _ form) { lists(r, "", long+";") }, "longer than"},
	} {
		r, f := recorded(t, "get-4")
		c.change(r, f)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := checked(r, f, recordedKey, 0)
		runtime.ReadMemStats(&after)
		if refused, ok := err.(refusal); !ok || refused.code != signInvalid || !strings.Contains(refused.message, c.want) {
			t.Errorf("%s: %.200v; want %q", what, err, c.want)
		} else if len(refused.message) > 200 {
			t.Errorf("%s: a message of %d bytes", what, len(refused.message))
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", what, used)
		}
	}
}

// A large part that is signed once is hashed where it lies.
func TestPartsAreNotCopied(t *testing.T) {
	part := make([]byte, maxBody)
	s := &signature{params: []string{"requestdata", "action"}}
	f := form{"requestdata": part, "action": append([]byte(" "), part...)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s.payload(f)
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > maxBody/8 {
		t.Errorf("%d bytes were allocated for parts of %d", used, 2*maxBody)
	}
}

// numbered gives so many names.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "n%d;", i)
	}
	return b.String()
}

// Whatever is said to be signed, what is hashed for it is bounded by what was sent once.
func FuzzSignature(f *testing.F) {
	const date = "2026-11-22"
	f.Add("action;apiname;envname;requestdata;wxcloudapitoken", "content-type;host;x-sdk-version", "127.0.0.1:8080", []byte("part"))
	f.Add(strings.Repeat("requestdata;", 1000), "host", "127.0.0.1:8080", bytes.Repeat([]byte("x"), 1000))
	f.Add("action", strings.Repeat("host;", 1000), strings.Repeat("x", 1000), []byte("part"))
	f.Fuzz(func(t *testing.T, params, headers, host string, part []byte) {
		at, err := time.Parse(time.DateOnly, date)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{Method: http.MethodPost, Host: host, URL: &url.URL{Path: Path}, Header: http.Header{
			"X-Timestamp":   {fmt.Sprint(at.Unix())},
			"X-Sdk-Version": {host},
			"Authorization": {algorithm + " Credential=AKID/" + date + scopeTail + ", SignedParams=" + params + ", SignedHeaders=" + headers + ", Signature=00"},
		}}
		s, err := parseSignature(r)
		if err != nil {
			if _, ok := err.(refusal); !ok || len(err.Error()) > 1000 {
				t.Fatalf("trouble: %v", err)
			}
			return
		}
		var n counter
		s.writePayload(&n, form{"requestdata": part})
		s.writeCanon(&n, r)
		if most := 3*len(params) + 3*len(headers) + 2*len(part) + (len(s.headers)+2)*(maxSigned+10); int(n) > most {
			t.Fatalf("%d bytes are hashed, more than %d", n, most)
		}
		if err := s.check(r, form{"requestdata": part}, "key", at); err == nil {
			t.Fatal("signed by nobody, and accepted")
		}
	})
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
