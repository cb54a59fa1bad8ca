package wechat

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

var articles = []Article{
	{
		Title: "标题 \"a\" <b>&", Author: "作者", Digest: "摘要", Content: "<p>一\n\t\\/\u0001\u2028😀</p><img data-src=\"http://h.example/mmbiz_png/K/0\"> http://h.example/other http://h.example/s?__biz=x",
		ContentSourceURL: "http://h.example/mmbiz", ThumbMediaID: "T", ShowCoverPic: 1,
		URL: "http://h.example/s?__biz=B==&mid=1&idx=1&sn=S", ThumbURL: "http://h.example/mmbiz_jpg/K/0?wx_fmt=jpeg", NeedOpenComment: 1,
	},
	{Title: "二"},
}

// answers are the successful answers of all endpoints; each has a golden file with what
// stands on the wire.
var answers = map[string]struct {
	answer Answer
	into   any // what the client reads it into
}{
	"error":              {ErrInvalidMediaID, nil},
	"error_gateway":      {ErrInvalidCredential, nil},
	"error_slash":        {ErrRetired, nil},
	"ok":                 {OK, nil},
	"token":              {&AccessToken{"47_abc-_", 7200}, &AccessToken{}},
	"get_materialcount":  {&Counts{1, 2, 3, 4}, &Counts{}},
	"add_material":       {&Added{"ID", "/mmbiz_png/K/0?wx_fmt=png"}, &Added{}},
	"add_news":           {&Added{MediaID: "ID"}, &Added{}},
	"uploadimg":          {&Picture{"/mmbiz_png/K/0"}, &Picture{}},
	"media_upload":       {&Uploaded{Image, "ID", "ID", 1586446258}, &Uploaded{}},
	"media_upload_thumb": {&Uploaded{Thumb, "ID", "ID", 1586446258}, &Uploaded{}},
	"media_get_video":    {&TemporaryVideo{"/video/A/ID.mp4?expires=1&vkey=2"}, &TemporaryVideo{}},
	"get_material_news":  {&NewsBody{Stored: EncodeArticles(articles, "http://h.example"), CreateTime: 1, UpdateTime: 2}, &NewsBody{}},
	"get_material_video": {&VideoBody{"题", "述", "/video/A/ID.mp4?expires=1&vkey=2"}, &VideoBody{}},
	"batchget_image":     {&Page{[]Item{{MediaID: "A", Name: "图.png", UpdateTime: 5, URL: "/mmbiz_png/K/0?wx_fmt=png", Type: Image}}, 50, 1}, &Page{}},
	"batchget_voice":     {&Page{[]Item{{MediaID: "A", Name: "a/b.mp3", UpdateTime: 5, URL: "/mmbiz_voice/K/0?wx_fmt=mp3", Type: Voice}}, 50, 1}, &Page{}},
	"batchget_video":     {&Page{[]Item{{MediaID: "A", Name: "片", UpdateTime: 5, URL: "/mmbiz_video/K/0?wx_fmt=mp4", Type: Video}}, 50, 1}, &Page{}},
	"batchget_news":      {&Page{[]Item{{MediaID: "A", Content: &NewsBody{Stored: EncodeArticles(articles[1:], ""), CreateTime: 1, UpdateTime: 2}, UpdateTime: 2}}, 1, 1}, &Page{}},
	"batchget_empty":     {&Page{nil, 3, 0}, &Page{}},
}

func TestAnswers(t *testing.T) {
	for name, a := range answers {
		wire := Wire{Base: "https://new.example", RID: "60dee549-5a2d6284-2af53adb"}
		got := a.answer.AppendJSON(nil, wire)
		wantGolden(t, name+".json", got)
		wire.Live = true
		wantGolden(t, name+".live.json", a.answer.AppendJSON([]byte("/"), wire)[1:])
		if a.into == nil {
			continue
		}
		if err := json.Unmarshal(got, a.into); err != nil {
			t.Errorf("%s: the client cannot read it: %v", name, err)
		}
	}
	n := answers["get_material_news"].into.(*NewsBody)
	moved := append([]Article{}, articles...)
	moved[0].Content = "<p>一\n\t\\/\u0001\u2028😀</p><img data-src=\"https://new.example/mmbiz_png/K/0\"> http://h.example/other https://new.example/s?__biz=x"
	moved[0].URL = "https://new.example/s?__biz=B==&mid=1&idx=1&sn=S"
	moved[0].ThumbURL = "https://new.example/mmbiz_jpg/K/0?wx_fmt=jpeg"
	if diff := cmp.Diff(moved, n.NewsItem); diff != "" {
		t.Errorf("articles read (-want +got):\n%s", diff)
	}
	if p := answers["batchget_news"].into.(*Page); p.Item[0].Content.NewsItem[0].Title != "二" || p.TotalCount != 1 {
		t.Errorf("page read: %+v", p)
	}
}

// wantGolden compares an answer with its golden file.
func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	golden := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
	if !json.Valid(got) {
		t.Errorf("%s is no JSON: %s", name, got)
	}
}

// Some clients take a download for a file when its error is longer.
func TestErrorsAreShort(t *testing.T) {
	w := Wire{Live: true, RID: "60dee549-5a2d6284-2af53adb"}
	for _, e := range []*Error{ErrSystem, ErrInvalidCredential, ErrInvalidMediaID, ErrTokenExpired, ErrQuota, ErrUserLimited, ErrUnauthorized,
		ErrIPNotAllowed.With("invalid ip ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ipv6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff, not in whitelist")} {
		if body := e.AppendJSON(nil, w); len(body) > 215 {
			t.Errorf("%d bytes: %s", len(body), body)
		}
	}
	if body := ErrInvalidCredential.AppendJSON(nil, w); len(body) != 215 {
		t.Errorf("40001 has %d bytes, the real one 215", len(body))
	}
}

func TestArticlesComeBack(t *testing.T) {
	stored := EncodeArticles(articles, "http://h.example")
	for _, base := range []string{"http://h.example", "https://x:8443"} {
		list, err := stored.Decode(base)
		if err != nil {
			t.Fatal(err)
		}
		if again := EncodeArticles(list, base); string(again) != string(stored) {
			t.Errorf("on %s:\n got %q\nwant %q", base, again, stored)
		}
	}
}

func FuzzArticles(f *testing.F) {
	f.Add("<p>x</p>", "http://h/mmbiz_png/K/0")
	f.Add("\x00\x01\x1f\x7f\u2028\\\"", "")
	f.Add("http://h/s?__biz=1http://h/mmbiz", "http://h")
	f.Fuzz(func(t *testing.T, content, url string) {
		in := []Article{{Title: url, Content: content, URL: url}}
		stored := EncodeArticles(in, "http://h")
		if !json.Valid(stored.appendTo(nil, Wire{Base: "http://h"})) {
			t.Fatalf("no JSON: %q", stored)
		}
		list, err := stored.Decode("http://h")
		if err != nil {
			t.Fatal(err)
		}
		if want := toValid(content); list[0].Content != want || list[0].URL != toValid(url) {
			t.Fatalf("%q came back as %q", want, list[0].Content)
		}
	})
}
