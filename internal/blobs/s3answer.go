package blobs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
)

// witness makes trouble of success that is not said as S3 says it: a portal wants
// somebody to log in, or a proxy shows a page while the store is away, under any address
// and with the status 200. The client library looks at little more than the status.
//
// What counts is what all stores have in common, not what AWS sends beside it.
type witness struct{ http.RoundTripper }

// stranger tells what an answer of somebody else than a store looks like.
type stranger string

func (s stranger) Error() string { return string(s) }

// RoundTrip implements http.RoundTripper.
func (w witness) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		body := &once{ReadCloser: r.Body}
		defer body.end()
		r = r.WithContext(r.Context()) // a copy: who calls keeps their own
		r.Body = body
	}
	res, err := w.RoundTripper.RoundTrip(r)
	if err != nil || res.StatusCode < 200 || res.StatusCode > 299 {
		return res, err
	}
	ok, err := fromS3(r, res)
	if err == nil && !ok {
		err = stranger(fmt.Sprintf("%s was answered with %s, type %q", r.Method, res.Status, res.Header.Get("Content-Type")))
	}
	if err != nil {
		res.Body.Close()
		return nil, err
	}
	return res, nil
}

// fromS3 looks at a success. It may read the begin of the body, and leaves it as it was.
func fromS3(r *http.Request, res *http.Response) (bool, error) {
	h, status := res.Header, res.StatusCode
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	isPage := kind == "text/html" || kind == "application/xhtml+xml"
	switch {
	case r.Method == http.MethodPut: // Google's says that its nothing is HTML
		if status != http.StatusOK || h.Get("ETag") == "" {
			return false, nil
		}
		n, err := io.ReadFull(res.Body, make([]byte, 1))
		if err == io.EOF {
			err = nil
		}
		return n == 0, err
	case r.Method == http.MethodDelete:
		return status == http.StatusNoContent, nil
	case r.Header.Get("Range") != "" && status == http.StatusPartialContent:
		return h.Get("Content-Range") != "" && !isPage, nil // servers of pages know ranges too
	case r.Header.Get("Range") != "": // of a store that does not, or for which the whole is none
		return status == http.StatusOK && h.Get("ETag") != "" && (kind == blobType || kind == "binary/octet-stream"), nil
	case r.URL.Query().Has("list-type"):
		root, err := rootOf(res)
		return status == http.StatusOK && root == "ListBucketResult", err
	}
	return status == http.StatusOK && !isPage, nil // the bucket's region
}

// rootOf gives the name of the outermost element of an answer, "" where it is no XML.
func rootOf(res *http.Response) (string, error) {
	var seen bytes.Buffer
	const enough = 4 << 10
	d := xml.NewDecoder(io.TeeReader(io.LimitReader(res.Body, enough), &seen))
	for {
		token, err := d.RawToken()
		var broken *xml.SyntaxError
		if err == io.EOF || errors.As(err, &broken) {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if start, ok := token.(xml.StartElement); ok {
			res.Body = struct {
				io.Reader
				io.Closer
			}{io.MultiReader(&seen, res.Body), res.Body}
			return start.Name.Local, nil
		}
	}
}

// isSum tells whether an ETag looks like what stores make of the bytes that they have
// kept: the MD5 or, where they encrypt, as many other digits.
func isSum(etag string) bool {
	const digits = 32
	for _, c := range []byte(etag) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return len(etag) == digits
}
