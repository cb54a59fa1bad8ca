package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"sucai/internal/library"
)

// The public addresses are ordinary HTTP: GET and HEAD, one range, 404. Nobody needs a
// token for them, and nobody can guess them.

// servePicture answers /mmbiz_<kind>/<key>/<width>: a picture, or a voice or video.
func (s *Server) servePicture(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	if !readable(r) || len(parts) != 4 {
		s.fail(w, r, library.ErrNotFound)
		return
	}
	width := slices.IndexFunc(library.PictureWidths, func(n int) bool { return strconv.Itoa(n) == parts[3] })
	m, err := s.libraries.Public(r.Context(), parts[2])
	if err == nil && (width < 0 || !strings.HasPrefix(m.Address(), "/"+parts[1]+"/")) {
		err = library.ErrNotFound
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c := s.stored(m, `"`+m.Blob+"-"+parts[3]+`"`, "public, max-age=86400")
	if c.unchanged(w, r) { // looked at before the work of scaling
		return
	}
	data, mediaType, ok, err := s.libraries.Scaled(r.Context(), m, library.PictureWidths[width])
	if err == library.ErrScalerBusy { // the original is an answer too, but not one to keep
		c.tag, c.cache, err = `"`+m.Blob+`-0"`, "no-store", nil
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	if ok {
		c.mediaType, c.size = mediaType, int64(len(data))
		c.open = func(_ context.Context, offset, _ int64) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data[offset:])), nil
		}
	}
	s.sendBytes(w, r, c)
}

// serveVideo answers /video/<appid>/<media_id>.mp4, the down_url of a video.
func (s *Server) serveVideo(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	if !readable(r) || len(parts) != 4 {
		s.fail(w, r, library.ErrNotFound)
		return
	}
	q := r.URL.Query()
	m, err := s.libraries.SignedVideo(r.Context(), parts[2], strings.TrimSuffix(parts[3], ".mp4"), q.Get("expires"), q.Get("vkey"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c := s.stored(m, `"`+m.Blob+`"`, "no-store")
	if !c.unchanged(w, r) {
		s.sendBytes(w, r, c)
	}
}

// readable tells whether a request is one that reads.
func readable(r *http.Request) bool {
	return r.Method == http.MethodGet || r.Method == http.MethodHead
}

// fail answers a public request that cannot be served.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case !readable(r):
		w.Header()["Allow"] = []string{"GET, HEAD"}
		http.Error(w, "only GET and HEAD here", http.StatusMethodNotAllowed)
	case errors.Is(err, library.ErrNotFound):
		http.Error(w, "there is nothing at this address", http.StatusNotFound)
	case errors.Is(err, library.ErrAddressExpired):
		http.Error(w, err.Error(), http.StatusForbidden)
	default:
		s.log.Error("public address", "path", r.URL.Path, "error", err)
		http.Error(w, "this cannot be read at the moment", http.StatusServiceUnavailable)
	}
}

// content is what a public address leads to.
type content struct {
	mediaType string
	tag       string // changes when the bytes do, which they never do
	cache     string // for how long it may be kept
	size      int64
	open      func(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

func (s *Server) stored(m *library.Material, tag, cache string) content {
	return content{m.Format.MediaType(), tag, cache, m.Size,
		func(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
			return s.libraries.Open(ctx, m, offset, length)
		}}
}

// unchanged answers a client that has the content already.
func (c *content) unchanged(w http.ResponseWriter, r *http.Request) bool {
	match := r.Header.Get("If-None-Match")
	if match != "*" && !strings.Contains(match, c.tag) {
		return false
	}
	c.header(w)
	w.WriteHeader(http.StatusNotModified)
	return true
}

func (c *content) header(w http.ResponseWriter) {
	h := w.Header()
	h["Etag"] = []string{c.tag}
	h["Cache-Control"] = []string{c.cache}
	h["Accept-Ranges"] = []string{"bytes"}
	h["X-Content-Type-Options"] = noSniff
}

// sendBytes answers with the whole or with one range.
func (s *Server) sendBytes(w http.ResponseWriter, r *http.Request, c content) {
	h, status, offset, length := w.Header(), http.StatusOK, int64(0), c.size
	if asked := r.Header.Get("Range"); asked != "" && (r.Header.Get("If-Range") == "" || r.Header.Get("If-Range") == c.tag) {
		var ok bool
		switch offset, length, ok = oneRange(asked, c.size); {
		case !ok:
			offset, length = 0, c.size // not one range of bytes: the whole is an answer too
		case length == 0:
			h["Content-Range"] = []string{"bytes */" + strconv.FormatInt(c.size, 10)}
			http.Error(w, "the material ends before this range", http.StatusRequestedRangeNotSatisfiable)
			return
		default:
			status = http.StatusPartialContent
		}
	}
	body, err := c.open(r.Context(), offset, length)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer body.Close()
	c.header(w)
	if status == http.StatusPartialContent {
		h["Content-Range"] = []string{"bytes " + strconv.FormatInt(offset, 10) + "-" +
			strconv.FormatInt(offset+length-1, 10) + "/" + strconv.FormatInt(c.size, 10)}
	}
	h["Content-Type"] = []string{c.mediaType}
	h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := s.writer(w).copy(body, length); err != nil {
		if !clientLeft(r, err) {
			s.log.Error("public address", "path", r.URL.Path, "error", err)
		}
		panic(http.ErrAbortHandler) // a short body must not look whole
	}
}

// oneRange reads a Range header; ok is false where it is not exactly one range of
// bytes, length is 0 where none of it exists.
func oneRange(asked string, size int64) (offset, length int64, ok bool) {
	from, to, found := strings.Cut(strings.TrimPrefix(asked, "bytes="), "-")
	if !found || !strings.HasPrefix(asked, "bytes=") {
		return 0, 0, false
	}
	if from == "" { // the last so many
		n, err := strconv.ParseUint(to, 10, 63)
		if err != nil {
			return 0, 0, false
		}
		length = min(int64(n), size)
		return size - length, length, true
	}
	first, err := strconv.ParseUint(from, 10, 63)
	if err != nil {
		return 0, 0, false
	}
	last := uint64(math.MaxInt64)
	if to != "" {
		if last, err = strconv.ParseUint(to, 10, 63); err != nil || last < first {
			return 0, 0, false
		}
	}
	offset = min(int64(first), size)
	return offset, min(int64(last), size-1) - offset + 1, true
}
