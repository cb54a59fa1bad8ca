package server

import (
	"io"
	"math"
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
	caller  *library.Caller  // nil where nobody need be known
	library *library.Library // the caller's
	held    int64            // of the server's memory budget
}

// param gives a query parameter, "" where it is absent. Unknown ones are ignored.
func (rq *request) param(name string) string {
	if rq.query == nil {
		rq.query = rq.URL.Query()
	}
	return rq.query.Get(name)
}

func (rq *request) base() string { return rq.server.base(rq.Request) }

// The largest bodies of JSON requests, in bytes. A news has at most eight articles of
// less than 1 MB each, and JSON may write a character as six.
const (
	smallBody = 64 << 10
	newsBody  = 12 << 20
)

// Bodies and answers up to freeMemory bytes are held without asking; larger ones
// together within memoryBudget, each counted for the copies that handling it makes.
const (
	memoryBudget = 64 << 20
	freeMemory   = 256 << 10
	copies       = 4
)

// hold waits until size bytes may be held in memory, until release.
func (rq *request) hold(size int64) error {
	if size <= freeMemory {
		return nil
	}
	n := min(size*copies, memoryBudget)
	if err := rq.server.memory.Acquire(rq.Context(), n); err != nil {
		return err
	}
	rq.held += n
	return nil
}

func (rq *request) release() {
	if rq.held > 0 {
		rq.server.memory.Release(rq.held)
		rq.held = 0
	}
}

// large runs read, which gives nothing of more than freeMemory bytes, and once more
// without a limit when told that there is more.
func large[T any](rq *request, read func(most int64) (T, error), left func(T) int64) (T, error) {
	v, err := read(freeMemory)
	if err != nil {
		return v, err
	}
	size := left(v)
	if size == 0 {
		return v, nil
	}
	if err := rq.hold(size); err != nil {
		return v, err
	}
	return read(math.MaxInt64)
}

// arguments makes an endpoint of a function that takes its arguments as JSON of at most
// limit bytes, whatever Content-Type the request has.
func arguments(limit int64, fn func(rq *request, args wechat.Object) (any, error)) endpoint {
	return func(rq *request) (any, error) {
		data, err := rq.readBody(limit)
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

func (rq *request) readBody(limit int64) ([]byte, error) {
	size := rq.ContentLength
	switch {
	case size > limit:
		return nil, tooLong(limit)
	case size >= 0:
		if err := rq.hold(size); err != nil {
			return nil, err
		}
		data := make([]byte, size)
		_, err := io.ReadFull(rq.body, data)
		return data, err
	}
	if err := rq.hold(limit); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(rq.body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = tooLong(limit)
	}
	return data, err
}

func tooLong(limit int64) error {
	if limit == newsBody {
		return wechat.ErrContentSize
	}
	return wechat.ErrDataFormat
}

// body is a request's body under watch: it must make progress, and end in time.
type body struct {
	r     io.Reader
	rc    *http.ResponseController
	limit limits
	end   time.Time
	read  int64
	err   error // with which it ended
	wait  bool  // the client waits for our consent before it sends
}

// bodyError is trouble of the client's making: it stopped sending, or sent nonsense.
type bodyError struct{ error }

func (e bodyError) Unwrap() error { return e.error }

func (s *Server) watch(w http.ResponseWriter, r *http.Request) *body {
	b := &body{
		r: r.Body, rc: http.NewResponseController(w), limit: s.limits, end: time.Now().Add(s.limits.body),
		wait: r.Header.Get("Expect") != "",
	}
	if r.Body == http.NoBody {
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
	deadline := time.Now().Add(b.limit.progress)
	if deadline.After(b.end) {
		deadline = b.end
	}
	b.rc.SetReadDeadline(deadline)
	n, err := b.r.Read(p)
	b.read += int64(n)
	if err == io.EOF {
		// The server goes on reading, to notice when the client leaves; that takes as
		// long as the answer does.
		b.rc.SetReadDeadline(time.Time{})
		b.err = err
	} else if err != nil {
		b.err = bodyError{err}
	}
	return n, b.err
}

// maxDrain is how much of a body is read although its answer is known.
const maxDrain = 12 << 20

// drain reads what is left of a body before an early answer: a client that writes all
// before it reads would otherwise see a reset connection instead of the answer.
func (b *body) drain(w http.ResponseWriter) {
	if b.err == nil && !(b.wait && b.read == 0) {
		io.CopyN(io.Discard, b, maxDrain-b.read)
	}
	if !b.ended() {
		w.Header()["Connection"] = []string{"close"}
	}
}
