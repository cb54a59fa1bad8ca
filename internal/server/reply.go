package server

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"sucai/wechat"
)

// Header values that are the same each time.
var (
	jsonType = []string{"application/json; encoding=utf-8"}
	noSniff  = []string{"nosniff"}
	noCache  = []string{"no-cache, must-revalidate"}
	noStore  = []string{"no-store"}
)

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// reply writes the answer of every call of the API: the only place that does.
func (s *Server) reply(w http.ResponseWriter, rq *request, value any, err error) {
	h := w.Header()
	h["X-Rid"] = []string{rq.rid}
	code, sent := 0, int64(0)
	if err != nil {
		e := s.wireError(err)
		code, value = e.Code, e
	}
	var broken error
	switch v := value.(type) {
	case *wechat.File:
		sent, broken = s.sendFile(w, rq, v)
	case *spool:
		sent, broken = s.sendSpool(w, rq, v)
	case wechat.Answer:
		buf := buffers.Get().(*[]byte)
		*buf = v.AppendJSON((*buf)[:0], rq.wire())
		sent, broken = s.sendJSON(w, rq, *buf)
		if cap(*buf) <= freeMemory {
			buffers.Put(buf)
		}
	}
	s.logCall(rq, code, sent, errors.Join(err, broken))
	if broken != nil {
		panic(http.ErrAbortHandler) // a short body must not look whole
	}
}

// wire is how this caller sees answers.
func (rq *request) wire() wechat.Wire { return wechat.Wire{Base: rq.base()} }

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

// sendJSON sends an encoded answer; a large one from a file, so that a client that takes
// its time does not hold memory.
func (s *Server) sendJSON(w http.ResponseWriter, rq *request, data []byte) (int64, error) {
	if len(data) > freeMemory {
		out := rq.spool()
		if _, err := out.Write(data); err != nil {
			return 0, err
		}
		return s.sendSpool(w, rq, out)
	}
	s.jsonHeader(w, len(data))
	n, err := s.writer(w).Write(data)
	return int64(n), err
}

func (s *Server) sendSpool(w http.ResponseWriter, rq *request, out *spool) (int64, error) {
	rq.memory.release()
	r, err := out.reader()
	if err != nil {
		return 0, err
	}
	s.jsonHeader(w, int(out.size))
	return s.writer(w).copy(r, out.size)
}

func (s *Server) jsonHeader(w http.ResponseWriter, size int) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(size)}
}

func (s *Server) sendFile(w http.ResponseWriter, rq *request, f *wechat.File) (int64, error) {
	defer f.Body.Close()
	h := w.Header()
	h["Content-Type"] = []string{f.ContentType}
	h["Content-disposition"] = []string{`attachment; filename="` + f.Name + `"`} // spelt as the platform does
	h["Content-Length"] = []string{strconv.FormatInt(f.Size, 10)}
	h["Cache-Control"] = noCache
	h["X-Content-Type-Options"] = noSniff
	return s.writer(w).copy(f.Body, f.Size)
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

// copy sends size bytes of r, from kernel to kernel where r is a file: nothing may wrap
// the ResponseWriter on the way.
func (p progressWriter) copy(r io.Reader, size int64) (sent int64, err error) {
	for sent < size && err == nil {
		var n int64
		p.rc.SetWriteDeadline(time.Now().Add(p.limit))
		n, err = io.CopyN(p.w, r, min(size-sent, piece))
		sent += n
	}
	return sent, err
}

// logCall writes one line a call: no token, no secret.
func (s *Server) logCall(rq *request, code int, sent int64, err error) {
	level, note := slog.LevelInfo, ""
	if err != nil {
		note = err.Error()
		if s.wireError(err) == wechat.ErrSystem && !clientLeft(rq, err) {
			level = slog.LevelError
		}
	}
	if !s.log.Enabled(rq.Context(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("endpoint", rq.URL.Path), slog.Int("errcode", code), slog.Int64("bytes", sent),
		slog.Duration("took", time.Since(rq.start).Round(time.Microsecond)), slog.String("rid", rq.rid),
		slog.String("from", s.client(rq.Request).String()))
	if rq.caller != nil {
		attrs = append(attrs, slog.String("appid", rq.caller.Account.AppID))
	}
	if note != "" {
		attrs = append(attrs, slog.String("error", note))
	}
	s.log.LogAttrs(rq.Context(), level, rq.Method, attrs...)
}

// clientLeft tells a connection that broke, or that its client left waiting, from
// trouble of ours.
func clientLeft(rq *request, err error) bool {
	var broken *net.OpError
	return rq.Context().Err() != nil || errors.As(err, &broken)
}
