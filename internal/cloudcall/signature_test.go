package cloudcall

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
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
