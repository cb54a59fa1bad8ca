package server

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"sucai/wechat"
)

// Each request leaves one line in the log and counts in the metrics, by the functions of
// this file. No line holds a token, a secret, or an address that opens something: what
// callers sent is shown only where it is a name that we know, or looks like a path of the
// API (shown). docs/metrics.md tells the names of both.

// unknownEndpoint stands for all paths that are none of the API.
const unknownEndpoint = "other"

// called records a call of the API. trouble is what was wrong with it, broken why its
// answer was cut off.
func (s *Server) called(rq *request, code int, sent int64, trouble, broken error) {
	took := time.Since(rq.start)
	e, known := s.endpoints[rq.URL.Path]
	if !known {
		e = s.unknown
	}
	e.Answered(code, took, rq.body.read, sent)
	ours := trouble != nil && s.wireError(trouble) == wechat.ErrSystem && rq.Context().Err() == nil
	if broken != nil && !clientLeft(rq.Request, broken) {
		ours = true
		s.metrics.Broken()
	}
	l := s.line(rq.Request, ours)
	if l == nil {
		return
	}
	if known {
		l.add(slog.String("endpoint", endpointName(rq.URL.Path)))
	} else {
		l.add(slog.String("endpoint", unknownEndpoint), slog.String("path", shown(rq.URL.Path)))
	}
	l.add(slog.Int("errcode", code))
	l.size(rq.body.read, sent, took)
	l.from(rq.rid)
	if c := rq.caller; c != nil {
		if c.Account != nil {
			l.add(slog.String("appid", c.Account.AppID))
		}
		if c.Component != nil {
			l.add(slog.String("component", c.Component.AppID))
		}
	}
	l.write("call", errors.Join(trouble, broken))
}

// done records a request of a public address.
func (v *visit) done() {
	took := time.Since(v.start)
	if v.status == 0 {
		v.status = http.StatusInternalServerError // it panicked; net/http logs that
	}
	v.server.addresses[v.name].Answered(v.status, took, v.sent)
	ours := v.trouble != nil && v.Context().Err() == nil
	if v.broken != nil && !clientLeft(v.Request, v.broken) {
		ours = true
		v.server.metrics.Broken()
	}
	l := v.server.line(v.Request, ours)
	if l == nil {
		return
	}
	l.add(slog.String("endpoint", v.name), slog.Int("status", v.status))
	l.size(0, v.sent, took)
	l.from(v.rid)
	l.add(v.subject...)
	l.write("public address", errors.Join(v.trouble, v.broken))
}

// line is one of the log, as it grows.
type line struct {
	server *Server
	r      *http.Request
	level  slog.Level
	attrs  []slog.Attr
}

// line begins one, as trouble of ours or not; nil where nobody reads it.
func (s *Server) line(r *http.Request, ours bool) *line {
	level := slog.LevelInfo
	if ours {
		level = slog.LevelError
	}
	if !s.log.Enabled(r.Context(), level) {
		return nil
	}
	l := &line{s, r, level, make([]slog.Attr, 0, 12)}
	l.add(slog.String("method", method(r)))
	return l
}

func (l *line) add(attrs ...slog.Attr) { l.attrs = append(l.attrs, attrs...) }

func (l *line) size(received, sent int64, took time.Duration) {
	l.add(slog.Int64("received", received), slog.Int64("bytes", sent), slog.Float64("duration", took.Round(time.Microsecond).Seconds()))
}

func (l *line) from(rid string) {
	l.add(slog.String("rid", rid), slog.String("from", l.server.client(l.r).String()))
}

func (l *line) write(message string, err error) {
	if err != nil {
		l.add(slog.String("error", inWords(err)))
	}
	l.server.log.LogAttrs(l.r.Context(), l.level, message, l.attrs...)
}

// inWords says what was wrong. What Go's packages say of a form that is broken repeats
// some of it.
func inWords(err error) string {
	var theirs bodyError
	var network net.Error
	if errors.As(err, &theirs) && !errors.As(err, &network) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "the body is not as it should be"
	}
	return err.Error()
}

// method is a request's where it is a usual one: a caller may send any word.
func method(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return r.Method
	}
	return unknownEndpoint
}

// shown is a path as far as it looks like one of the API: a token stands in some that
// were put together wrongly, such as /cgi-bin/x&access_token=..
func shown(path string) string {
	const cut = "…"
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if p == "cgi-bin" {
			continue
		}
		if at := strings.IndexFunc(p, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' }); at >= 0 || len(p) > 40 || i == 8 {
			if at < 0 || p[at] != '&' && p[at] != '?' {
				at = 0
			}
			return strings.Join(parts[:i], "/") + "/" + p[:at] + cut
		}
	}
	return path
}

// clientLeft tells a connection to the client that broke, or that its client left
// waiting, from trouble of ours: a store's connection breaks while it is read.
func clientLeft(r *http.Request, broken error) bool {
	var network *net.OpError
	return r.Context().Err() != nil || errors.As(broken, &network) && network.Op != "read" && network.Op != "dial"
}
