package blobs

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// role hands out the credentials of a role, as it is told to.
type role struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request)
	asked  int
}

func newRole(t *testing.T) *role {
	r := &role{}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_ACCESS_KEY": "", "AWS_SECRET_KEY": "", "AWS_SESSION_TOKEN": "",
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "absent"), "AWS_CONFIG_FILE": filepath.Join(t.TempDir(), "absent"),
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": r.URL + "/role?token=horse",
	} {
		t.Setenv(name, value)
	}
	return r
}

func (r *role) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	answer := r.answer
	r.asked++
	r.mu.Unlock()
	answer(w, req)
}

func (r *role) set(answer func(w http.ResponseWriter, r *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func (r *role) wasAsked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// gives is an answer with a key that expires then.
func gives(key string, expires time.Time) func(w http.ResponseWriter, r *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"AccessKeyId":%q,"SecretAccessKey":"secret","Token":"t","Expiration":%q}`, key, expires.UTC().Format(time.RFC3339))
	}
}

// The keys of a role are good as long as they say, whatever happens to those that come
// next; nobody waits for these meanwhile; and no call goes out without a signature.
func TestRoleIsRenewed(t *testing.T) {
	f := &fakeS3{objects: map[string][]byte{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	var mu sync.Mutex
	signed := "" // by whom the last call was
	f.breaks(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		_, signed, _ = strings.Cut(r.Header.Get("Authorization"), "Credential=")
		signed, _, _ = strings.Cut(signed, "/")
		return false
	})
	start := time.Now()
	roles := newRole(t)
	roles.set(gives("one", start.Add(time.Hour)))
	s, err := OpenS3("s3://bucket/p?region=x&endpoint="+url.QueryEscape(f.URL), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	at := func(d time.Duration) {
		s.keys.mu.Lock()
		defer s.keys.mu.Unlock()
		s.keys.now = func() time.Time { return start.Add(d) }
	}
	call := func() (by string, err error) {
		mu.Lock()
		signed = "nobody: it did not come"
		mu.Unlock()
		_, err = s.Exists(t.Context())
		mu.Lock()
		defer mu.Unlock()
		return signed, err
	}
	wantKey := func(what, key string) {
		t.Helper()
		if by, err := call(); err != nil || by != key {
			t.Errorf("%s: signed by %q, %v", what, by, err)
		}
	}
	until := func(what string, is func() bool) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: never", what)
			}
		}
	}
	wantKey("at first", "one")
	at(47 * time.Minute)
	wantKey("before it is time", "one")
	if n := roles.wasAsked(); n != 1 {
		t.Errorf("the role was asked %d times before it was time", n)
	}

	roles.set(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) })
	at(49 * time.Minute)
	wantKey("when the role is asked", "one")
	until("the role has failed", func() bool {
		s.keys.mu.Lock()
		defer s.keys.mu.Unlock()
		return s.keys.err != nil
	})
	wantKey("when the role has failed", "one")

	released := make(chan struct{})
	roles.set(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-released:
		case <-r.Context().Done():
		}
	})
	at(50 * time.Minute)
	before := roles.wasAsked()
	wantKey("when the role is asked again", "one")
	until("the role is asked again", func() bool { return roles.wasAsked() > before })
	for range 3 {
		wantKey("while the role hangs", "one")
	}
	at(time.Hour)
	began := time.Now()
	by, err := call()
	if took := time.Since(began); err == nil || by != "nobody: it did not come" || took > s.limits.answer {
		t.Errorf("when the keys have expired: signed by %q, %v, after %s", by, err, took)
	}
	for _, part := range []string{s.at.String(), "the credentials of the role could not be renewed", "have expired", "can be reached"} {
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "horse") {
			t.Errorf("it is not said that %s: %v", part, err)
		}
	}
	close(released) // an answer without credentials
	roles.set(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "{}") })
	at(61 * time.Minute)
	until("it is told that they are empty", func() bool {
		by, err := call()
		if err == nil || by != "nobody: it did not come" {
			t.Fatalf("with no keys: signed by %q, %v", by, err)
		}
		at(time.Since(start) + 61*time.Minute)
		return strings.Contains(err.Error(), "they are empty")
	})
	roles.set(gives("two", start.Add(3*time.Hour)))
	until("new keys", func() bool {
		at(time.Since(start) + 62*time.Minute)
		by, err := call()
		return err == nil && by == "two"
	})
}

// What hands out credentials on this machine is asked straight, and only by way of a proxy
// what encrypts.
func TestRolesWithoutProxy(t *testing.T) {
	roles := newRole(t)
	roles.set(gives("one", time.Now().Add(time.Hour)))
	proxy := httptest.NewServer(http.NotFoundHandler())
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := roleClient(&http.Transport{Proxy: http.ProxyURL(address)}, time.Minute)
	k, err := findCredentials(client)
	if err != nil {
		t.Fatal(err)
	}
	k.close()
	if v, err := k.Retrieve(); err != nil || v.AccessKeyID != "one" {
		t.Errorf("%q, %v", v.AccessKeyID, err)
	}
	r := httptest.NewRequest(http.MethodGet, "https://sts.amazonaws.com/", nil)
	if by, err := client.Transport.(*http.Transport).Proxy(r); err != nil || by == nil || by.Host != address.Host {
		t.Errorf("what encrypts is asked by way of %v, %v", by, err)
	}
}

// Half of a pair of keys is a mistake, and nothing else is taken in their place.
func TestHalfOfAPair(t *testing.T) {
	roles := newRole(t)
	roles.set(gives("one", time.Now().Add(time.Hour)))
	t.Setenv("AWS_ACCESS_KEY_ID", "half")
	if _, err := findCredentials(roles.Client()); err == nil || !strings.Contains(err.Error(), "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") {
		t.Error(err)
	}
}
