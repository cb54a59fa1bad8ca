package blobs

import (
	"bytes"
	"crypto/md5"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// fakeS3 is as much of a store as S3 uses, without signatures, to put faults into. The
// contract is tested in storetest on a real one.
type fakeS3 struct {
	*httptest.Server
	mu      sync.Mutex
	objects map[string][]byte
	calls   int
	fault   func(w http.ResponseWriter, r *http.Request) (done bool)
}

// newFakeS3 starts one, and opens its bucket with a store id claimed.
func newFakeS3(t testing.TB) (*fakeS3, *S3) {
	t.Helper()
	f := &fakeS3{objects: map[string][]byte{}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	s := f.open(t)
	if err := s.Claim(t.Context(), "id", true); err != nil {
		t.Fatal(err)
	}
	return f, s
}

func (f *fakeS3) open(t testing.TB) *S3 {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	s, err := OpenS3("s3://bucket/some/prefix?region=x&endpoint="+url.QueryEscape(f.URL), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s.Cache(32 << 20)
	t.Cleanup(func() { s.Close() })
	return s
}

// breaks sets what goes wrong from now on; nil for nothing.
func (f *fakeS3) breaks(fault func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fault
}

func (f *fakeS3) called() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.calls
	f.calls = 0
	return n
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.calls++
	fault := f.fault
	f.mu.Unlock()
	if fault != nil && fault(w, r) {
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	content, there := f.objects[key]
	switch {
	case r.URL.Query().Get("list-type") == "2":
		f.list(w, r.URL.Query())
	case r.Method == http.MethodPut && r.Header.Get("If-None-Match") == "*" && there:
		says(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		f.objects[key] = body
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(body)))
	case r.Method == http.MethodDelete:
		delete(f.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !there:
		says(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Content-Type", blobType)
		f.mu.Unlock() // whoever takes it slowly
		http.ServeContent(w, r, "", time.Now(), bytes.NewReader(content))
		f.mu.Lock()
	}
}

func (f *fakeS3) list(w http.ResponseWriter, q url.Values) {
	var keys []string
	for key := range f.objects {
		if strings.HasPrefix(key, q.Get("prefix")) && key > q.Get("start-after") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var most int
	fmt.Sscan(q.Get("max-keys"), &most)
	truncated := len(keys) > most
	if truncated {
		keys = keys[:most]
	}
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%v</IsTruncated>", truncated)
	if truncated {
		fmt.Fprintf(w, "<NextContinuationToken>more</NextContinuationToken>")
	}
	for _, key := range keys {
		fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>%d</Size><LastModified>%s</LastModified></Contents>",
			key, len(f.objects[key]), time.Now().UTC().Format(time.RFC3339Nano))
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

// says answers with an error as stores write it.
func says(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>said so</Message></Error>", code)
}

// hangs keeps a call until the client gives up.
func hangs(_ http.ResponseWriter, r *http.Request) bool {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	return true
}
