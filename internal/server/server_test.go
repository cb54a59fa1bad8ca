package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"log/slog"
	"mime/multipart"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(storetest.Shapes{M: m}) }

// fixture is a server on loopback with one account, and a clock that tests can move.
type fixture struct {
	t       testing.TB
	base    string // http://127.0.0.1:PORT
	server  *Server
	http    *http.Server
	ls      *library.Libraries
	now     time.Time
	account *library.Account
	secret  string
	token   string
	log     *lockedBuffer
}

func newFixture(t testing.TB, opt ...func(*library.Options, *Options)) *fixture {
	t.Helper()
	return newFixtureOn(t, storetest.Shape().Open(t), opt...)
}

func newFixtureOn(t testing.TB, e library.Engines, opt ...func(*library.Options, *Options)) *fixture {
	t.Helper()
	f := &fixture{t: t, now: time.Unix(1_700_000_000, 0), log: &lockedBuffer{}}
	lo := library.Options{Now: func() time.Time { return f.now }}
	so := Options{Log: slog.New(slog.NewTextHandler(f.log, nil))}
	for _, o := range opt {
		o(&lo, &so)
	}
	var err error
	f.ls, err = library.Open(context.Background(), e, lo)
	must(t, err)
	f.account, f.secret, err = f.ls.NewAccount(context.Background(), "wxaccount", "secret")
	must(t, err)
	f.server = New(f.ls, so)
	f.listen()
	f.token = f.newToken()
	return f
}

// listen starts the server of the fixture as it stands; tests change its limits before.
func (f *fixture) listen() {
	if f.http != nil {
		f.http.Close()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(f.t, err)
	f.http = f.server.HTTP()
	f.base = "http://" + l.Addr().String()
	done := make(chan struct{})
	go func() { f.http.Serve(l); close(done) }()
	srv := f.http
	f.t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		srv.Close()
		<-done
	})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// do sends a request and gives the response with its whole body.
func (f *fixture) do(method, path, contentType string, body io.Reader) (*http.Response, []byte) {
	f.t.Helper()
	req, err := http.NewRequest(method, f.base+path, body)
	must(f.t, err)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return f.send(req)
}

func (f *fixture) send(req *http.Request) (*http.Response, []byte) {
	f.t.Helper()
	res, err := http.DefaultClient.Do(req)
	must(f.t, err)
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	must(f.t, err)
	return res, data
}

// call posts to an endpoint with the fixture's token and gives the body.
func (f *fixture) call(endpoint, body string) string {
	f.t.Helper()
	_, data := f.do("POST", f.at(endpoint), "", strings.NewReader(body))
	return string(data)
}

// at gives the path of an endpoint with the fixture's token.
func (f *fixture) at(endpoint string) string {
	path := "/cgi-bin/" + endpoint
	if strings.Contains(path, "?") {
		return path + "&access_token=" + f.token
	}
	return path + "?access_token=" + f.token
}

func (f *fixture) newToken() string {
	f.t.Helper()
	_, data := f.do("GET", "/cgi-bin/token?grant_type=client_credential&appid="+f.account.AppID+"&secret="+f.secret, "", nil)
	return f.member(string(data), "access_token").(string)
}

// member gives one member of a JSON answer.
func (f *fixture) member(body, name string) any {
	f.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(body), &m); err != nil || m[name] == nil {
		f.t.Fatalf("no %s in %s", name, body)
	}
	return m[name]
}

// part is one part of a multipart body.
type part struct {
	header textproto.MIMEHeader
	data   []byte
}

func filePart(field, name string, data []byte) part {
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", fmt.Sprintf(`form-data; name="%s"; filename="%s"`, field, name))
	h.Set("Content-Type", "application/octet-stream")
	return part{h, data}
}

func fieldPart(field, value string) part {
	return part{textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name="%s"`, field)}}, []byte(value)}
}

func multipartForm(parts ...part) (contentType string, body *bytes.Buffer) {
	body = &bytes.Buffer{}
	w := multipart.NewWriter(body)
	for _, p := range parts {
		pw, err := w.CreatePart(p.header)
		if err != nil {
			panic(err)
		}
		pw.Write(p.data)
	}
	w.Close()
	return w.FormDataContentType(), body
}

// upload posts parts to an endpoint and gives the body of the answer.
func (f *fixture) upload(endpoint string, parts ...part) string {
	f.t.Helper()
	contentType, body := multipartForm(parts...)
	_, data := f.do("POST", f.at(endpoint), contentType, body)
	return string(data)
}

// add uploads a permanent material and gives its media_id.
func (f *fixture) add(typ, name string, data []byte, more ...part) string {
	f.t.Helper()
	return f.member(f.upload("material/add_material?type="+typ, append([]part{filePart("media", name, data)}, more...)...), "media_id").(string)
}

func wantBody(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

// wantCode checks an error by its errcode.
func wantCode(t testing.TB, what, got string, code int) {
	t.Helper()
	if !strings.HasPrefix(got, fmt.Sprintf(`{"errcode":%d,"errmsg":"`, code)) {
		t.Errorf("%s: got %s, want errcode %d", what, got, code)
	}
}

func picture(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = 255
	}
	return img
}

func pngBytes(w, h int) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, picture(w, h)); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func jpegBytes(w, h int) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture(w, h), nil); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// padded is a picture of an exact size: what follows a PNG's end does not matter.
func padded(size int) []byte {
	return append(pngBytes(2, 2), bytes.Repeat([]byte{0}, size)...)[:size]
}

func box(name string, content ...byte) []byte {
	n := len(content) + 8
	return append([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n), name[0], name[1], name[2], name[3]}, content...)
}

// mp4Bytes is the least that is a film: ftyp, then a moov with an mvhd.
func mp4Bytes(media ...byte) []byte {
	mvhd := box("mvhd", append(make([]byte, 12), append([]byte{0, 0, 3, 0xe8, 0, 0, 0x10, 0}, make([]byte, 80)...)...)...)
	return bytes.Join([][]byte{box("ftyp", []byte("isom\x00\x00\x02\x00isom")...), box("mdat", media...), box("moov", mvhd...)}, nil)
}

// wavBytes is silence of so many seconds, 8,000 bytes each.
func wavBytes(seconds float64) []byte {
	data := make([]byte, int(seconds*8000))
	le := func(n int) []byte { return []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} }
	return bytes.Join([][]byte{[]byte("RIFF"), le(36 + len(data)), []byte("WAVEfmt "), le(16),
		{1, 0, 1, 0}, le(8000), le(8000), {1, 0, 8, 0}, []byte("data"), le(len(data)), data}, nil)
}

// mp3Bytes is two frames of MPEG 1 layer III, 128 kbit/s, 44.1 kHz.
func mp3Bytes() []byte {
	frame := append([]byte{0xff, 0xfb, 0x90, 0x00}, make([]byte, 413)...)
	return append(append([]byte{}, frame...), frame...)
}

func amrBytes(frames int) []byte {
	return append([]byte("#!AMR\n"), bytes.Repeat(append([]byte{0x3c}, make([]byte, 31)...), frames)...)
}
