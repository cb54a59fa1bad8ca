package cloudcall

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm = "TC3-HMAC-SHA256"
	scopeTail = "/tcb/tc3_request"
	skew      = 600 * time.Second // that the caller's clock may be away, and that a signature lasts

	// maxSigned bounds the length of each header that is signed, of host, path and query.
	// The package sends at most some hundred bytes.
	maxSigned = 4 << 10
)

// signature is what a request says of its own: a form of Tencent Cloud's TC3-HMAC-SHA256
// in which the header names the parts of the form that are signed.
type signature struct {
	secretID string
	date     string   // of the key, UTC
	params   []string // parts, in the order in which they are signed
	headers  []string
	sum      []byte
	time     int64 // Unix seconds
}

// parseSignature reads Authorization and X-Timestamp. What 1.x of the package sends
// instead does not cover the arguments, and is refused. A SecretId goes in clear, so what
// this accepts has to cost little: each part and header is hashed once at most.
func parseSignature(r *http.Request) (*signature, error) {
	if r.Method != http.MethodPost {
		return nil, refusal{signInvalid, "cloud calls are made by POST"}
	}
	text := r.Header.Get("Authorization")
	if text == "" {
		return nil, refusal{signInvalid, "the header Authorization is missing: wx-server-sdk 2.x or later sends it"}
	}
	fields, ok := strings.CutPrefix(text, algorithm+" ")
	if !ok {
		return nil, refusal{signInvalid, "a signature by " + algorithm + " is wanted, as wx-server-sdk 2.x or later makes it"}
	}
	s, scope := &signature{}, ""
	var err error
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Credential":
			s.secretID, scope, _ = strings.Cut(value, "/")
		case "SignedParams":
			s.params, err = list(name, value)
		case "SignedHeaders":
			s.headers, err = list(name, value)
		case "Signature":
			s.sum, _ = hex.DecodeString(value) // empty where it is none, which fits no sum
		}
		if err != nil {
			return nil, err
		}
	}
	if s.time, err = strconv.ParseInt(r.Header.Get("X-Timestamp"), 10, 64); err != nil {
		return nil, refusal{signInvalid, "the header X-Timestamp is no number of seconds"}
	}
	s.date = time.Unix(s.time, 0).UTC().Format(time.DateOnly)
	if scope != s.date+scopeTail {
		return nil, refusal{signInvalid, "the scope of the key is not that of the day of X-Timestamp and of tcb"}
	}
	if !slices.Contains(s.headers, "host") {
		return nil, refusal{signInvalid, "host is not among the signed headers"}
	}
	if err := s.short(r); err != nil {
		return nil, err
	}
	return s, nil
}

// list reads a list of names of the header Authorization, which are distinct.
func list(of, text string) ([]string, error) {
	names := strings.SplitN(text, ";", maxParts+1)
	if len(names) > maxParts {
		return nil, refusal{signInvalid, fmt.Sprintf("%s has more than %d names", of, maxParts)}
	}
	seen := map[string]bool{}
	for _, name := range names {
		if len(name) > maxSigned {
			return nil, refusal{signInvalid, fmt.Sprintf("a name in %s is longer than %d bytes", of, maxSigned)}
		}
		name = strings.ToLower(name) // a header is one in any spelling
		if seen[name] {
			return nil, refusal{signInvalid, quoted(name) + " comes twice in " + of}
		}
		seen[name] = true
	}
	return names, nil
}

// short refuses what is too long to be signed for.
func (s *signature) short(r *http.Request) error {
	long := len(r.Host) > maxSigned || len(r.URL.EscapedPath()) > maxSigned || len(r.URL.RawQuery) > maxSigned
	for _, name := range s.headers {
		long = long || len(header(r, name)) > maxSigned
	}
	if long {
		return refusal{signInvalid, fmt.Sprintf("host, path, query or a signed header is longer than %d bytes", maxSigned)}
	}
	return nil
}

// check tells whether the request is signed with the key, and at most ten minutes ago or
// ahead. A proxy in front has to leave host, path and query as they are.
func (s *signature) check(r *http.Request, f form, key string, now time.Time) error {
	if age := now.Sub(time.Unix(s.time, 0)); age > skew || age < -skew {
		return refusal{signInvalid, fmt.Sprintf("signature is expired: X-Timestamp is more than %d seconds from the server's time", skew/time.Second)}
	}
	if !hmac.Equal(s.sum, s.sign(r, f, key)) {
		return refusal{signInvalid, "signature error: another secret key, or a proxy that changes host, path or query"}
	}
	return nil
}

func (s *signature) sign(r *http.Request, f form, key string) []byte {
	canon := sha256.New()
	s.writeCanon(canon, r)
	io.WriteString(canon, s.payload(f))

	day := sum([]byte("TC3"+key), s.date)
	return sum(sum(sum(day, "tcb"), "tc3_request"),
		fmt.Sprintf("%s\n%d\n%s%s\n%s", algorithm, s.time, s.date, scopeTail, hexSum(canon)))
}

// writeCanon writes what is signed of the request but for the form.
func (s *signature) writeCanon(w io.Writer, r *http.Request) {
	fmt.Fprintf(w, "%s\n//%s%s\n%s\n", strings.ToLower(r.Method), r.Host, r.URL.EscapedPath(), r.URL.RawQuery)
	for _, name := range s.headers {
		fmt.Fprintf(w, "%s:%s\n", name, strings.ToLower(strings.TrimSpace(header(r, name))))
	}
	fmt.Fprintf(w, "\n%s\n", strings.Join(s.headers, ";"))
}

// header gives a header's value as it is signed.
func header(r *http.Request, name string) string {
	value := r.Header.Get(name)
	switch name {
	case "host":
		return r.Host
	case "content-type": // without the boundary
		value, _, _ = strings.Cut(value, ";")
	}
	return value
}

// payload is the sum of the signed parts.
func (s *signature) payload(f form) string {
	h := sha256.New()
	s.writePayload(h, f)
	return hexSum(h)
}

// writePayload writes the signed parts, from where they lie; empty ones do not count.
func (s *signature) writePayload(w io.Writer, f form) {
	for _, name := range s.params {
		value := f[name]
		if name != "requestdata" { // which is bytes
			value = bytes.TrimSpace(value)
		}
		if len(value) > 0 {
			fmt.Fprintf(w, "&%s=", name)
			w.Write(value)
			io.WriteString(w, "\r\n")
		}
	}
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }

func sum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	io.WriteString(mac, text)
	return mac.Sum(nil)
}
