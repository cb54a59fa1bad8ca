package server

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"

	"sucai/internal/library"
)

// Known is what somebody else found out about who calls. The zero value knows nothing:
// such a call needs a token.
type Known struct {
	Account *library.Account
	Refused error       // with which the call is answered, whatever it is
	Success http.Header // that an answer has besides, unless it is an error
	Base    string      // of our addresses in the answer where no --url is set; "": as the caller reached us
}

// ServeAs answers a call of the API whose caller is known. Plain http is as good for it
// as https.
func (s *Server) ServeAs(w http.ResponseWriter, r *http.Request, k Known) {
	rq := s.newRequest(r, s.watch(w, r))
	rq.known = &k
	if k.Account != nil {
		rq.as(&library.Caller{Account: k.Account})
	}
	s.answer(w, rq)
}

// Call makes a call of the API for a caller who is known to be an account, and gives the
// reply instead of sending it. r is the request by which it came, whose context and
// sender count; path and body are those of the call over HTTPS. The reply is to be sent
// by SendAround and closed.
func (s *Server) Call(r *http.Request, a *library.Account, path string, body []byte) *Reply {
	r = r.Clone(r.Context())
	r.Method, r.URL, r.ContentLength = http.MethodPost, &url.URL{Path: path}, int64(len(body))
	rq := s.newRequest(r, bodyOf(body))
	rq.as(&library.Caller{Account: a})
	value, err := rq.callSafely()
	out := s.render(rq, value, err)
	out.RID, out.rq = rq.rid, rq
	out.close = append(out.close, rq.done)
	return out
}

// Send answers with status 200 and data, under the limits in time of every answer.
func (s *Server) Send(w http.ResponseWriter, contentType string, data []byte) {
	w.Header()["Content-Type"] = []string{contentType}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(data))}
	s.writer(w).Write(data) // who does not take it has left
}

// SendAround answers with status 200 and, in one body, head, the reply's body as it
// streams, and tail. A reply that breaks off ends the connection.
func (s *Server) SendAround(w http.ResponseWriter, contentType string, head []byte, r *Reply, tail []byte) {
	w.Header()["X-Rid"] = []string{r.RID}
	w.Header()["Content-Type"] = []string{contentType}
	w.Header()["Content-Length"] = []string{strconv.FormatInt(int64(len(head))+r.Size+int64(len(tail)), 10)}
	out := s.writer(w)
	_, broken := out.Write(head)
	var sent int64
	if broken == nil {
		sent, broken = out.copy(r.Body, r.Size)
	}
	if broken == nil {
		_, broken = out.Write(tail)
	}
	s.logCall(r.rq, r.Code, sent, errors.Join(r.trouble, broken))
	if broken != nil {
		panic(http.ErrAbortHandler) // a short body must not look whole
	}
}

// ReadBody reads a request's body of at most limit bytes, under the limits in time of
// every body; whole is false where it is longer or broke off. What is not wanted of it is
// read too, as far as that goes, so that an answer can be read.
func (s *Server) ReadBody(w http.ResponseWriter, r *http.Request, limit int64) (data []byte, whole bool) {
	rq := s.newRequest(r, s.watch(w, r))
	defer rq.done()
	data, err := rq.readBody(limit, 0)
	rq.body.drain(w)
	return data, err == nil
}

// NoteRefusal logs why a cloud call was refused before it became a call of the API, as
// trouble where it is ours, and gives the id under which the log has it.
func (s *Server) NoteRefusal(r *http.Request, why string, ours bool) (rid string) {
	rid = newRID()
	level := slog.LevelInfo
	if ours && r.Context().Err() == nil {
		level = slog.LevelError
	}
	s.log.Log(r.Context(), level, "cloud call refused", "why", why, "rid", rid, "from", s.client(r).String())
	return rid
}
