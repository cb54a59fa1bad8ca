package server

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"sucai/wechat"
)

const jsonType = "application/json; encoding=utf-8"

// Header values that are the same each time.
var (
	noSniff = []string{"nosniff"}
	noCache = []string{"no-cache, must-revalidate"}
	noStore = []string{"no-store"}
)

// Reply is the answer of a call: JSON, or the bytes of a material.
type Reply struct {
	ContentType string
	Name        string // of a file; empty for JSON
	Size        int64
	Body        io.Reader // at least Size bytes; an *os.File where there is one
	Code        int       // errcode, 0 where it succeeded
	RID         string
	trouble     error // for the log
	rq          *request
	close       []func()
}

// Close lets go of what the reply holds.
func (r *Reply) Close() {
	for _, fn := range r.close {
		fn()
	}
}

// reply writes the answer of every call of the API but cloud calls: the only place that
// does.
func (s *Server) reply(w http.ResponseWriter, rq *request, value any, err error) {
	out := s.render(rq, value, err)
	defer out.Close()
	h := w.Header()
	if rq.known != nil && out.Code == 0 {
		maps.Copy(h, rq.known.Success)
	}
	h["X-Rid"] = []string{rq.rid}
	h["Content-Type"] = []string{out.ContentType}
	h["Content-Length"] = []string{strconv.FormatInt(out.Size, 10)}
	if out.Name != "" {
		h["Content-disposition"] = []string{`attachment; filename="` + out.Name + `"`} // spelt as the platform does
		h["Cache-Control"] = noCache
		h["X-Content-Type-Options"] = noSniff
	}
	sent, broken := s.writer(w).copy(out.Body, out.Size)
	s.called(rq, out.Code, sent, out.trouble, broken)
	if broken != nil {
		panic(http.ErrAbortHandler) // a short body must not look whole
	}
}

// render makes a reply of what an endpoint returned.
func (s *Server) render(rq *request, value any, err error) *Reply {
	if err == nil {
		if f, ok := value.(*wechat.File); ok {
			return &Reply{ContentType: f.ContentType, Name: f.Name, Size: f.Size, Body: f.Body, close: []func(){func() { f.Body.Close() }}}
		}
	}
	out, ok := value.(*spool)
	if err == nil && !ok {
		out, err = rq.encode(value.(wechat.Answer))
	}
	if err == nil {
		rq.memory.release() // a client that takes its time does not hold memory
		var r io.Reader
		if r, err = out.reader(); err == nil {
			return &Reply{ContentType: jsonType, Size: out.size, Body: r}
		}
	}
	e := s.wireError(err)
	body := e.AppendJSON(nil, rq.wire())
	return &Reply{ContentType: jsonType, Size: int64(len(body)), Body: bytes.NewReader(body), Code: e.Code, trouble: err}
}

// encode writes an answer into a spool: a large one is taken slowly from a file.
func (rq *request) encode(answer wechat.Answer) (*spool, error) {
	out := rq.spool()
	data := answer.AppendJSON(nil, rq.wire())
	if len(data) > spoolMemory {
		_, err := out.Write(data)
		return out, err
	}
	out.few, out.size = data, int64(len(data))
	return out, nil
}

// wire is how this caller sees answers.
func (rq *request) wire() wechat.Wire {
	return wechat.Wire{Base: rq.base(), RID: rq.rid, Live: rq.server.opt.Live}
}

// wireError gives what a caller is told of an error: nothing, where it is ours.
func (s *Server) wireError(err error) *wechat.Error {
	var e *wechat.Error
	var broken bodyError
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &broken):
		return wechat.ErrDataFormat
	}
	return wechat.ErrSystem
}

// progressWriter gives a client so long for each piece that it takes.
type progressWriter struct {
	w     http.ResponseWriter
	rc    *http.ResponseController
	limit time.Duration
}

func (s *Server) writer(w http.ResponseWriter) progressWriter {
	return progressWriter{w, http.NewResponseController(w), s.limits.progress}
}

// piece is what must be taken within the limit: slower than 4 KB/s is no progress.
const piece = 128 << 10

func (p progressWriter) Write(data []byte) (n int, err error) {
	for len(data) > 0 && err == nil {
		var m int
		p.rc.SetWriteDeadline(time.Now().Add(p.limit))
		m, err = p.w.Write(data[:min(len(data), piece)])
		n += m
		data = data[m:]
	}
	return n, err
}

// inMemory is a reader of bytes that are in memory already, and need no copy.
type inMemory interface {
	io.WriterTo
	Len() int
}

// smallPiece is what io.Copy reads at once where nothing better is there.
const smallPiece = 32 << 10

// copy sends size bytes of r, from kernel to kernel where r is a file: nothing may wrap
// the ResponseWriter on the way.
func (p progressWriter) copy(r io.Reader, size int64) (sent int64, err error) {
	if m, ok := r.(inMemory); ok && int64(m.Len()) == size {
		return m.WriteTo(p)
	}
	if _, isFile := r.(*os.File); !isFile && size > smallPiece {
		return p.copyPieces(r, size)
	}
	for sent < size && err == nil {
		var n int64
		p.rc.SetWriteDeadline(time.Now().Add(p.limit))
		n, err = io.CopyN(p.w, r, min(size-sent, piece))
		sent += n
	}
	return sent, err
}

// pieces are buffers for copyPieces: what comes over the network goes on in few writes.
var pieces = sync.Pool{New: func() any { return new([piece]byte) }}

// copyPieces sends size bytes of what is not a file.
func (p progressWriter) copyPieces(r io.Reader, size int64) (sent int64, err error) {
	buf := pieces.Get().(*[piece]byte)
	defer pieces.Put(buf)
	sent, err = io.CopyBuffer(struct{ io.Writer }{p}, io.LimitReader(r, size), buf[:])
	if err == nil && sent < size {
		err = io.ErrUnexpectedEOF
	}
	return sent, err
}
