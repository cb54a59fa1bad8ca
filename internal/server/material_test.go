package server

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"sucai/internal/library"
	"sucai/wechat"
)

func TestGetMaterialFile(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		typ, name, ext, mediaType string
		data                      []byte
	}{
		{"image", "a.png", "png", "image/png", pngBytes(3, 4)},
		{"image", "照片.JPG", "jpg", "image/jpeg", jpegBytes(3, 4)},
		{"thumb", "t.jpg", "jpg", "image/jpeg", jpegBytes(5, 5)},
		{"voice", "v.mp3", "mp3", "audio/mpeg", mp3Bytes()},
		{"voice", "v.amr", "amr", "audio/amr", amrBytes(3)},
		{"voice", "v.wav", "wav", "audio/wav", wavBytes(1)},
	} {
		id := f.add(c.typ, c.name, c.data)
		for _, contentType := range []string{"", "application/json", "application/x-www-form-urlencoded", "text/plain; charset=ISO-8859-1"} {
			res, got := f.do("POST", f.at("material/get_material"), contentType, strings.NewReader(`{"media_id":"`+id+`"}`))
			if !bytes.Equal(got, c.data) || res.StatusCode != 200 {
				t.Fatalf("%s: %d bytes came back of %d", c.name, len(got), len(c.data))
			}
			for name, want := range map[string]string{
				"Content-Type": c.mediaType, "Content-Length": fmt.Sprint(len(c.data)), "X-Content-Type-Options": "nosniff",
				"Content-Disposition": `attachment; filename="` + id + "." + c.ext + `"`, "Accept-Ranges": "",
			} {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", c.name, name, got, want)
				}
			}
		}
		req, _ := http.NewRequest("POST", f.base+f.at("material/get_material"), strings.NewReader(`{"media_id":"`+id+`"}`))
		req.Header.Set("Range", "bytes=0-1")
		req.Header.Set("If-None-Match", "*")
		if res, got := f.send(req); res.StatusCode != 200 || len(got) != len(c.data) {
			t.Errorf("%s: a Range was honoured: %d, %d bytes", c.name, res.StatusCode, len(got))
		}
	}
}

func TestGetMaterialVideo(t *testing.T) {
	f := newFixture(t)
	film := mp4Bytes([]byte("film")...)
	id := f.add("video", "f.mp4", film, fieldPart("description", `{"title":"标题 \"a\" <b>/","introduction":"第一行\n第二行"}`))
	got := f.call("material/get_material", `{"media_id":"`+id+`"}`)
	m := regexp.MustCompile(`^\{"title":"标题 \\"a\\" <b>/","description":"第一行\\n第二行","down_url":"(http://127\.0\.0\.1:\d+)(/[^"]+)"\}$`).FindStringSubmatch(got)
	if m == nil || m[1] != f.base {
		t.Fatalf("answer %s", got)
	}
	res, data := f.do("GET", m[2], "", nil)
	if !bytes.Equal(data, film) || res.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("down_url: %s, %d bytes", res.Status, len(data))
	}
	for _, address := range []string{strings.Replace(m[2], "vkey=", "vkey=0", 1), strings.Replace(m[2], "expires=1", "expires=2", 1), strings.Split(m[2], "?")[0]} {
		if res, _ := f.do("GET", address, "", nil); res.StatusCode != 403 {
			t.Errorf("%s: %s", address, res.Status)
		}
	}
	f.now = f.now.Add(7200e9)
	if res, _ := f.do("GET", m[2], "", nil); res.StatusCode != 403 {
		t.Errorf("after two hours: %s", res.Status)
	}

	for _, c := range []struct{ name, description, title string }{
		{"no title.mp4", "", "no title.mp4"},
		{"empty.mp4", "{}", "empty.mp4"},
		{"empty title.mp4", `{"title":"","introduction":"x"}`, "empty title.mp4"},
	} {
		f.token = f.newToken()
		id := f.add("video", c.name, film, fieldPart("description", c.description))
		if got := f.member(f.call("material/get_material", `{"media_id":"`+id+`"}`), "title"); got != c.title {
			t.Errorf("title %q, want %q", got, c.title)
		}
	}
}

const invalidID = `{"errcode":40007,"errmsg":"invalid media_id"}`

func TestInvalidMediaID(t *testing.T) {
	f := newFixture(t)
	id := f.add("image", "a.png", pngBytes(1, 1))
	temporary := f.member(f.upload("media/upload?type=image", filePart("media", "a.png", pngBytes(1, 1))), "media_id").(string)
	wantBody(t, "deleted", f.call("material/del_material", `{"media_id":"`+id+`"}`), `{"errcode":0,"errmsg":"ok"}`)
	for _, endpoint := range []string{"material/get_material", "material/del_material"} {
		for _, body := range []string{
			`{"media_id":"` + id + `"}`, `{"media_id":"` + temporary + `"}`, `{"media_id":"x"}`, `{"media_id":""}`, `{"media_id":null}`,
			`{}`, `{"Media_Id":"x"}`, `{"media_id":12}`, `{"media_id":"a\u0000b"}`, "media_id=" + id, "media_id", `"x"`,
			`{"media_id":"` + strings.Repeat("x", 5000) + `"}`,
		} {
			wantBody(t, endpoint+body, f.call(endpoint, body), invalidID)
		}
		for _, body := range []string{`{"media_id":["x"]}`, `{"media_id":{}}`, `{"media_id":true}`, `{"media_id":1.5}`, `{"media_id":-1}`} {
			wantCode(t, endpoint+body, f.call(endpoint, body), 47001)
		}
	}
	other, secret, err := f.ls.NewAccount(t.Context(), "wxother", "s")
	must(t, err)
	mine := f.add("image", "a.png", pngBytes(1, 1))
	f.account, f.secret = other, secret
	f.token = f.newToken()
	wantBody(t, "another account's", f.call("material/get_material", `{"media_id":"`+mine+`"}`), invalidID)
	wantBody(t, "another account's", f.call("material/del_material", `{"media_id":"`+mine+`"}`), invalidID)
	wantBody(t, "another account's count", f.call("material/get_materialcount", ""), `{"voice_count":0,"video_count":0,"image_count":0,"news_count":0}`)
}

// A media_id of digits may come as a number; WxJava on Jodd sends it in the query.
func TestMediaIDForms(t *testing.T) {
	f := newFixture(t)
	lib := f.ls.Of(f.account)
	m := &library.Material{MediaID: "61224425", Type: wechat.Image, Number: library.NextNumber, Name: "n"}
	must(t, lib.ImportFile(t.Context(), m, bytes.NewReader(pngBytes(1, 1))))
	_, err := lib.Import(t.Context(), []*library.Material{m})
	must(t, err)
	for _, body := range []string{`{"media_id":"61224425"}`, `{"media_id":61224425}`, `{"x":[{}], "media_id" : "\u00361224425" }` + "\n"} {
		if got := f.call("material/get_material", body); got != string(pngBytes(1, 1)) {
			t.Errorf("%s: %.60q", body, got)
		}
	}
	if _, got := f.do("POST", f.at("material/get_material?media_id=61224425"), "", nil); !bytes.Equal(got, pngBytes(1, 1)) {
		t.Errorf("in the query: %.60q", got)
	}
	wantBody(t, "in the query beside a body", f.call("material/get_material?media_id=61224425", "{}"), invalidID)
}

func TestBatchGetMaterial(t *testing.T) {
	f := newFixture(t)
	wantBody(t, "nothing yet", f.call("material/batchget_material", `{"type":"image","offset":0,"count":20}`), `{"item":[],"total_count":0,"item_count":0}`)
	var ids []string
	for i := range 23 {
		f.now = f.now.Add(1e9)
		ids = append([]string{f.add("image", fmt.Sprintf("图 %d.png", i), pngBytes(1, 1+i))}, ids...)
	}
	f.add("thumb", "thumb.jpg", jpegBytes(2, 2))
	page := f.call("material/batchget_material", `{"type":"image","offset":1,"count":2}`)
	item := func(i int) string {
		return fmt.Sprintf(`\{"media_id":"%s","name":"图 %d.png","update_time":%d,"url":"%s/mmbiz_png/[A-Za-z0-9_-]{86}/0\?wx_fmt=png"\}`,
			ids[i], 22-i, f.now.Unix()-int64(i), f.base)
	}
	if want := `^\{"item":\[` + item(0) + "," + item(1) + `\],"total_count":24,"item_count":2\}$`; !regexp.MustCompile(want).MatchString(page) {
		t.Errorf("page %s\nwant %s", page, want)
	}
	if !strings.Contains(f.call("material/batchget_material", `{"type":"image","offset":0,"count":1}`), `"name":"thumb.jpg"`) {
		t.Error("a thumb is not listed as an image")
	}
	last := f.call("material/batchget_material", `{"type":"image","offset":20,"count":20}`)
	if n := f.member(last, "item_count"); n != 4.0 {
		t.Errorf("the last page has %v items", n)
	}
	wantBody(t, "past the end", f.call("material/batchget_material", `{"type":"image","offset":24,"count":20}`), `{"item":[],"total_count":24,"item_count":0}`)
	for _, body := range []string{
		`{"type":"image","offset":"1","count":"2"}`, `{"count":2.0,"offset":1e0,"type":"image","more":[]}`,
	} {
		wantBody(t, body, f.call("material/batchget_material", body), page)
	}
	for body, code := range map[string]int{
		`{"type":"thumb","offset":0,"count":1}`:                            40004,
		`{"type":"Image","offset":0,"count":1}`:                            40004,
		`{"type":"","offset":[],"count":99}`:                               40004,
		`{"offset":-1}`:                                                    40004,
		`type=image&offset=0&count=1`:                                      40004,
		`{"type":["image"],"offset":0,"count":1}`:                          47001,
		`{"type":"image","count":1}`:                                       40097,
		`{"type":"image","offset":0}`:                                      40097,
		`{"type":"image","offset":null,"count":1}`:                         40097,
		`{"type":"image","offset":-1,"count":1}`:                           40097,
		`{"type":"image","offset":0,"count":0}`:                            40097,
		`{"type":"image","offset":0,"count":21}`:                           40097,
		`{"type":"image","offset":0.5,"count":1}`:                          40097,
		`{"type":"image","offset":99999999999999999999,"count":1}`:         40097,
		`{"type":"image","offset":1e400,"count":1}`:                        40097,
		`{"type":"image","offset":"x","count":1}`:                          47001,
		`{"type":"image","offset":"","count":1}`:                           47001,
		`{"type":"image","offset":"0x1","count":1}`:                        47001,
		`{"type":"image","offset":true,"count":1}`:                         47001,
		`{"type":"image","offset":{},"count":1}`:                           47001,
		`{"type":"image","offset":0,"count":1`:                             47001,
		"{\"type\":\"image\",\"offset\":0,\"count\":1,\"x\":\"\xff\xfe\"}": 47001,
	} {
		wantCode(t, body, f.call("material/batchget_material", body), code)
	}
}

func TestListOfOtherTypes(t *testing.T) {
	f := newFixture(t)
	f.add("voice", "声音.mp3", mp3Bytes())
	f.add("video", "film.mp4", mp4Bytes(), fieldPart("description", `{"title":"片名"}`))
	f.upload("media/uploadimg", filePart("media", "inline.png", pngBytes(1, 1)))
	f.upload("media/upload?type=voice", filePart("media", "t.amr", amrBytes(1)))
	for typ, want := range map[string]string{
		"voice": `"name":"声音.mp3","update_time":1700000000,"url":"` + f.base + `/mmbiz_voice/[A-Za-z0-9_-]{86}/0\?wx_fmt=mp3"`,
		"video": `"name":"片名","update_time":1700000000,"url":"` + f.base + `/mmbiz_video/[A-Za-z0-9_-]{86}/0\?wx_fmt=mp4"`,
	} {
		got := f.call("material/batchget_material", `{"type":"`+typ+`","offset":0,"count":20}`)
		m := regexp.MustCompile(`^\{"item":\[\{"media_id":"[^"]+",` + want + `\}\],"total_count":1,"item_count":1\}$`)
		if !m.MatchString(got) {
			t.Errorf("%s: %s", typ, got)
			continue
		}
		url := regexp.MustCompile(`"url":"([^"]+)"`).FindStringSubmatch(got)[1]
		if res, data := f.do("GET", strings.TrimPrefix(url, f.base), "", nil); res.StatusCode != 200 || len(data) == 0 {
			t.Errorf("%s: url answers %s", typ, res.Status)
		}
	}
	for _, method := range []string{"GET", "POST"} {
		_, got := f.do(method, f.at("material/get_materialcount"), "", nil)
		wantBody(t, "counts", string(got), `{"voice_count":1,"video_count":1,"image_count":0,"news_count":0}`)
	}
}

func TestTemporaryMedia(t *testing.T) {
	f := newFixture(t)
	up := f.upload("media/upload?type=image", filePart("media", "a.jpg", jpegBytes(2, 3)))
	if !regexp.MustCompile(`^\{"type":"image","media_id":"[A-Za-z0-9_-]{64}","created_at":1700000000\}$`).MatchString(up) {
		t.Errorf("answer %s", up)
	}
	id := f.member(up, "media_id").(string)
	get := func(id string) (*http.Response, []byte) { return f.do("GET", f.at("media/get?media_id="+id), "", nil) }
	res, data := get(id)
	if !bytes.Equal(data, jpegBytes(2, 3)) || res.Header.Get("Content-Type") != "image/jpeg" ||
		res.Header.Get("Content-Disposition") != `attachment; filename="`+id+`.jpg"` {
		t.Errorf("%v, %d bytes", res.Header, len(data))
	}
	thumb := f.upload("media/upload?type=thumb", filePart("media", "a.jpg", jpegBytes(2, 3)))
	if !regexp.MustCompile(`^\{"type":"thumb","thumb_media_id":"[A-Za-z0-9_-]{64}","created_at":1700000000\}$`).MatchString(thumb) {
		t.Errorf("answer %s", thumb)
	}
	video := f.upload("media/upload?type=video", filePart("media", "a.mp4", mp4Bytes()))
	_, data = get(f.member(video, "media_id").(string))
	address := f.member(string(data), "video_url").(string)
	if _, data := f.do("GET", strings.TrimPrefix(address, f.base), "", nil); !bytes.Equal(data, mp4Bytes()) {
		t.Errorf("video_url %s gives %d bytes", address, len(data))
	}
	for _, format := range []struct{ typ, name string }{{"image", "a.bmp"}, {"voice", "a.wav"}} {
		wantCode(t, format.name, f.upload("media/upload?type="+format.typ, filePart("media", format.name, wavBytes(1))), map[string]int{"image": 40137, "voice": 40113}[format.typ])
	}
	permanent := f.add("image", "p.png", pngBytes(1, 1))
	for _, id := range []string{"", "none", permanent} {
		_, data := get(id)
		wantBody(t, id, string(data), invalidID)
	}
	f.now = f.now.Add(3*24*3600e9 - 1e9)
	f.token = f.newToken()
	if _, data := get(id); !bytes.Equal(data, jpegBytes(2, 3)) {
		t.Error("gone within three days")
	}
	f.now = f.now.Add(1e9)
	_, data = get(id)
	wantBody(t, "after three days", string(data), invalidID)
	must(t, f.ls.Tidy(t.Context()))
	_, data = get(id)
	wantBody(t, "after tidying", string(data), invalidID)
}

// A row without its blob is our fault: -1, never a 40007, and never a short body.
func TestBlobMissing(t *testing.T) {
	f := newFixture(t)
	id := f.add("image", "a.png", pngBytes(1, 1))
	m, err := f.ls.Of(f.account).Get(t.Context(), id, nil)
	must(t, err)
	must(t, f.ls.Blobs.Remove(t.Context(), m.Blob))
	wantBody(t, "blob gone", f.call("material/get_material", `{"media_id":"`+id+`"}`), `{"errcode":-1,"errmsg":"system error"}`)
	if !strings.Contains(f.log.String(), "level=ERROR") || !strings.Contains(f.log.String(), id) {
		t.Errorf("log: %s", f.log)
	}
}

// A blob that breaks off under us cuts the connection.
func TestShortBlob(t *testing.T) {
	f := newFixture(t)
	f.server.libraries.Blobs = shortBlobs{f.ls.Blobs}
	id := f.add("image", "a.png", padded(1<<20))
	res, err := http.Post(f.base+f.at("material/get_material"), "", strings.NewReader(`{"media_id":"`+id+`"}`))
	must(t, err)
	defer res.Body.Close()
	if data, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("%d bytes look whole", len(data))
	}
}

type shortBlobs struct{ library.Blobs }

func (b shortBlobs) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	r, err := b.Blobs.Open(ctx, name, offset, length)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(r, length/2), r}, nil
}
