package server

import _ "embed"

// openAPI describes the API for programs, in OpenAPI 3.1. docs/openapi.json is a copy
// of it, for those who have no server at hand.
//
//go:embed openapi.json
var openAPI []byte

// serveOpenAPI answers /_sucai/openapi.json.
func serveOpenAPI(v *visit) {
	v.w.Header()["Cache-Control"] = noCache
	v.send("application/json", openAPI)
}
