package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
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
func servePicture(v *visit) {
	libraries, ctx := v.server.libraries, v.Context()
	parts := strings.Split(v.URL.Path, "/")
	if len(parts) != 4 {
		v.fail(library.ErrNotFound)
		return
	}
	width := slices.IndexFunc(library.PictureWidths, func(n int) bool { return strconv.Itoa(n) == parts[3] })
	m, err := libraries.Public(ctx, parts[2])
	if err == nil && (width < 0 || !strings.HasPrefix(m.Address(), "/"+parts[1]+"/")) {
		err = library.ErrNotFound
	}
	if err != nil {
		v.fail(err)
		return
	}
	c := v.stored(m, `"`+m.Blob+"-"+parts[3]+`"`, "public, max-age=86400")
	if v.unchanged(c) { // looked at before the work of scaling
		return
	}
	data, mediaType, ok, err := libraries.Scaled(ctx, m, library.PictureWidths[width])
	if err == library.ErrScalerBusy { // the original is an answer too, but not one to keep
		c.tag, c.cache, err = `"`+m.Blob+`-0"`, "no-store", nil
	}
	if err != nil {
		v.fail(err)
		return
	}
	if ok {
		c.mediaType, c.size = mediaType, int64(len(data))
		c.open = func(_ context.Context, offset, _ int64) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(data[offset:])), nil
		}
	}
	v.sendContent(c)
}

// serveVideo answers /video/<appid>/<media_id>.mp4, the down_url of a video.
func serveVideo(v *visit) {
	parts := strings.Split(v.URL.Path, "/")
	if len(parts) != 4 {
		v.fail(library.ErrNotFound)
		return
	}
	q := v.URL.Query()
	m, err := v.server.libraries.SignedVideo(v.Context(), parts[2], strings.TrimSuffix(parts[3], ".mp4"), q.Get("expires"), q.Get("vkey"))
	if err != nil {
		v.fail(err)
		return
	}
	c := v.stored(m, `"`+m.Blob+`"`, "no-store")
	if !v.unchanged(c) {
		v.sendContent(c)
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

// stored is a material's bytes, as they are.
func (v *visit) stored(m *library.Material, tag, cache string) *content {
	v.subject = append(v.subject, slog.String("media_id", m.MediaID))
	return &content{m.Format.MediaType(), tag, cache, m.Size,
		func(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
			return v.server.libraries.Open(ctx, m, offset, length)
		}}
}

// unchanged answers a client that has the content already.
func (v *visit) unchanged(c *content) bool {
	match := v.Header.Get("If-None-Match")
	if match != "*" && !strings.Contains(match, c.tag) {
		return false
	}
	c.header(v.w)
	v.begin(http.StatusNotModified)
	return true
}

func (c *content) header(w http.ResponseWriter) {
	h := w.Header()
	h["Etag"] = []string{c.tag}
	h["Cache-Control"] = []string{c.cache}
	h["Accept-Ranges"] = []string{"bytes"}
	h["X-Content-Type-Options"] = noSniff
}

// sendContent answers with the whole or with one range.
func (v *visit) sendContent(c *content) {
	h, status, offset, length := v.w.Header(), http.StatusOK, int64(0), c.size
	if asked := v.Header.Get("Range"); asked != "" && (v.Header.Get("If-Range") == "" || v.Header.Get("If-Range") == c.tag) {
		var ok bool
		switch offset, length, ok = oneRange(asked, c.size); {
		case !ok:
			offset, length = 0, c.size // not one range of bytes: the whole is an answer too
		case length == 0:
			h["Content-Range"] = []string{"bytes */" + strconv.FormatInt(c.size, 10)}
			v.refuse(http.StatusRequestedRangeNotSatisfiable, "the material ends before this range")
			return
		default:
			status = http.StatusPartialContent
		}
	}
	body, err := c.open(v.Context(), offset, length)
	if err != nil {
		v.fail(err)
		return
	}
	defer body.Close()
	c.header(v.w)
	if status == http.StatusPartialContent {
		h["Content-Range"] = []string{"bytes " + strconv.FormatInt(offset, 10) + "-" +
			strconv.FormatInt(offset+length-1, 10) + "/" + strconv.FormatInt(c.size, 10)}
	}
	h["Content-Type"] = []string{c.mediaType}
	h["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	v.begin(status)
	v.copy(body, length)
}

// copy sends the body of the answer, unless the head alone is asked for.
func (v *visit) copy(body io.Reader, length int64) {
	if v.Method == http.MethodHead {
		return
	}
	if v.sent, v.broken = v.server.writer(v.w).copy(body, length); v.broken != nil {
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
