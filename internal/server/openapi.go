package server

import (
	_ "embed"
	"net/http"
	"strconv"
)

// openAPI describes the API for programs, in OpenAPI 3.1. docs/openapi.json is a copy
// of it, for those who have no server at hand.
//
//go:embed openapi.json
var openAPI []byte

// serveOpenAPI answers /_sucai/openapi.json.
func (s *Server) serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	if !readable(r) {
		s.fail(w, r, nil)
		return
	}
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	h["Content-Length"] = []string{strconv.Itoa(len(openAPI))}
	h["Cache-Control"] = noCache
	s.writer(w).Write(openAPI) // of the answer to HEAD, the header alone is sent
}
