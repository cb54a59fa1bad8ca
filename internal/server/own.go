package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"sucai/internal/library"
)

// serveOwn answers the reserved paths of sucai itself. What balancers and collectors ask for
// every second leaves no line in the log, but for a change of readiness.
func (s *Server) serveOwn(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_sucai/health":
		own(w, http.StatusOK, state{Status: "ok"})
	case "/_sucai/ready":
		s.serveReady(w, r)
	case "/_sucai/metrics":
		s.serveMetrics(w, r)
	case "/_sucai/openapi.json":
		s.visited(w, r, openAPIAddress, serveOpenAPI)
	default:
		http.NotFound(w, r)
	}
}

// state is what /_sucai/health and /_sucai/ready answer.
type state struct {
	Status   string `json:"status"` // ok, unavailable, ending, or why something is closed
	Database string `json:"database,omitempty"`
	Blobs    string `json:"blobs,omitempty"` // ok, or unavailable
}

// End makes the server not ready from now on, so that balancers send nobody to it any
// more. It goes on to answer.
func (s *Server) End() { s.ending.Store(true) }

// serveReady answers /_sucai/ready: whether calls can be sent here. Why they cannot is for
// the log, as reasons hold addresses; it has them when they change.
func (s *Server) serveReady(w http.ResponseWriter, r *http.Request) {
	if s.ending.Load() {
		own(w, http.StatusServiceUnavailable, state{Status: "ending"})
		return
	}
	err := s.libraries.Ready(r.Context())
	if r.Context().Err() != nil {
		return // who asked has left, which tells nothing of the stores
	}
	status, answer := http.StatusOK, state{"ok", "ok", "ok"}
	var away *library.NotReady
	if errors.As(err, &away) {
		status, answer.Status = http.StatusServiceUnavailable, "unavailable"
		if away.Database != nil {
			answer.Database = "unavailable"
		}
		if away.Blobs != nil {
			answer.Blobs = "unavailable"
		}
	}
	if before := s.ready.Swap(&answer); before != nil && *before != answer || before == nil && err != nil {
		if err != nil {
			s.log.Error("not ready", "error", err)
		} else {
			s.log.Info("ready again")
		}
	}
	own(w, status, answer)
}

// serveMetrics answers /_sucai/metrics, for those who have the key.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(strings.TrimSpace(given)))
	switch {
	case s.opt.AdminKey == "":
		own(w, http.StatusNotFound, state{Status: "closed: SUCAI_ADMIN_KEY is not set on the server"})
	case !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], s.key[:]) != 1:
		w.Header()["Www-Authenticate"] = []string{`Bearer realm="sucai"`}
		own(w, http.StatusUnauthorized, state{Status: "closed: SUCAI_ADMIN_KEY is wanted as a Bearer token"})
	case !readable(r):
		w.Header()["Allow"] = []string{"GET, HEAD"}
		own(w, http.StatusMethodNotAllowed, state{Status: "only GET and HEAD here"})
	default:
		w.Header()["Cache-Control"] = noStore
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.limits.progress))
		s.metrics.Handler().ServeHTTP(w, r)
	}
}

func own(w http.ResponseWriter, status int, answer state) {
	body, err := json.Marshal(answer)
	if err != nil {
		body = nil // three strings are always encoded
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Cache-Control"] = noStore
	w.WriteHeader(status)
	w.Write(body)
}
