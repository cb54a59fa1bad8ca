package server

import (
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"time"

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

// Received is a request on a way of cloud calls, as it came. It becomes a call of the API
// ([Server.Call]) or is refused ([Server.Refuse]).
type Received struct {
	Body  []byte
	Whole bool // otherwise it is longer than was allowed, or broke off
	RID   string

	w  http.ResponseWriter
	rq *request
}

// Receive reads a request with a body of at most limit bytes, under the limits in time of
// every body. What is not wanted of it is read too, as far as that goes, so that an answer
// can be read.
func (s *Server) Receive(w http.ResponseWriter, r *http.Request, limit int64) *Received {
	rq := s.newRequest(r, s.watch(w, r))
	defer rq.done()
	data, err := rq.readBody(limit, 0)
	rq.body.drain(w)
	return &Received{Body: data, Whole: err == nil, RID: rq.rid, w: w, rq: rq}
}

// Call makes a call of the API for a caller who is known to be an account, and gives the
// reply instead of sending it. path and body are those of the call over HTTPS. The reply
// is to be sent by SendAround and closed.
func (s *Server) Call(in *Received, a *library.Account, path string, body []byte) *Reply {
	r := in.rq.Clone(in.rq.Context())
	r.Method, r.URL, r.ContentLength = http.MethodPost, &url.URL{Path: path}, int64(len(body))
	rq := s.newRequest(r, bodyOf(body))
	rq.rid, rq.start = in.RID, in.rq.start
	rq.as(&library.Caller{Account: a})
	value, err := rq.callSafely()
	out := s.render(rq, value, err)
	out.RID, out.rq = rq.rid, rq
	out.close = append(out.close, rq.done)
	return out
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
	s.called(r.rq, r.Code, sent, r.trouble, broken)
	if broken != nil {
		panic(http.ErrAbortHandler) // a short body must not look whole
	}
}

// Refuse answers with a status and data. why is for the log, and holds nothing secret; it
// is logged as trouble where it is ours.
func (s *Server) Refuse(in *Received, status int, contentType string, data []byte, why string, ours bool) {
	s.metrics.Refused()
	h := in.w.Header()
	h["X-Rid"] = []string{in.RID}
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(data))}
	in.w.WriteHeader(status)
	sent, _ := s.writer(in.w).Write(data) // who does not take it has left
	l := s.line(in.rq.Request, ours && in.rq.Context().Err() == nil)
	if l == nil {
		return
	}
	l.add(slog.String("why", why), slog.String("path", shown(in.rq.URL.Path)), slog.Int("status", status))
	l.size(in.rq.body.read, int64(sent), time.Since(in.rq.start))
	l.from(in.RID)
	l.write("cloud call refused", nil)
}
