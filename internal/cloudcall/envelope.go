package cloudcall

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"
)

// A call of these methods has arguments of a few hundred bytes; over HTTPS they may have
// 64 KB. Its form has eight to ten parts.
const (
	maxBody  = 128 << 10
	maxParts = 32
)

// form is the parts of a multipart body, by their names in lower case, as they are signed.
type form map[string][]byte

// parseForm reads the whole form. A name that comes twice is refused: one of the two
// would not be what was signed.
func parseForm(contentType string, body []byte) (form, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, refusal{paramInvalid, "a multipart form is wanted, as cloud.openapi sends it; cloud.callOpenAPI and other services of an environment are not served"}
	}
	f := form{}
	for r := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return nil, refusal{paramInvalid, "the multipart form is broken"}
		}
		name := strings.ToLower(p.FormName())
		if _, twice := f[name]; twice {
			return nil, refusal{paramInvalid, "the part " + quoted(name) + " comes twice"}
		}
		if len(f) == maxParts {
			return nil, refusal{paramInvalid, fmt.Sprintf("the form has more than %d parts", maxParts)}
		}
		if f[name], err = io.ReadAll(p); err != nil { // bounded by the body
			return nil, refusal{paramInvalid, "the multipart form is broken"}
		}
	}
}

// text gives a part without white space around it, as it is signed.
func (f form) text(name string) string { return strings.TrimSpace(string(f[name])) }

// only gives the parts that have one of the names.
func (f form) only(names []string) form {
	some := form{}
	for name, value := range f {
		if slices.Contains(names, name) {
			some[name] = value
		}
	}
	return some
}
