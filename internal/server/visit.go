package server

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"sucai/internal/library"
	"sucai/internal/metrics"
)

// visit is one request of a public address on its way.
type visit struct {
	*http.Request
	w       http.ResponseWriter
	server  *Server
	name    string // of the sort of address
	rid     string
	start   time.Time
	status  int // of the answer; 0 while there is none
	sent    int64
	subject []slog.Attr // what it is about, for the log: nothing that opens an address
	trouble error       // of ours
	broken  error       // why the answer was cut off
}

// Sorts of public addresses.
const (
	pictureAddress = "picture" // a voice or video of a library too
	videoAddress   = "video"
	articleAddress = "article"
	indexAddress   = "index"
	openAPIAddress = "openapi"
)

func addressInstruments(m *metrics.Metrics) map[string]*metrics.Address {
	all := map[string]*metrics.Address{}
	for _, name := range []string{pictureAddress, videoAddress, articleAddress, indexAddress, openAPIAddress} {
		all[name] = m.Address(name)
	}
	return all
}

// visited answers a request of a public address: GET or HEAD, by serve.
func (s *Server) visited(w http.ResponseWriter, r *http.Request, name string, serve func(v *visit)) {
	v := &visit{Request: r, w: w, server: s, name: name, rid: newRID(), start: time.Now()}
	defer v.done()
	w.Header()["X-Rid"] = []string{v.rid}
	if !readable(r) {
		w.Header()["Allow"] = []string{"GET, HEAD"}
		v.refuse(http.StatusMethodNotAllowed, "only GET and HEAD here")
		return
	}
	serve(v)
}

// readable tells whether a request is one that reads.
func readable(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// begin sends the head of the answer.
func (v *visit) begin(status int) {
	v.status = status
	v.w.WriteHeader(status)
}

// refuse answers with a status and a line of text.
func (v *visit) refuse(status int, text string) {
	v.status = status
	if v.Method != http.MethodHead {
		v.sent = int64(len(text) + 1)
	}
	http.Error(v.w, text, status)
}

// fail answers a request that cannot be served.
func (v *visit) fail(err error) {
	switch {
	case errors.Is(err, library.ErrNotFound):
		v.refuse(http.StatusNotFound, "there is nothing at this address")
	case errors.Is(err, library.ErrAddressExpired):
		v.refuse(http.StatusForbidden, err.Error())
	default:
		v.trouble = err
		v.refuse(http.StatusServiceUnavailable, "this cannot be read at the moment")
	}
}

// send answers with all of data, which is in memory.
func (v *visit) send(contentType string, data []byte) {
	h := v.w.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(data))}
	v.begin(http.StatusOK)
	v.copy(bytes.NewReader(data), int64(len(data)))
}
