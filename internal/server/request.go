package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"sucai/internal/library"
	"sucai/wechat"
)

// request is one call of the API on its way.
type request struct {
	*http.Request
	server  *Server
	rid     string
	start   time.Time
	body    *body
	query   url.Values
	known   *Known // of a listener whose callers are known; else nil
	route   route
	caller  *library.Caller  // nil where nobody need be known
	library *library.Library // the caller's
	memory  hold
	spools  []*spool
}

// param gives a query parameter, "" where it is absent. Unknown ones are ignored.
func (rq *request) param(name string) string {
	if rq.query == nil {
		rq.query = rq.URL.Query()
	}
	return rq.query.Get(name)
}

func (rq *request) base() string {
	if rq.known != nil && rq.known.Base != "" && rq.server.opt.URL == "" {
		return rq.known.Base
	}
	return rq.server.base(rq.Request)
}

// The largest bodies of JSON requests, in bytes. A news has at most eight articles of
// less than 1 MB each, and JSON may write a character as six.
const (
	tokenBody  = 4 << 10
	smallBody  = 64 << 10
	newsBody   = 12 << 20
	newsStored = 9 << 20 // of a news as it is stored
)

// What is larger than freeMemory bytes is held in memory only while it is worked on,
// together within memoryBudget, counted for the copies that this makes.
const (
	memoryBudget = 96 << 20
	freeMemory   = 256 << 10
	copies       = 6
	roomTime     = 30 * time.Second // to wait for it
)

// hold is what one request holds of the memory budget.
type hold struct {
	server *Server
	ctx    context.Context
	bytes  int64
}

// room waits until size bytes may be worked on in memory, until release. What is held
// already counts.
func (h *hold) room(size int64) error {
	held := min(size*copies, h.server.budget) - h.bytes
	if size <= freeMemory || held <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(h.ctx, roomTime)
	defer cancel()
	if err := h.server.memory.Acquire(ctx, held); err != nil {
		return fmt.Errorf("no room in memory for %d bytes: %w", size, err)
	}
	h.bytes += held
	h.server.held.Add(held)
	return nil
}

func (h *hold) release() {
	h.server.memory.Release(h.bytes)
	h.server.held.Add(-h.bytes)
	h.bytes = 0
}

// done lets go of everything that a request held.
func (rq *request) done() {
	rq.memory.release()
	for _, s := range rq.spools {
		s.Close()
	}
}

// spool makes a spool that lasts as long as the request.
func (rq *request) spool() *spool {
	s := &spool{}
	rq.spools = append(rq.spools, s)
	return s
}

// arguments makes an endpoint of a function that takes its arguments as JSON of at most
// limit bytes, whatever Content-Type the request has.
func arguments(limit int64, fn func(rq *request, args wechat.Object) (any, error)) endpoint {
	return argumentsBeside(0, limit, fn)
}

// argumentsBeside is arguments for a function that works on up to stored bytes beside a
// large body. The room for both is made at once: two requests that had half of what they
// need would wait for each other.
func argumentsBeside(stored, limit int64, fn func(rq *request, args wechat.Object) (any, error)) endpoint {
	return func(rq *request) (any, error) {
		data, err := rq.readBody(limit, stored)
		if err != nil {
			return nil, err
		}
		args, err := wechat.ParseObject(data)
		if err != nil {
			return nil, err
		}
		return fn(rq, args)
	}
}

// byMediaID is arguments for a function of one material. WxJava on Jodd names it in the
// query and sends no body.
func byMediaID(fn func(rq *request, mediaID string) (any, error)) endpoint {
	inBody := arguments(smallBody, func(rq *request, args wechat.Object) (any, error) {
		id, err := args.ID("media_id")
		if err != nil {
			return nil, err
		}
		return fn(rq, id)
	})
	return func(rq *request) (any, error) {
		if id := rq.param("media_id"); id != "" && rq.body.ended() {
			return fn(rq, id)
		}
		return inBody(rq)
	}
}

// readBody reads a body of at most limit bytes. A long one comes into memory only when
// it is whole, and there is room for it and for what is stored beside it.
func (rq *request) readBody(limit, stored int64) ([]byte, error) {
	tooLong := wechat.ErrDataFormat
	if limit == newsBody {
		tooLong = wechat.ErrContentSize
	}
	if rq.ContentLength > limit {
		return nil, tooLong
	}
	most := limit + 1
	if rq.ContentLength >= 0 {
		most = rq.ContentLength + 1 // io.Copy makes a buffer of so many
	}
	s := rq.spool()
	n, err := io.Copy(s, io.LimitReader(rq.body, most))
	switch {
	case err != nil:
		return nil, err
	case n > limit:
		return nil, tooLong
	}
	if n > freeMemory {
		n += stored
	}
	if err := rq.memory.room(n); err != nil {
		return nil, err
	}
	return s.bytes()
}

// body is a request's body under watch: it must make progress, and end in time.
type body struct {
	r     io.Reader
	rc    *http.ResponseController // nil where nothing is waited for
	limit limits
	end   time.Time
	read  int64
	err   error // with which it ended
	wait  bool  // the client waits for our consent before it sends

	drains int64
}

// bodyError is trouble of the client's making: it stopped sending, or sent nonsense.
type bodyError struct{ error }

func (e bodyError) Unwrap() error { return e.error }

func (s *Server) watch(w http.ResponseWriter, r *http.Request) *body {
	b := &body{
		r: r.Body, rc: http.NewResponseController(w), limit: s.limits, end: time.Now().Add(s.limits.body),
		wait: r.Header.Get("Expect") != "", drains: maxDrain,
	}
	if r.ProtoMajor == 2 {
		b.drains = maxDrainHTTP2
	}
	if r.Body == http.NoBody {
		b.err = io.EOF
	}
	return b
}

// bodyOf is a body that has come already.
func bodyOf(data []byte) *body {
	b := &body{r: bytes.NewReader(data)}
	if len(data) == 0 {
		b.err = io.EOF
	}
	return b
}

// ended tells whether all of the body has been read; of an empty one, from the start.
func (b *body) ended() bool { return b.err == io.EOF }

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.rc != nil {
		deadline := time.Now().Add(b.limit.progress)
		if deadline.After(b.end) {
			deadline = b.end
		}
		b.rc.SetReadDeadline(deadline)
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	if err == io.EOF {
		// The server goes on reading, to notice when the client leaves; that takes as
		// long as the answer does.
		if b.rc != nil {
			b.rc.SetReadDeadline(time.Time{})
		}
		b.err = err
	} else if err != nil {
		b.err = bodyError{err}
	}
	return n, b.err
}

// maxDrain is how much of a body is read although its answer is known. On HTTP/2 the
// answer cannot overtake the body, so more of it is read there.
const (
	maxDrain      = 12 << 20
	maxDrainHTTP2 = 64 << 20
)

// drain reads what is left of a body before an early answer: a client that writes all
// before it reads would otherwise see a reset connection instead of the answer.
func (b *body) drain(w http.ResponseWriter) {
	if b.err == nil && !(b.wait && b.read == 0) {
		io.CopyN(io.Discard, b, b.drains-b.read)
	}
	if !b.ended() {
		w.Header()["Connection"] = []string{"close"}
	}
}
