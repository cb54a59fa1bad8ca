package main

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const shortly = 200 * time.Millisecond

// slowly gives one byte after the other, and nothing more once it has given n.
type slowly struct {
	n     int
	pause time.Duration
	stuck chan struct{}
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.n == 0 && s.stuck != nil {
		<-s.stuck
	}
	if s.n == 0 {
		return 0, io.EOF
	}
	s.n--
	time.Sleep(s.pause)
	p[0] = 'x'
	return 1, nil
}

// A call that gets stuck ends; one that goes on may take long.
func TestPatience(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		flow := &slowly{n: 10, pause: shortly / 4}
		switch r.URL.Path {
		case "/silent":
			io.Copy(io.Discard, r.Body)
			<-over
		case "/deaf":
			<-over
		case "/stops":
			flow.n, flow.stuck = 3, over
		default:
			io.Copy(io.Discard, r.Body)
		}
		buf := make([]byte, 1)
		for _, err := flow.Read(buf); err == nil; _, err = flow.Read(buf) {
			w.Write(buf)
			http.NewResponseController(w).Flush()
		}
	}))
	defer srv.Close()
	defer close(over) // before the server waits for its calls
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.ResponseHeaderTimeout = 2 * shortly
	c := &http.Client{Transport: &patient{base, shortly}}
	endless := io.LimitReader(zeros{}, 1<<30)
	for _, call := range []struct {
		path string
		body io.Reader
		want string
	}{
		{"/", nil, ""},
		{"/", &slowly{n: 10, pause: shortly / 4}, ""},
		{"/", &slowly{n: 2, pause: 3 * shortly / 2}, ""}, // a file that is read slowly is nobody's fault
		{"/silent", strings.NewReader("x"), "awaiting response headers"},
		{"/deaf", endless, "nothing was sent or received for 200ms"},
		{"/stops", nil, "nothing was sent or received for 200ms"},
	} {
		got := make(chan error, 1)
		go func() {
			res, err := c.Post(srv.URL+call.path, "text/plain", call.body)
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
				err = errors.Join(err, res.Body.Close())
			}
			got <- err
		}()
		select {
		case err := <-got:
			if (err == nil) != (call.want == "") || err != nil && !strings.Contains(err.Error(), call.want) {
				t.Errorf("%s: %v, want %q", call.path, err, call.want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%s hangs", call.path)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
