package server

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sucai/internal/library"
)

func TestPictureAddress(t *testing.T) {
	f := newFixture(t)
	original := pngBytes(800, 400)
	added := f.upload("material/add_material?type=image", filePart("media", "wide.png", original))
	path := strings.TrimPrefix(f.member(added, "url").(string), f.base)
	res, data := f.do("GET", path, "", nil)
	if !bytes.Equal(data, original) || res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("original: %s, %d bytes", res.Status, len(data))
	}
	for width, want := range map[string]int{"0": 800, "640": 640, "300": 300, "132": 132, "96": 96, "64": 64} {
		for range 2 { // the second from memory
			_, data := f.do("GET", strings.Replace(path, "/0?", "/"+width+"?", 1), "", nil)
			img, _, err := image.DecodeConfig(bytes.NewReader(data))
			if err != nil || img.Width != want || img.Height != want/2 {
				t.Errorf("width %s: %dx%d, %v", width, img.Width, img.Height, err)
			}
		}
	}
	small := f.upload("material/add_material?type=image", filePart("media", "small.png", pngBytes(100, 50)))
	smallPath := strings.TrimPrefix(f.member(small, "url").(string), f.base)
	if _, data := f.do("GET", strings.Replace(smallPath, "/0?", "/640?", 1), "", nil); !bytes.Equal(data, pngBytes(100, 50)) {
		t.Error("a picture was made wider")
	}
	for _, bad := range []string{strings.Replace(path, "/0?", "/1?", 1), strings.Replace(path, "/0?", "/-64?", 1), "/mmbiz_png/none/0", "/mmbiz_png/", "/mmbiz",
		strings.Replace(path, "/0?", "/0/0?", 1), "/mmbiz_png/%00/0"} {
		if res, _ := f.do("GET", bad, "", nil); res.StatusCode != 404 {
			t.Errorf("%s: %s", bad, res.Status)
		}
	}
	if res, _ := f.do("POST", path, "", nil); res.StatusCode != 405 || res.Header.Get("Allow") == "" {
		t.Errorf("POST: %s", res.Status)
	}
	temporary := f.member(f.upload("media/upload?type=image", filePart("media", "t.png", original)), "media_id").(string)
	m, err := f.ls.Of(f.account).Temporary(t.Context(), temporary)
	must(t, err)
	if res, _ := f.do("GET", m.Address(), "", nil); res.StatusCode != 404 {
		t.Errorf("a temporary medium is public: %s", res.Status)
	}
	f.call("material/del_material", `{"media_id":"`+f.member(added, "media_id").(string)+`"}`)
	for _, width := range []string{"/0?", "/640?"} {
		if res, _ := f.do("GET", strings.Replace(path, "/0?", width, 1), "", nil); res.StatusCode != 404 {
			t.Errorf("deleted: %s", res.Status)
		}
	}
}

// distant gives blobs as a store over the network does, and nothing of one of them until
// its reader leaves.
type distant struct {
	library.Blobs
	stuck string
	begun chan struct{}
}

func (d *distant) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if name == d.stuck {
		return io.NopCloser(reading(func() (int, error) {
			close(d.begun)
			<-ctx.Done()
			return 0, ctx.Err()
		})), nil
	}
	r, err := d.Blobs.Open(ctx, name, offset, length)
	return struct{ io.ReadCloser }{r}, err
}

// reading is a reader that gives no byte.
type reading func() (int, error)

func (r reading) Read([]byte) (int, error) { return r() }

// Where there is no room to scale a picture, the original comes, for now: nobody keeps it
// under the address of the small one.
func TestBusyScaler(t *testing.T) {
	f := newFixture(t)
	d := &distant{f.ls.Blobs, "stuck", make(chan struct{})}
	f.ls.Blobs = d
	original := pngBytes(800, 400)
	added := f.upload("material/add_material?type=image", filePart("media", "wide.png", original))
	path := strings.Replace(strings.TrimPrefix(f.member(added, "url").(string), f.base), "/0?", "/64?", 1)
	huge, err := f.ls.Materials.Material(t.Context(), f.account.ID, f.member(added, "media_id").(string), math.MaxInt64)
	must(t, err)
	tag := `"` + huge.Blob + `-0"`
	huge.MediaID, huge.Key, huge.Blob, huge.Size, huge.Number = "huge", "huge", d.stuck, 256<<20, library.NextNumber
	must(t, f.ls.Materials.Insert(t.Context(), huge, math.MaxInt64))

	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	req, err := http.NewRequestWithContext(ctx, "GET", f.base+strings.Replace(huge.Address(), "/0", "/64", 1), nil)
	must(t, err)
	left := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
		}
		left <- err
	}()
	<-d.begun // and has all the room
	res, data := f.do("GET", path, "", nil)
	if res.StatusCode != 200 || !bytes.Equal(data, original) || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Etag") != tag {
		t.Errorf("busy: %s, %d bytes, %v", res.Status, len(data), res.Header)
	}
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) { // the server notices who has left
		res, data = f.do("GET", path, "", nil)
		if img, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && img.Width == 64 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is never scaled again")
		}
	}
	if res.Header.Get("Cache-Control") == "no-store" || res.Header.Get("Etag") == tag {
		t.Errorf("scaled: %v", res.Header)
	}
}

func TestRanges(t *testing.T) {
	f := newFixture(t)
	film := mp4Bytes([]byte("0123456789")...)
	id := f.add("video", "f.mp4", film)
	address := strings.TrimPrefix(f.member(f.call("material/get_material", `{"media_id":"`+id+`"}`), "down_url").(string), f.base)
	get := func(header ...string) (*http.Response, []byte) {
		req, err := http.NewRequest("GET", f.base+address, nil)
		must(t, err)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return f.send(req)
	}
	size := len(film)
	for asked, c := range map[string]struct {
		status, from, to int
		content          string
	}{
		"bytes=0-0":     {206, 0, 1, "bytes 0-0/"},
		"bytes=8-11":    {206, 8, 12, "bytes 8-11/"},
		"bytes=10-":     {206, 10, size, ""},
		"bytes=-5":      {206, size - 5, size, ""},
		"bytes=-99999":  {206, 0, size, ""},
		"bytes=5-99999": {206, 5, size, ""},
		"bytes=0-1,3-4": {200, 0, size, ""},
		"bytes=5-4":     {200, 0, size, ""},
		"bytes=x-y":     {200, 0, size, ""},
		"lines=0-1":     {200, 0, size, ""},
		"bytes=-":       {200, 0, size, ""},
		"bytes=99999-":  {416, 0, 0, "bytes */"},
		"bytes=-0":      {416, 0, 0, "bytes */"},
		"bytes=--5":     {200, 0, size, ""},
		"bytes=+1-2":    {200, 0, size, ""},
		"bytes=0-0-0":   {200, 0, size, ""},
		"bytes=0- 1":    {200, 0, size, ""},
		"bytes = 0-1":   {200, 0, size, ""},
	} {
		res, data := get("Range", asked)
		if res.StatusCode != c.status || c.status != 416 && !bytes.Equal(data, film[c.from:c.to]) ||
			!strings.HasPrefix(res.Header.Get("Content-Range"), c.content) {
			t.Errorf("%s: %s, %q, %d bytes", asked, res.Status, res.Header.Get("Content-Range"), len(data))
		}
	}
	res, _ := get()
	tag := res.Header.Get("Etag")
	if res, data := get("If-None-Match", tag); res.StatusCode != 304 || len(data) != 0 {
		t.Errorf("unchanged: %s", res.Status)
	}
	if res, _ := get("Range", "bytes=0-1", "If-Range", tag); res.StatusCode != 206 {
		t.Errorf("If-Range: %s", res.Status)
	}
	if res, _ := get("Range", "bytes=0-1", "If-Range", `"other"`); res.StatusCode != 200 {
		t.Errorf("If-Range of another: %s", res.Status)
	}
	req, _ := http.NewRequest("HEAD", f.base+address, nil)
	if res, data := f.send(req); res.StatusCode != 200 || res.ContentLength != int64(size) || len(data) != 0 {
		t.Errorf("HEAD: %s, %d", res.Status, res.ContentLength)
	}
}

func TestPictureAddresses(t *testing.T) {
	f := newFixture(t)
	id := f.add("image", "a.png", pngBytes(200, 10))
	m, err := f.ls.Of(f.account).Get(t.Context(), id, nil)
	must(t, err)
	for path, want := range map[string]int{
		"/mmbiz_png/" + m.Key + "/0":          200,
		"/mmbiz_png/" + m.Key + "/96":         200,
		"/mmbiz_png/" + m.Key + "/640":        200,
		"/mmbiz_png/" + m.Key + "/0?x=y":      200,
		"/mmbiz_png/" + m.Key + "/+0":         404,
		"/mmbiz_png/" + m.Key + "/00":         404,
		"/mmbiz_png/" + m.Key + "/97":         404,
		"/mmbiz_png/" + m.Key + "/":           404,
		"/mmbiz_png/" + m.Key + "/0/":         404,
		"/mmbiz_png/" + m.Key:                 404,
		"/mmbiz_jpg/" + m.Key + "/0":          404,
		"/mmbiz/" + m.Key + "/0":              404,
		"/mmbizpng/" + m.Key + "/0":           404,
		"/mmbiz_png/" + m.Key[1:] + "/0":      404,
		"/mmbiz_png/" + m.Key + "\x00" + "/0": 404,
	} {
		u := url.URL{Path: path}
		if p, q, ok := strings.Cut(path, "?"); ok {
			u = url.URL{Path: p, RawQuery: q}
		}
		res, _ := f.do("GET", u.String(), "", nil)
		if res.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, res.Status, want)
		}
		if cache := res.Header.Get("Cache-Control"); (cache == "public, max-age=86400") != (want == 200) {
			t.Errorf("%s: Cache-Control %q", path, cache)
		}
	}
	// A blob that is away is our trouble, not the caller's.
	must(t, f.ls.Blobs.Remove(t.Context(), m.Blob))
	for _, width := range []string{"0", "64"} {
		res, _ := f.do("GET", "/mmbiz_png/"+m.Key+"/"+width, "", nil)
		if res.StatusCode != 503 || res.Header.Get("Cache-Control") != "" || res.Header.Get("Etag") != "" {
			t.Errorf("width %s without its blob: %s, %v", width, res.Status, res.Header)
		}
	}
	wantBody(t, "get_material without its blob", f.call("material/get_material", `{"media_id":"`+id+`"}`), `{"errcode":-1,"errmsg":"system error"}`)
}

func TestBase(t *testing.T) {
	address := func(f *fixture, header ...string) string {
		contentType, body := multipartForm(filePart("media", "a.png", pngBytes(1, 1)))
		req, err := http.NewRequest("POST", f.base+f.at("material/add_material?type=image"), body)
		must(t, err)
		req.Header.Set("Content-Type", contentType)
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
			if header[i] == "Host" {
				req.Host = header[i+1]
			}
		}
		_, data := f.send(req)
		return f.member(string(data), "url").(string)
	}
	f := newFixture(t)
	for _, c := range []struct {
		header []string
		want   string
	}{
		{nil, f.base + "/"},
		{[]string{"Host", "material.example.com"}, "http://material.example.com/"},
		{[]string{"X-Forwarded-Proto", "https"}, f.base + "/"},
		{[]string{"Host", "a\"b"}, f.base + "/"},
	} {
		if got := address(f, c.header...); !strings.HasPrefix(got, c.want) {
			t.Errorf("%v: %s, want %s..", c.header, got, c.want)
		}
	}
	f = newFixture(t, func(_ *library.Options, so *Options) { so.TrustedProxies = loopback })
	if got := address(f, "X-Forwarded-Proto", "https", "Host", "m.example.com"); !strings.HasPrefix(got, "https://m.example.com/") {
		t.Errorf("behind a proxy: %s", got)
	}
	f = newFixture(t, func(_ *library.Options, so *Options) { so.URL = "https://set.example.com" })
	if got := address(f); !strings.HasPrefix(got, "https://set.example.com/mmbiz_png/") {
		t.Errorf("--url: %s", got)
	}
}

func TestOwnPaths(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]int{"/_sucai/health": 200, "/_sucai/ready": 200, "/_sucai/metrics": 404, "/": 200} {
		if res, _ := f.do("GET", path, "", nil); res.StatusCode != want {
			t.Errorf("%s: %s", path, res.Status)
		}
	}
	f.server.libraries.Blobs = unready{f.ls.Blobs}
	if res, _ := f.do("GET", "/_sucai/ready", "", nil); res.StatusCode != 503 {
		t.Errorf("without its blobs: %s", res.Status)
	}
}
