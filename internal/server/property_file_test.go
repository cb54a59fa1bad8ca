package server

import (
	"bytes"
	"fmt"
	"image/gif"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/image/bmp"

	"sucai/wechat"
)

type modelFile struct {
	typ       wechat.Type // of the upload
	ext, mime string
	data      func(mark ...byte) []byte
	permanent bool // it is taken as permanent material alone
}

var modelFiles = []modelFile{
	{wechat.Image, "png", "image/png", behind(pngBytes(1, 1)), false},
	{wechat.Image, "jpg", "image/jpeg", behind(jpegBytes(1, 1)), false},
	{wechat.Image, "gif", "image/gif", behind(encodedBy(func(w io.Writer) error { return gif.Encode(w, picture(1, 1), nil) })), false},
	{wechat.Image, "bmp", "image/bmp", behind(encodedBy(func(w io.Writer) error { return bmp.Encode(w, picture(1, 1)) })), true},
	{wechat.Voice, "mp3", "audio/mpeg", within(mp3Bytes(), 400), false},
	{wechat.Voice, "amr", "audio/amr", within(amrBytes(9), 20), false},
	{wechat.Voice, "wav", "audio/wav", within(wavBytes(0.1), 100), true},
	{wechat.Video, "mp4", "video/mp4", mp4Bytes, false},
	{wechat.Thumb, "jpg", "image/jpeg", behind(jpegBytes(2, 1)), false},
}

func behind(data []byte) func(...byte) []byte {
	return func(mark ...byte) []byte { return slices.Concat(data, mark) }
}

func within(data []byte, at int) func(...byte) []byte {
	return func(mark ...byte) []byte { return slices.Concat(data[:at], mark, data[at+len(mark):]) }
}

func encodedBy(encode func(io.Writer) error) []byte {
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		panic(err)
	}
	return out.Bytes()
}

var modelNames = []struct{ sent, kept string }{
	{"a.png", "a.png"}, {"图 片.jpg", "图 片.jpg"}, {`C:\x\b.gif`, "b.gif"}, {"../../etc/c", "c"}, {`q"uo"te;.mp3`, `q"uo"te;.mp3`},
	{"=?utf-8?B?5Zu+?=", "图"}, {"tab\t.png", "tab.png"}, {"<&>'.mp4", "<&>'.mp4"},
}

func (p *player) newFile(f modelFile) *modelMaterial {
	n := p.mark.Add(1)
	name := pick(p, modelNames)
	m := &modelMaterial{typ: f.typ, name: name.kept, ext: f.ext, mime: f.mime, created: p.now(), updated: p.now()}
	m.data = f.data(byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	if f.typ == wechat.Thumb {
		m.typ = wechat.Image
	}
	m.began = p.requests.Add(1)
	return m
}

// sendForm uploads, with the type where clients put it: in the query or in the form.
func (p *player) sendForm(endpoint string, t wechat.Type, query string, parts ...part) string {
	switch p.roll(3) {
	case 0:
		query = "?type=" + string(t) + query
	case 1:
		parts = append([]part{fieldPart("type", string(t))}, parts...)
	default:
		parts = append(parts, fieldPart("type", string(t)))
	}
	if !strings.HasPrefix(query, "?") {
		query = "?" + strings.TrimPrefix(query, "&")
	}
	contentType, body := multipartForm(parts...)
	_, got := p.call("POST", endpoint+query, contentType, body.Bytes())
	return got
}

func (p *player) sentName(m *modelMaterial) string {
	for _, n := range modelNames {
		if n.kept == m.name {
			return n.sent
		}
	}
	panic(m.name)
}

func (p *player) addMaterial() { p.add(pick(p, modelFiles)) }

func (p *player) add(f modelFile) *modelMaterial {
	m := p.newFile(f)
	parts := []part{filePart("media", p.sentName(m), m.data)}
	query := ""
	if f.typ == wechat.Video {
		title := pick(p, []string{"题目 <\"&>", ""})
		m.intro = pick(p, []string{"述\\", ""})
		if title != "" {
			m.name = title
		}
		text := `{"title":` + quoted(title) + `,"introduction":` + quoted(m.intro) + `}`
		switch p.roll(4) {
		case 0:
			parts = append(parts, fieldPart("description", text))
		case 1:
			parts = append([]part{fieldPart("description", text)}, parts...)
		case 2:
			parts = append(parts, filePart("description", "blob", []byte(text)))
		default:
			query = "&description=" + url.QueryEscape(text)
		}
	}
	got := p.sendForm("material/add_material", f.typ, query, parts...)
	if m.typ == wechat.Image {
		found := p.match("add_material", got, `\{"media_id":"([A-Za-z0-9_-]{64})","url":"`+regexp.QuoteMeta(p.base())+`([^"]*)"\}`)
		m.id, m.address = found[0], found[1]
		p.wantAddress(m)
	} else {
		m.id = p.match("add_material", got, `\{"media_id":"([A-Za-z0-9_-]{64})"\}`)[0]
	}
	p.keep(m)
	return m
}

// keep lists a material that was acknowledged.
func (p *player) keep(m *modelMaterial) {
	m.answer = p.requests.Add(1)
	for _, other := range slices.Concat(p.own.all(), p.own.dead, p.own.temporary) {
		if other.id == m.id {
			p.Fatalf("media_id %s was given twice", m.id)
		}
	}
	p.own.listed[m.typ] = append(p.own.listed[m.typ], m)
}

// wantAddress checks the form of an address that an answer told.
func (p *player) wantAddress(m *modelMaterial) {
	kind, format := m.ext, m.ext
	if m.typ != wechat.Image {
		kind = string(m.typ)
	}
	if m.ext == "jpg" {
		format = "jpeg"
	}
	p.match("address", m.address, `/mmbiz_`+kind+`/[A-Za-z0-9_-]{86}/0\?wx_fmt=`+format)
}

func (p *player) badUpload() {
	png := filePart("media", "a.png", pngBytes(1, 1))
	film := filePart("media", "a.mp4", mp4Bytes())
	c := pick(p, []struct {
		typ   wechat.Type
		want  *wechat.Error
		parts []part
	}{
		{"audio", wechat.ErrInvalidMediaType, []part{png}},
		{wechat.News, wechat.ErrInvalidMediaType, []part{png}},
		{wechat.Voice, wechat.ErrFileType, []part{png}},
		{wechat.Video, wechat.ErrFileType, []part{png}},
		{wechat.Image, wechat.ErrImageFormat, []part{film}},
		{wechat.Thumb, wechat.ErrImageFormat, []part{png}},
		{wechat.Image, wechat.ErrMediaMissing, []part{fieldPart("media", "x")}},
		{wechat.Image, wechat.ErrEmptyMedia, []part{filePart("media", "a.png", nil)}},
		{wechat.Thumb, wechat.ErrThumbSize, []part{filePart("media", "a.jpg", append(jpegBytes(1, 1), make([]byte, 64<<10)...))}},
		{wechat.Voice, wechat.ErrPlaytime, []part{filePart("media", "a.wav", wavBytes(61))}},
		{wechat.Video, wechat.ErrDataFormat, []part{film, fieldPart("description", `{"title":5}`)}},
	})
	if c.typ == wechat.Voice && c.want == wechat.ErrPlaytime || c.typ == wechat.Video && c.want == wechat.ErrDataFormat {
		p.wantError("add_material", p.sendForm("material/add_material", c.typ, "", c.parts...), c.want)
		return
	}
	endpoint := pick(p, []string{"material/add_material", "media/upload"})
	p.wantError(endpoint, p.sendForm(endpoint, c.typ, "", c.parts...), c.want)
}

func (p *player) mediaUpload() {
	f := pick(p, modelFiles)
	m := p.newFile(f)
	got := p.sendForm("media/upload", f.typ, "", filePart("media", p.sentName(m), m.data))
	switch {
	case f.permanent && f.typ == wechat.Image:
		p.wantError("media/upload of "+f.ext, got, wechat.ErrImageFormat)
		return
	case f.permanent:
		p.wantError("media/upload of "+f.ext, got, wechat.ErrFileType)
		return
	}
	name := "media_id"
	if f.typ == wechat.Thumb {
		name = "thumb_media_id"
	}
	m.id = p.match("media/upload", got, fmt.Sprintf(`\{"type":"%s","%s":"([A-Za-z0-9_-]{64})","created_at":%d\}`, f.typ, name, m.created))[0]
	m.expires = m.created + 3*24*3600
	p.own.temporary = append(p.own.temporary, m)
}

func (p *player) mediaGet() {
	m := pick(p, slices.Concat([]*modelMaterial{{id: "none"}}, p.own.temporary, p.own.temporary, p.own.all(), p.own.dead))
	res, got := p.call("GET", "media/get?media_id="+url.QueryEscape(m.id), "", nil)
	switch {
	case p.now() >= m.expires:
		p.wantError("media/get", got, wechat.ErrInvalidMediaID)
	case m.typ == wechat.Video:
		p.wantFilm(m, p.match("media/get", got, `\{"video_url":"`+regexp.QuoteMeta(p.base())+`([^"]*)"\}`)[0])
	default:
		p.wantFile(m, res, got)
	}
}

func (p *player) wantFile(m *modelMaterial, res *http.Response, got string) {
	p.Helper()
	if got != string(m.data) {
		p.Fatalf("%s %s: %d bytes are not the %d that were uploaded", m.typ, m.id, len(got), len(m.data))
	}
	p.want("its type", res.Header.Get("Content-Type"), m.mime)
	p.want("its name", res.Header.Get("Content-Disposition"), `attachment; filename="`+m.id+"."+m.ext+`"`)
	p.want("its length", res.Header.Get("Content-Length"), fmt.Sprint(len(m.data)))
}

// wantFilm checks a new address of a video, and what is there.
func (p *player) wantFilm(m *modelMaterial, path string) {
	p.match("address of a film", path, fmt.Sprintf(`/video/%s/%s\.mp4\?expires=%d&vkey=[0-9a-f]{32}`, p.own.appID, m.id, p.now()+7200))
	film := modelFilm{path, p.now() + 7200, m}
	p.own.films = append(p.own.films, film)
	p.watch(film)
}

func (p *player) watch(f modelFilm) {
	res, got := p.send("GET", f.path, "", nil)
	want := 200
	switch {
	case p.now() >= f.expires:
		want = 403
	case f.of.dead, f.of.expires > 0 && p.now() >= f.of.expires:
		want = 404
	}
	if res.StatusCode != want || want == 200 && got != string(f.of.data) {
		p.Fatalf("film %s: %s, want %d; %d bytes", f.of.id, res.Status, want, len(got))
	}
}

func (p *player) uploadImg() {
	m := p.newFile(pick(p, modelFiles[:4]))
	contentType, body := multipartForm(filePart(pick(p, []string{"media", "buffer"}), p.sentName(m), m.data))
	_, got := p.call("POST", "media/uploadimg", contentType, body.Bytes())
	if m.ext != "png" && m.ext != "jpg" {
		p.wantError("uploadimg", got, wechat.ErrImageFormat)
		return
	}
	m.address = p.match("uploadimg", got, `\{"url":"`+regexp.QuoteMeta(p.base())+`(/mmbiz_`+m.ext+`/[A-Za-z0-9_-]{86}/0)"\}`)[0]
	p.own.inline = append(p.own.inline, m)
}

// browse reads public addresses, old ones too.
func (p *player) browse() {
	if len(p.own.films) > 0 && p.roll(2) == 0 {
		p.watch(pick(p, p.own.films))
		return
	}
	var list []*modelMaterial
	for _, m := range slices.Concat(p.own.all(), p.own.inline, p.own.dead) {
		if m.address != "" {
			list = append(list, m)
		}
	}
	if len(list) == 0 {
		return
	}
	m := pick(p, list)
	res, got := p.send("GET", m.address, "", nil)
	switch {
	case m.dead && res.StatusCode != 404:
		p.Fatalf("a deleted %s is still there: %s", m.typ, res.Status)
	case !m.dead && (res.StatusCode != 200 || got != string(m.data)):
		p.Fatalf("%s: %s, %d bytes", m.address, res.Status, len(got))
	}
}
