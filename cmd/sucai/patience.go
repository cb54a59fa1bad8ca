package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"
)

// How long a command waits for a server: a transfer may take as long as it likes while
// it goes on.
const (
	stallTime  = 30 * time.Second // without a byte
	answerTime = time.Minute      // for an answer to begin, once all is sent
)

// newTransport gives a transport that does not wait for ever.
func newTransport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = answerTime
	return &patient{t, stallTime}
}

// patient ends calls that get stuck. It counts only while the other side is waited for:
// neither while the file to send is read nor while the caller works on what came.
type patient struct {
	http.RoundTripper
	limit time.Duration
}

type stalled struct{ after time.Duration }

func (e stalled) Error() string {
	return fmt.Sprintf("nothing was sent or received for %s", e.after)
}

// RoundTrip implements http.RoundTripper.
func (p *patient) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	call := &call{ctx: ctx, limit: p.limit, timer: time.AfterFunc(p.limit, func() { cancel(stalled{p.limit}) })}
	// From here on the transport's ResponseHeaderTimeout counts.
	sent := &httptrace.ClientTrace{WroteRequest: func(info httptrace.WroteRequestInfo) {
		if info.Err == nil {
			call.timer.Stop()
		}
	}}
	req = req.WithContext(httptrace.WithClientTrace(ctx, sent))
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = sending{req.Body, call}
	}
	res, err := p.RoundTripper.RoundTrip(req)
	call.timer.Stop()
	if err != nil {
		err = call.reason(err)
		cancel(nil)
		return nil, err
	}
	res.Body = receiving{res.Body, call, cancel}
	return res, nil
}

type call struct {
	ctx   context.Context
	limit time.Duration
	timer *time.Timer
}

// reason gives the stall where an error comes of it.
func (c *call) reason(err error) error {
	if cause, ok := context.Cause(c.ctx).(stalled); ok {
		return cause
	}
	return err
}

// sending is a request's body; the other side is waited for between two reads of it.
type sending struct {
	io.ReadCloser
	call *call
}

func (s sending) Read(b []byte) (int, error) {
	s.call.timer.Stop()
	n, err := s.ReadCloser.Read(b)
	s.call.timer.Reset(s.call.limit)
	return n, err
}

// receiving is a response's body; the other side is waited for during each read of it.
type receiving struct {
	io.ReadCloser
	call   *call
	cancel context.CancelCauseFunc
}

func (r receiving) Read(b []byte) (int, error) {
	r.call.timer.Reset(r.call.limit)
	n, err := r.ReadCloser.Read(b)
	r.call.timer.Stop()
	if err != nil && err != io.EOF {
		err = r.call.reason(err)
	}
	return n, err
}

func (r receiving) Close() error {
	r.call.timer.Stop()
	err := r.ReadCloser.Close()
	r.cancel(nil)
	return err
}
