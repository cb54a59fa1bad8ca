package blobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"go.uber.org/goleak"

	"sucai/internal/library"
)

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = time.Millisecond // of waiting between two attempts
	goleak.VerifyTestMain(m)
}

func anything(io.ReaderAt, int64) error { return nil }

// put stores a blob that must be taken.
func put(t testing.TB, s *S3, content []byte) string {
	t.Helper()
	b, err := s.Put(t.Context(), bytes.NewReader(content), anything)
	if err != nil {
		t.Fatal(err)
	}
	return b.Name
}

// everyCall is each method on a store that holds a blob; each must succeed, or fail.
func everyCall(s *S3, name string) map[string]func(ctx context.Context) error {
	open := func(length int64) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			r, err := s.Open(ctx, name, 0, length)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.ReadFull(r, make([]byte, length))
			return err
		}
	}
	return map[string]func(ctx context.Context) error{
		"Open": open(5), "Open for nothing": open(0), "Ready": s.Ready,
		"Claim":  func(ctx context.Context) error { return s.Claim(ctx, "id", true) },
		"Exists": func(ctx context.Context) error { _, err := s.Exists(ctx); return err },
		"List":   func(ctx context.Context) error { _, _, err := s.List(ctx, "", time.Now()); return err },
		"Put": func(ctx context.Context) error {
			_, err := s.Put(ctx, strings.NewReader("other"), anything)
			return err
		},
		"Remove": func(ctx context.Context) error { return s.Remove(ctx, name) },
	}
}

// Whatever a broken store or a proxy before it says, it is an error and not absence.
func TestTroubleIsNotAbsence(t *testing.T) {
	f, s := newFakeS3(t)
	name := put(t, s, []byte("hello"))
	status := func(status int, contentType, body string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			io.WriteString(w, body)
			return true
		}
	}
	page := func(w http.ResponseWriter, r *http.Request) bool { // as nginx shows it: with all of HTTP, in ranges too
		io.Copy(io.Discard, r.Body)
		w.Header().Set("ETag", `"656e4d2c-1d5"`)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		http.ServeContent(w, r, "", time.Now(), strings.NewReader("<html><p>we are back soon</p></html>"))
		return true
	}
	for fault, breaks := range map[string]func(http.ResponseWriter, *http.Request) bool{
		"500":            status(500, "text/plain", "oops"),
		"502 of a proxy": status(502, "text/html", "<html>bad gateway</html>"),
		"503": func(w http.ResponseWriter, r *http.Request) bool {
			says(w, 503, "SlowDown")
			return true
		},
		"403":            status(403, "text/plain", ""),
		"404 of a proxy": status(404, "text/html", "<html><p>not here</html>"),
		"404, empty":     status(404, "", ""),
		"no such bucket": func(w http.ResponseWriter, r *http.Request) bool {
			says(w, 404, "NoSuchBucket")
			return true
		},
		"200 of a portal": status(200, "text/html", "<html><p>log in first</p></html>"),
		"200 of a page":   page,
		"200, garbled":    status(200, "text/html", "<html><p>log in first"),
		"200, other XML":  status(200, "application/xml", "<Other></Other>"),
		"200, empty":      status(200, "", ""),
		"202":             status(202, "application/xml", "<ListBucketResult></ListBucketResult>"),
		"closed": func(http.ResponseWriter, *http.Request) bool {
			panic(http.ErrAbortHandler)
		},
	} {
		for call, do := range everyCall(s, name) {
			f.breaks(breaks)
			start := time.Now()
			if err := do(t.Context()); err == nil || errors.Is(err, library.ErrNotFound) {
				t.Errorf("%s on %s: %v", call, fault, err)
			} else if strings.Contains(err.Error(), "\n") {
				t.Errorf("%s on %s: more than a line: %v", call, fault, err)
			}
			if took := time.Since(start); took > s.limits.answer {
				t.Errorf("%s on %s took %s", call, fault, took)
			}
		}
	}
	// Only the bytes are out of reach: the list knows better than the status.
	f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.RawQuery == "" {
			http.NotFound(w, r)
			return true
		}
		return false
	})
	for _, call := range []string{"Open", "Remove"} {
		if err := everyCall(s, name)[call](t.Context()); err == nil || errors.Is(err, library.ErrNotFound) {
			t.Errorf("%s by way of a proxy that says 404: %v", call, err)
		}
	}
	f.breaks(nil)
	for call, do := range everyCall(s, name) {
		if call == "Remove" {
			continue
		}
		if err := do(t.Context()); err != nil {
			t.Errorf("%s does not work afterwards: %v", call, err)
		}
	}
}

// A store that says nothing is given up, and so is one that its caller gives up.
func TestNoCallHangs(t *testing.T) {
	f, s := newFakeS3(t)
	name := put(t, s, []byte("hello"))
	s.limits = limits{answer: 100 * time.Millisecond, page: 200 * time.Millisecond, stall: 100 * time.Millisecond, hold: time.Second}
	f.breaks(hangs)
	for call, do := range everyCall(s, name) {
		start := time.Now()
		if err := do(t.Context()); err == nil || !strings.Contains(err.Error(), "no answer for") {
			t.Errorf("%s: %v", call, err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s took %s", call, took)
		}
	}
	s.limits = usualLimits()
	for call, do := range everyCall(s, name) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if err := do(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, given up: %v", call, err)
		}
	}
	// A store that takes nothing of a body.
	s.limits.stall = 100 * time.Millisecond
	f.breaks(func(http.ResponseWriter, *http.Request) bool {
		time.Sleep(2 * time.Second) // nobody reads, so nobody sees that the caller has left
		panic(http.ErrAbortHandler)
	})
	start := time.Now()
	if _, err := s.Put(t.Context(), bytes.NewReader(make([]byte, 20<<20)), anything); err == nil || time.Since(start) > time.Second {
		t.Errorf("a body that is not taken: %v after %s", err, time.Since(start))
	}
}

// A body that breaks off never looks whole, whether it is read at once or has moved to
// a file.
func TestShortBodies(t *testing.T) {
	f, s := newFakeS3(t)
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	name := put(t, s, content)
	s.limits.stall = 300 * time.Millisecond
	half := func(end func(w http.ResponseWriter, r *http.Request), sized bool) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `"x"`)
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(content)-1, len(content)))
			if sized {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			}
			w.WriteHeader(http.StatusPartialContent)
			w.Write(content[:len(content)/2])
			w.(http.Flusher).Flush()
			end(w, r)
			return true
		}
	}
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	stop := func(w http.ResponseWriter, r *http.Request) { hangs(w, r) }
	done := func(http.ResponseWriter, *http.Request) {}
	for fault, c := range map[string]struct {
		breaks func(http.ResponseWriter, *http.Request) bool
		want   string
	}{
		"cut":            {half(cut, true), "the answer broke off"},
		"cut, no length": {half(cut, false), "the answer broke off"},
		"ended early":    {half(done, false), "the answer broke off"},
		"stands still":   {half(stop, true), "no answer for"},
	} {
		for _, hold := range []time.Duration{time.Hour, time.Microsecond} {
			s.limits.hold = hold
			f.breaks(c.breaks)
			r, err := s.Open(t.Context(), name, 0, int64(len(content)))
			if err != nil {
				t.Fatal(err)
			}
			if hold < time.Second {
				time.Sleep(20 * time.Millisecond) // let it move
			}
			start := time.Now()
			got, err := io.ReadAll(r)
			if err == nil || !strings.Contains(err.Error(), c.want) || len(got) != len(content)/2 {
				t.Errorf("%s: %d bytes, then %v", fault, len(got), err)
			}
			if err == io.EOF || err == io.ErrUnexpectedEOF || !strings.Contains(fmt.Sprint(err), s.at.String()) {
				t.Errorf("%s: trouble of the store is the end of a damaged file: %v", fault, err)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("%s took %s", fault, took)
			}
			r.Close()
		}
	}
}

// What is not the range that was asked for fails before anything is handed out.
func TestWrongRanges(t *testing.T) {
	f, s := newFakeS3(t)
	s.Cache(0)
	name := put(t, s, []byte("0123456789"))
	for _, c := range []struct {
		status         int
		offset, length int64
		contentRange   string
		body           string
		ok             bool
	}{
		{206, 2, 3, "bytes 2-4/10", "234", true},
		{206, 2, 3, "bytes 0-2/10", "012", false},
		{206, 2, 3, "bytes 2-3/4", "23", false},
		{206, 2, 3, "", "234", false},
		{206, 0, 3, "", "012", false},
		{206, 2, 3, "nonsense", "234", false},
		{200, 0, 10, "", "0123456789", true},
		{200, 0, 3, "", "0123456789", true},
		{200, 2, 3, "", "0123456789", false},
		{200, 0, 11, "", "0123456789", false},
	} {
		f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `"x"`)
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Type", blobType)
			w.Header().Set("Content-Length", fmt.Sprint(len(c.body)))
			if c.contentRange != "" {
				w.Header().Set("Content-Range", c.contentRange)
			}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
			return true
		})
		r, err := s.Open(t.Context(), name, c.offset, c.length)
		if (err == nil) != c.ok || errors.Is(err, library.ErrNotFound) {
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil {
			got, err := io.ReadAll(r)
			if want := "0123456789"[c.offset : c.offset+c.length]; err != nil || string(got) != want {
				t.Errorf("%+v: %q, %v", c, got, err)
			}
			r.Close()
		}
	}
}

// A store whose ETags tell nothing is believed when it lists what it says to keep; and who
// says so in vain is not. Google's word for nothing is text/html.
func TestPutIsKept(t *testing.T) {
	f, s := newFakeS3(t)
	keeps := true
	f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		content, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if keeps {
			f.mu.Lock()
			f.objects[strings.TrimPrefix(r.URL.Path, "/bucket/")] = content
			f.mu.Unlock()
		}
		w.Header().Set("ETag", `"0x8D4BCC2E4835CD0"`)
		w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		return true
	})
	put(t, s, []byte("hello"))
	keeps = false
	if _, err := s.Put(t.Context(), strings.NewReader("hello"), anything); err == nil || !strings.Contains(err.Error(), "does not list it") || errors.Is(err, library.ErrNotFound) {
		t.Errorf("a blob that is not kept: %v", err)
	}
}

// A call that failed for a moment is made again, with the whole body.
func TestRepeats(t *testing.T) {
	f, s := newFakeS3(t)
	for range 20 { // one that was answered early, and goes on to read, must not read for the next
		f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
			f.breaks(nil)
			says(w, 503, "SlowDown")
			return true
		})
		put(t, s, bytes.Repeat([]byte("0123456789"), 200_000))
	}
	var fails atomic.Int32
	f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		if fails.Add(-1) < 0 {
			return false
		}
		io.CopyN(io.Discard, r.Body, 1000)
		says(w, 503, "SlowDown")
		return true
	})
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	fails.Store(2)
	name := put(t, s, content)
	fails.Store(2)
	r, err := s.Open(t.Context(), name, 0, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// What is refused never reaches the store, and nothing of it stays on the disk.
func TestRefusedBeforeTheStore(t *testing.T) {
	f, s := newFakeS3(t)
	f.called()
	own := errors.New("mine")
	if _, err := s.Put(t.Context(), strings.NewReader("x"), func(io.ReaderAt, int64) error { return own }); err != own {
		t.Error(err)
	}
	if _, err := s.Open(t.Context(), "../STORE", 0, 1); err != library.ErrNotFound {
		t.Error(err)
	}
	if n := f.called(); n != 0 {
		t.Errorf("%d calls", n)
	}
	put(t, s, []byte("hello"))
	if left, err := os.ReadDir(s.scratch); err != nil || len(left) > 0 {
		t.Errorf("left in the scratch directory: %v, %v", left, err)
	}
}

// Those who take their blobs slowly do not keep the connections of others.
func TestSlowTakers(t *testing.T) {
	_, s := newFakeS3(t)
	s.network.MaxConnsPerHost = 2
	s.limits.hold = 50 * time.Millisecond
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // more than sockets hold
	name := put(t, s, content)
	var readers []io.ReadCloser
	for i := range 6 {
		r, err := s.Open(t.Context(), name, 0, int64(len(content)))
		if err != nil {
			t.Fatalf("reader %d: %v", i, err)
		}
		if _, err := io.ReadFull(r, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r)
	}
	for i, r := range readers[1:] { // one is closed without being read
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, content[1000:]) {
			t.Errorf("reader %d: %d bytes, %v", i, len(got), err)
		}
	}
	for _, r := range readers {
		r.Close()
	}
	if left, err := os.ReadDir(s.scratch); err != nil || len(left) > 0 {
		t.Errorf("left in the scratch directory: %v, %v", left, err)
	}
}

// However many take their blobs slowly, what waits for them on the disk has a bound.
func TestManySlowTakers(t *testing.T) {
	_, s := newFakeS3(t)
	s.limits.hold = time.Millisecond
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	name, size := put(t, s, content), int64(4<<20)
	s.spare.Store(2*size + size/2)
	var readers []*receiving
	for range 5 {
		r, err := s.Open(t.Context(), name, 0, size)
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, r.(*receiving))
	}
	moved := 0
	for _, r := range readers {
		r.moved.Wait() // or not moved
		if r.file != nil {
			moved++
		}
	}
	if left := s.spare.Load(); moved != 2 || left != size/2 {
		t.Errorf("%d have moved, and there is room for %d bytes", moved, left)
	}
	for i, r := range readers {
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
			t.Errorf("reader %d: %d bytes, %v", i, len(got), err)
		}
		r.Close()
		r.Close()
	}
	if left := s.spare.Load(); left != 2*size+size/2 {
		t.Errorf("afterwards there is room for %d bytes", left)
	}
}

// Of two stores that claim a place at once, one gets it, as do all who come later.
func TestClaimsAtOnce(t *testing.T) {
	for _, conditions := range []bool{true, false} {
		f, s := newFakeS3(t)
		if !conditions {
			f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Header.Get("If-None-Match") == "" {
					return false
				}
				says(w, http.StatusNotImplemented, "NotImplemented")
				return true
			})
		}
		f.mu.Lock()
		clear(f.objects)
		f.mu.Unlock()
		if err := s.Claim(t.Context(), "id", false); err == nil || !strings.Contains(err.Error(), "there are no blobs in ") {
			t.Errorf("not the first place, and empty: %v", err)
		}
		const n = 8
		won := make(chan string, n)
		var group sync.WaitGroup
		for i := range n {
			if !conditions && i > 0 {
				break // without conditions only those who come later can be refused
			}
			group.Go(func() {
				if id := fmt.Sprint("id", i); s.Claim(t.Context(), id, true) == nil {
					won <- id
				}
			})
		}
		group.Wait()
		if len(won) != 1 {
			t.Fatalf("%d claims of one place succeeded", len(won))
		}
		id := <-won
		for _, first := range []bool{true, false} {
			if err := s.Claim(t.Context(), id, first); err != nil {
				t.Error(err)
			}
		}
		if err := s.Claim(t.Context(), "late", true); err == nil || !strings.Contains(err.Error(), "belong to another database (its place is called "+id) {
			t.Error(err)
		}
	}
}

func TestClaimOfAPlaceInUse(t *testing.T) {
	f, s := newFakeS3(t)
	f.mu.Lock()
	clear(f.objects)
	f.objects["some/prefix/somebody's"] = nil
	f.mu.Unlock()
	if err := s.Claim(t.Context(), "id", true); err == nil || !strings.Contains(err.Error(), "choose an empty bucket or another prefix") {
		t.Error(err)
	}
}

// Each kind of trouble is one line that names the part and the way out.
func TestWaysOut(t *testing.T) {
	f, s := newFakeS3(t)
	for code, want := range map[string]string{
		"NoSuchBucket":                 "create it, or correct --blobs",
		"InvalidAccessKeyId":           "AWS_ACCESS_KEY_ID",
		"SignatureDoesNotMatch":        "AWS_SECRET_ACCESS_KEY",
		"ExpiredToken":                 "AWS_SESSION_TOKEN",
		"RequestTimeTooSkewed":         "its clock and that of this machine",
		"AuthorizationHeaderMalformed": "correct region in --blobs",
		"PermanentRedirect":            "correct region in --blobs",
		"AccessDenied":                 "the credentials must allow",
		"ServiceUnavailable":           "it is overloaded or not ready",
		"Unheard":                      "said so (Unheard)",
	} {
		f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
			status := 400
			if code == "ServiceUnavailable" {
				status = 503
			}
			says(w, status, code)
			return true
		})
		err := s.Claim(t.Context(), "id", true)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "blobs in s3://bucket/some/prefix at http://127.0.0.1:") {
			t.Errorf("%s: %v", code, err)
		}
	}
}
