package server

import (
	"bytes"
	"fmt"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sucai/internal/library"
	"sucai/wechat"
)

func TestAddMaterialAnswers(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct{ typ, want string }{
		{"image", `^\{"media_id":"[A-Za-z0-9_-]{64}","url":"` + f.base + `/mmbiz_jpg/[A-Za-z0-9_-]{86}/0\?wx_fmt=jpeg"\}$`},
		{"thumb", `^\{"media_id":"[A-Za-z0-9_-]{64}","url":"` + f.base + `/mmbiz_jpg/[A-Za-z0-9_-]{86}/0\?wx_fmt=jpeg"\}$`},
		{"voice", `^\{"media_id":"[A-Za-z0-9_-]{64}"\}$`},
		{"video", `^\{"media_id":"[A-Za-z0-9_-]{64}"\}$`},
	} {
		data := map[string][]byte{"image": jpegBytes(2, 2), "thumb": jpegBytes(2, 2), "voice": mp3Bytes(), "video": mp4Bytes()}[c.typ]
		got := f.upload("material/add_material?type="+c.typ, filePart("media", "x", data))
		if !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s: %s", c.typ, got)
		}
	}
	got := f.upload("media/uploadimg?type=news_image", filePart("media", "x.png", pngBytes(1, 1)))
	if !regexp.MustCompile(`^\{"url":"` + f.base + `/mmbiz_png/[A-Za-z0-9_-]{86}/0"\}$`).MatchString(got) {
		t.Errorf("uploadimg: %s", got)
	}
	if got := f.upload("media/uploadimg", filePart("buffer", "x.png", pngBytes(1, 1))); !strings.HasPrefix(got, `{"url":`) {
		t.Errorf("uploadimg of old pages: %s", got)
	}
}

// What the SDKs' multipart bodies look like.
func TestMultipartVariants(t *testing.T) {
	f := newFixture(t)
	film := mp4Bytes()
	const text = `{"title":"片名","introduction":"介绍"}`
	bare := func(p part) part { // python's requests send no Content-Type
		delete(p.header, "Content-Type")
		return p
	}
	eightBit := fieldPart("description", text)
	eightBit.header.Set("Content-Type", "text/plain; charset=UTF-8")
	eightBit.header.Set("Content-Transfer-Encoding", "8bit")
	length := filePart("media", "film.mp4", film)
	length.header.Set("Content-Disposition", fmt.Sprintf(`form-data; name="media";filename="film.mp4";filelength="%d"`, len(film)))
	rfc2231 := filePart("media", "", film)
	rfc2231.header.Set("Content-Disposition", `form-data; name="media"; filename*=UTF-8''%E7%89%87.mp4`)
	for _, c := range []struct {
		what, query string
		parts       []part
		title       string
	}{
		{"field behind", "", []part{filePart("media", "film.mp4", film), fieldPart("description", text)}, "片名"},
		{"field before", "", []part{fieldPart("description", text), filePart("media", "film.mp4", film)}, "片名"},
		{"field with a final newline", "", []part{filePart("media", "film.mp4", film), fieldPart("description", text+"\n")}, "片名"},
		{"description as a file", "", []part{filePart("media", "film.mp4", film), filePart("description", "description", []byte(text))}, "片名"},
		{"8bit", "", []part{filePart("media", "film.mp4", film), eightBit}, "片名"},
		{"no content type", "", []part{bare(filePart("media", "film.mp4", film)), fieldPart("description", text)}, "片名"},
		{"filelength", "", []part{length, fieldPart("description", text)}, "片名"},
		{"in the query", "&description=" + url.QueryEscape(text), []part{filePart("media", "film.mp4", film)}, "片名"},
		{"in the query, capital", "&Description=" + url.QueryEscape(text), []part{filePart("media", "film.mp4", film)}, "片名"},
		{"empty object", "", []part{filePart("media", "film.mp4", film), fieldPart("description", "{}")}, "film.mp4"},
		{"nothing", "&debug=1", []part{filePart("media", "film.mp4", film)}, "film.mp4"},
		{"other fields", "", []part{fieldPart("access_token", "x"), fieldPart("type", "image"), filePart("media", "film.mp4", film), filePart("media", "second.mp4", []byte("x"))}, "film.mp4"},
		{"rfc 2231", "", []part{rfc2231}, "片.mp4"},
	} {
		got := f.upload("material/add_material?type=video"+c.query, c.parts...)
		id := f.member(got, "media_id").(string)
		if title := f.member(f.call("material/get_material", `{"media_id":"`+id+`"}`), "title"); title != c.title {
			t.Errorf("%s: title %q", c.what, title)
		}
	}
	for _, parts := range [][]part{
		{fieldPart("type", "image"), filePart("media", "a.png", pngBytes(1, 1))},
		{filePart("media", "a.png", pngBytes(1, 1)), fieldPart("type", "image")},
	} {
		if got := f.upload("material/add_material", parts...); !strings.Contains(got, `"url"`) {
			t.Errorf("type as a field: %s", got)
		}
	}
	if got := f.upload("material/add_material?type=image", filePart("media", "a.png", pngBytes(1, 1)), fieldPart("description", "{}")); !strings.Contains(got, `"url"`) {
		t.Errorf("description of an image: %s", got)
	}
	for _, description := range []string{"{", "[]", `{"title":1}`, "title", `{"title":"a"} x`} {
		wantCode(t, description, f.upload("material/add_material?type=video", filePart("media", "f.mp4", film), fieldPart("description", description)), 47001)
	}
	wantBody(t, "nothing half-made is listed", f.call("material/get_materialcount", ""), `{"voice_count":0,"video_count":13,"image_count":3,"news_count":0}`)
}

// Headers as clients write them against the grammar.
func TestLenientHeaders(t *testing.T) {
	f := newFixture(t)
	for header, want := range map[string]string{
		`form-data; name="media"; filename="a"b.png"`:                              `a"b.png`,
		`form-data; name="media"; filename=a b.png`:                                "a b.png",
		`form-data; name=media; filename="a.png";`:                                 "a.png",
		`form-data; name="media"; filename="=?UTF-8?B?5Zu+L+eJhy5wbmc=?="`:         "片.png",
		`form-data; name="media"; filename="=?UTF-8?Q?=E5=9B=BE.png?="`:            "图.png",
		`form-data; name="media"; filename*=ISO-8859-1''caf%E9.png`:                "café.png",
		`form-data; name="media"; filename*=utf-8'zh'%E5%9B%BE.png`:                "图.png",
		`form-data; name="media"; filename="old.png"; filename*=UTF-8''new%20.png`: "new .png",
		`form-data; filename="a.png"; name="media"; filelength=3`:                  "a.png",
	} {
		p := filePart("media", "", pngBytes(1, 1))
		p.header.Set("Content-Disposition", header)
		if got := f.upload("material/add_material?type=image", p); !strings.Contains(got, "media_id") {
			t.Errorf("%s: %s", header, got)
			continue
		}
		page := f.call("material/batchget_material", `{"type":"image","offset":0,"count":1}`)
		if got := f.member(page, "item").([]any)[0].(map[string]any)["name"]; got != want {
			t.Errorf("%s is listed as %q, want %q", header, got, want)
		}
	}
	for _, mark := range []string{"a=b", "a:b/c", "a?b", "----x(1)"} {
		body := "--" + mark + "\r\nContent-Disposition: form-data; name=\"media\"; filename=\"x.png\"\r\n\r\n" + string(pngBytes(1, 1)) + "\r\n--" + mark + "--\r\n"
		_, got := f.do("POST", f.at("material/add_material?type=image"), "multipart/form-data; boundary="+mark, strings.NewReader(body))
		if !bytes.Contains(got, []byte("media_id")) {
			t.Errorf("boundary %s: %s", mark, got)
		}
	}
}

func TestNames(t *testing.T) {
	f := newFixture(t)
	for given, want := range map[string]string{
		"a.png": "a.png", "/tmp/x/a.png": "a.png", `C:\\pictures\\a.png`: "a.png", "images/2/2017/图.png": "图.png", "noext": "noext",
		"..": "..", strings.Repeat("长", 300): strings.Repeat("长", 255), "a\xffb.png": "a\uFFFDb.png",
		"<b>&.png": "<b>&.png", "a b.png": "a b.png",
	} {
		f.add("image", given, pngBytes(1, 1))
		page := f.call("material/batchget_material", `{"type":"image","offset":0,"count":1}`)
		if got := f.member(page, "item").([]any)[0].(map[string]any)["name"]; got != want {
			t.Errorf("%q is listed as %q, want %q", given, got, want)
		}
	}
}

func TestUploadErrors(t *testing.T) {
	f := newFixture(t)
	add := func(typ string, parts ...part) string { return f.upload("material/add_material?type="+typ, parts...) }
	file := func(data []byte) part { return filePart("media", "x", data) }
	film := append(mp4Bytes(), make([]byte, 10<<20)...)
	for _, c := range []struct {
		what, got string
		code      int
	}{
		{"type", add("news", file(pngBytes(1, 1))), 40004},
		{"no type", add("", file(pngBytes(1, 1))), 40004},
		{"no part", add("image"), 41005},
		{"another field", add("image", filePart("file", "x.png", pngBytes(1, 1))), 41005},
		{"no file name", add("image", fieldPart("media", string(pngBytes(1, 1)))), 41005},
		{"zero bytes", add("image", file(nil)), 44001},
		{"image too large", add("image", file(padded(10<<20+1))), 40009},
		{"voice too large", add("voice", file(make([]byte, 2<<20+1))), 40010},
		{"video too large", add("video", file(film)), 40011},
		{"thumb too large", add("thumb", file(append(jpegBytes(1, 1), make([]byte, 64<<10)...))), 40012},
		{"image of another format", add("image", file(mp3Bytes())), 40137},
		{"image of text", add("image", file([]byte("<svg/>"))), 40137},
		{"thumb of a png", add("thumb", file(pngBytes(1, 1))), 40137},
		{"voice of a picture", add("voice", file(pngBytes(1, 1))), 40113},
		{"video of a voice", add("video", file(mp3Bytes())), 40113},
		{"voice of 61 s", add("voice", file(wavBytes(61))), 45007},
		{"inline of a gif", f.upload("media/uploadimg", file([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"))), 40137},
		{"inline too large", f.upload("media/uploadimg", file(padded(1<<20+1))), 40009},
		{"json", f.call("material/add_material?type=image", `{"media":"x"}`), 41005},
		{"empty", f.call("material/add_material?type=image", ``), 44002},
	} {
		wantCode(t, c.what, c.got, c.code)
	}
	for _, c := range []struct {
		what, got string
	}{
		{"image of 10 MB", add("image", file(padded(10<<20)))},
		{"thumb of 64 KB", add("thumb", file(append(jpegBytes(1, 1), make([]byte, 64<<10)...)[:64<<10]))},
		{"voice of 60 s", add("voice", file(wavBytes(60)))},
		{"inline of 1 MB", f.upload("media/uploadimg", file(padded(1<<20)))},
		{"picture with a wrong suffix", add("image", filePart("media", "x.mp3", pngBytes(1, 1)))},
	} {
		if strings.Contains(c.got, "errcode") {
			t.Errorf("%s: %s", c.what, c.got)
		}
	}
}

func TestLibraryFull(t *testing.T) {
	f := newFixture(t, func(lo *library.Options, _ *Options) {
		lo.Caps = library.Caps{wechat.Image: 2, wechat.News: 1, wechat.Voice: 1, wechat.Video: 1}
	})
	first := f.add("image", "a.png", pngBytes(1, 1))
	f.add("thumb", "a.jpg", jpegBytes(1, 1))
	full := `{"errcode":45034,"errmsg":"media file count is out of limit"}`
	wantBody(t, "images", f.upload("material/add_material?type=image", filePart("media", "a", pngBytes(1, 1))), full)
	f.upload("media/uploadimg", filePart("media", "a", pngBytes(1, 1)))
	f.addNews(f.article(first))
	wantBody(t, "news", f.call("material/add_news", `{"articles":[`+f.article(first)+`]}`), full)
	f.call("material/del_material", `{"media_id":"`+first+`"}`)
	f.add("image", "a.png", pngBytes(1, 1))
}

// A refused upload leaves nothing behind, not even bytes.
func TestRefusedUploadsLeaveNothing(t *testing.T) {
	f := newFixture(t)
	f.upload("material/add_material?type=image", filePart("media", "x", mp3Bytes()))
	f.upload("material/add_material?type=video", filePart("media", "x", mp4Bytes()), fieldPart("description", "{"))
	contentType, body := multipartForm(filePart("media", "x", pngBytes(9, 9)))
	whole := body.String()
	for _, cut := range []int{len(whole) - 4, len(whole) - 60, len(whole) - 80} {
		_, got := f.do("POST", f.at("material/add_material?type=image"), contentType, strings.NewReader(whole[:cut]))
		wantCode(t, fmt.Sprintf("cut at %d of %d", cut, len(whole)), string(got), 47001)
	}
	_, got := f.do("POST", f.at("material/add_material?type=image"), "multipart/form-data; boundary=other", strings.NewReader(whole))
	wantCode(t, "wrong boundary", string(got), 41005)
	for what, body := range map[string]string{"no first line": "\r\n" + whole, "dashes alone": "--\r\nx", "no line end": "--abc", "long line": "--" + strings.Repeat("x", 100) + whole} {
		_, got = f.do("POST", f.at("material/add_material?type=image"), "multipart/form-data", strings.NewReader(body))
		wantCode(t, "no boundary, "+what, string(got), 41005)
	}
	for _, contentType := range []string{"multipart/form-data", "multipart/form-data; charset=ISO-8859-1"} {
		_, got = f.do("POST", f.at("material/add_material?type=image"), contentType, strings.NewReader(whole))
		if !bytes.Contains(got, []byte("media_id")) {
			t.Errorf("a boundary in the body alone, %s: %s", contentType, got)
		}
	}
	boundary := strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
	_, got = f.do("POST", f.at("material/add_material?type=image"), `multipart/form-data; charset=utf-8; boundary="`+boundary+`"`, strings.NewReader(whole))
	if !bytes.Contains(got, []byte("media_id")) {
		t.Errorf("quoted boundary: %s", got)
	}
	long := part{textproto.MIMEHeader{"Content-Disposition": {`form-data; name="x"; y="` + strings.Repeat("y", 1<<20) + `"`}}, nil}
	wantCode(t, "a header of 1 MB", f.upload("material/add_material?type=image", long), 47001)
	var many []part
	for range 40 {
		many = append(many, fieldPart("x", "y"))
	}
	wantCode(t, "40 parts", f.upload("material/add_material?type=image", many...), 47001)
	wantCode(t, "a field of 1 MB", f.upload("material/add_material?type=image", fieldPart("x", strings.Repeat("y", 1<<20))), 47001)
	odd := part{textproto.MIMEHeader{"Content-Disposition": {"form-data; name=\"media\"; filename=\"\x00.png\""}}, pngBytes(1, 1)}
	f.upload("material/add_material?type=image", odd)

	n, err := f.ls.Sweep(t.Context(), f.now.AddDate(100, 0, 0), nil)
	must(t, err)
	if n != 0 {
		t.Errorf("%d blobs were left behind", n)
	}
}
