package server

import (
	"bytes"
	"context"
	"errors"
	"io"
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
	width, err := strconv.Atoi(parts[3])
	if err != nil || !slices.Contains(library.PictureWidths, width) {
		s.fail(w, r, library.ErrNotFound)
		return
	}
	m, err := s.libraries.Public(r.Context(), parts[2])
	if err != nil {
		s.fail(w, r, err)
		return
	}
	data, mediaType, ok, err := s.libraries.Scaled(r.Context(), m, width)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header()["Cache-Control"] = []string{"public, max-age=86400"}
	if ok {
		s.sendBytes(w, r, content{mediaType, `"` + m.Blob + "-" + parts[3] + `"`, int64(len(data)),
			func(_ context.Context, offset, _ int64) (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(data[offset:])), nil
			}})
		return
	}
	s.sendBytes(w, r, s.stored(m))
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
	w.Header()["Cache-Control"] = noStore
	s.sendBytes(w, r, s.stored(m))
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
	size      int64
	open      func(ctx context.Context, offset, length int64) (io.ReadCloser, error)
}

func (s *Server) stored(m *library.Material) content {
	return content{m.Format.MediaType(), `"` + m.Blob + `"`, m.Size,
		func(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
			return s.libraries.Open(ctx, m, offset, length)
		}}
}

// sendBytes answers with the whole or with one range.
func (s *Server) sendBytes(w http.ResponseWriter, r *http.Request, c content) {
	h := w.Header()
	h["Etag"] = []string{c.tag}
	h["Accept-Ranges"] = []string{"bytes"}
	h["X-Content-Type-Options"] = noSniff
	if match := r.Header.Get("If-None-Match"); match == "*" || match != "" && strings.Contains(match, c.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	status, offset, length := http.StatusOK, int64(0), c.size
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
			h["Content-Range"] = []string{"bytes " + strconv.FormatInt(offset, 10) + "-" +
				strconv.FormatInt(offset+length-1, 10) + "/" + strconv.FormatInt(c.size, 10)}
		}
	}
	body, err := c.open(r.Context(), offset, length)
	if err != nil {
		delete(h, "Content-Range")
		delete(h, "Etag")
		s.fail(w, r, err)
		return
	}
	defer body.Close()
	h["Content-Type"] = []string{c.mediaType}
	h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := s.writer(w).copy(body, length); err != nil {
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
		n, err := strconv.ParseInt(to, 10, 64)
		if err != nil || n < 0 {
			return 0, 0, false
		}
		n = min(n, size)
		return size - n, n, true
	}
	first, err := strconv.ParseInt(from, 10, 64)
	if err != nil || first < 0 {
		return 0, 0, false
	}
	last := size - 1
	if to != "" {
		if last, err = strconv.ParseInt(to, 10, 64); err != nil || last < first {
			return 0, 0, false
		}
		last = min(last, size-1)
	}
	if first >= size {
		return 0, 0, true
	}
	return first, last - first + 1, true
}
