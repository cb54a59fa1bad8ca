package server

import (
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"sucai/wechat"
)

// article gives the JSON of an article; more replaces members.
func (f *fixture) article(cover string, more ...string) string {
	a := map[string]any{
		"title": "标题", "thumb_media_id": cover, "author": "作者", "digest": "摘要", "show_cover_pic": 1,
		"content": "<p>正文</p>", "content_source_url": "https://example.com/?a=1&b=2",
	}
	for i := 0; i < len(more); i += 2 {
		a[more[i]] = json.RawMessage(more[i+1])
	}
	data, err := json.Marshal(a)
	must(f.t, err)
	return string(data)
}

func (f *fixture) addNews(articles ...string) string {
	f.t.Helper()
	return f.member(f.call("material/add_news", `{"articles":[`+strings.Join(articles, ",")+`]}`), "media_id").(string)
}

func (f *fixture) getNews(id string) *wechat.NewsBody {
	f.t.Helper()
	n := &wechat.NewsBody{}
	body := f.call("material/get_material", `{"media_id":"`+id+`"}`)
	if err := json.Unmarshal([]byte(body), n); err != nil || len(n.NewsItem) == 0 {
		f.t.Fatalf("no news: %s", body)
	}
	return n
}

func quote(s string) string {
	data, _ := json.Marshal(s)
	return string(data)
}

func TestNews(t *testing.T) {
	f := newFixture(t)
	cover := f.add("image", "cover.png", pngBytes(2, 2))
	id := f.addNews(f.article(cover))
	f.now = f.now.Add(60e9)
	second := f.addNews(f.article(cover), f.article(cover, "need_open_comment", `"1"`, "only_fans_can_comment", `""`, "show_cover_pic", `"0"`))

	article := func(digest string, idx, show, comment int) string {
		return fmt.Sprintf(`\{"title":"标题","author":"作者","digest":"%s","content":"<p>正文</p>","content_source_url":"https://example.com/\?a=1&b=2",`+
			`"thumb_media_id":"%s","show_cover_pic":%d,"url":"%s/s\?__biz=[A-Za-z0-9+/=]+&mid=\d{15}&idx=%d&sn=[0-9a-f]{32}",`+
			`"thumb_url":"%s/mmbiz_png/[A-Za-z0-9_-]{86}/0\?wx_fmt=png","need_open_comment":%d,"only_fans_can_comment":0\}`,
			digest, cover, show, f.base, idx, f.base, comment)
	}
	one := `"news_item":\[` + article("摘要", 1, 1, 0) + `\],"create_time":1700000000,"update_time":1700000000`
	two := `"news_item":\[` + article("", 1, 1, 0) + "," + article("", 2, 0, 1) + `\],"create_time":1700000060,"update_time":1700000060`
	for _, c := range []struct{ what, got, want string }{
		{"one article", f.call("material/get_material", `{"media_id":"`+id+`"}`), `\{` + one + `\}`},
		{"two articles", f.call("material/get_material", `{"media_id":"`+second+`"}`), `\{` + two + `\}`},
		{"list", f.call("material/batchget_material", `{"type":"news","offset":0,"count":20}`),
			`\{"item":\[\{"media_id":"` + second + `","content":\{` + two + `\},"update_time":1700000060\},` +
				`\{"media_id":"` + id + `","content":\{` + one + `\},"update_time":1700000000\}\],"total_count":2,"item_count":2\}`},
	} {
		if !regexp.MustCompile("^" + c.want + "$").MatchString(c.got) {
			t.Errorf("%s:\n got %s\nwant %s", c.what, c.got, c.want)
		}
	}
}

func TestUpdateNews(t *testing.T) {
	f := newFixture(t)
	cover := f.add("image", "cover.png", pngBytes(2, 2))
	id := f.addNews(f.article(cover), f.article(cover))
	before := f.getNews(id)
	newer := f.addNews(f.article(cover))
	f.now = f.now.Add(60e9)
	update := func(id, index, article string) string {
		return f.call("material/update_news", `{"media_id":"`+id+`","index":`+index+`,"articles":`+article+`}`)
	}
	wantBody(t, "update", update(id, "1", f.article(cover, "title", `"新"`)), `{"errcode":0,"errmsg":"ok"}`)
	wantBody(t, "index as a string", update(newer, `"0"`, f.article(cover, "digest", `""`)), `{"errcode":0,"errmsg":"ok"}`)
	after := f.getNews(id)
	if after.NewsItem[0] != before.NewsItem[0] || after.NewsItem[1].Title != "新" || after.NewsItem[1].Digest != "" ||
		after.NewsItem[1].URL != before.NewsItem[1].URL || after.CreateTime != before.CreateTime || after.UpdateTime != before.UpdateTime+60 {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	if got := f.getNews(newer).NewsItem[0].Digest; got != "正文" {
		t.Errorf("digest %q", got)
	}
	page := f.call("material/batchget_material", `{"type":"news","offset":0,"count":20}`)
	if strings.Index(page, newer) > strings.Index(page, id) {
		t.Error("an update moved the list")
	}
	for _, c := range []struct {
		id, index, article string
		code               int
	}{
		{id, "2", f.article(cover), 40097}, {id, "-1", f.article(cover), 40097}, {id, `"x"`, f.article(cover), 47001},
		{"none", "0", f.article(cover), 40007}, {cover, "0", f.article(cover), 40007}, {"", "0", f.article(cover), 40007},
		{id, "0", "[" + f.article(cover) + "]", 47001}, {id, "0", f.article("none"), 40007},
	} {
		wantCode(t, fmt.Sprint(c), update(c.id, c.index, c.article), c.code)
	}
	wantCode(t, "no articles", f.call("material/update_news", `{"media_id":"`+id+`","index":0}`), 44003)
}

func TestArticleRules(t *testing.T) {
	f := newFixture(t)
	cover := f.add("image", "cover.png", pngBytes(2, 2))
	thumb := f.add("thumb", "t.jpg", jpegBytes(2, 2))
	voice := f.add("voice", "v.mp3", mp3Bytes())
	temporary := f.member(f.upload("media/upload?type=image", filePart("media", "a.png", pngBytes(1, 1))), "media_id").(string)
	long := func(n int) string { return quote(strings.Repeat("字", n)) }
	for _, c := range []struct {
		what, member, value string
		code                int
	}{
		{"title of 64", "title", long(64), 0}, {"title of 65", "title", long(65), 45003}, {"no title", "title", `""`, 45003},
		{"title of another kind", "title", "1", 47001},
		{"author of 16", "author", long(16), 0}, {"author of 17", "author", long(17), 45110},
		{"digest of 120", "digest", long(120), 0}, {"digest of 121", "digest", long(121), 45004},
		{"source of 1 KB", "content_source_url", quote(strings.Repeat("x", 1024)), 0},
		{"source beyond", "content_source_url", quote(strings.Repeat("x", 1025)), 45005},
		{"no content", "content", `""`, 44004},
		{"19,999 characters", "content", long(19999), 0},
		{"20,000 characters", "content", long(20000), 45002},
		{"19,999 among markup", "content", quote(strings.Repeat("<p class='x'>&lt;</p>", 19999)), 0},
		{"20,000 among markup", "content", quote(strings.Repeat("<p class='x'>&lt;</p>", 20000)), 45002},
		{"under 1 MB", "content", quote("<p class='" + strings.Repeat("x", 1<<20-1-14) + "'>a"), 0},
		{"1 MB", "content", quote("<p class='" + strings.Repeat("x", 1<<20-13) + "'>a"), 45002},
		{"a thumb as cover", "thumb_media_id", quote(thumb), 0},
		{"a voice as cover", "thumb_media_id", quote(voice), 40007},
		{"a temporary cover", "thumb_media_id", quote(temporary), 40007},
		{"no cover", "thumb_media_id", `""`, 40007},
		{"show 2", "show_cover_pic", "2", 40097}, {"show true", "show_cover_pic", "true", 47001}, {"show empty", "show_cover_pic", `""`, 0},
		{"comment x", "need_open_comment", `"x"`, 47001},
	} {
		got := f.call("material/add_news", `{"articles":[`+f.article(cover, c.member, c.value)+`]}`)
		if c.code == 0 {
			if !strings.HasPrefix(got, `{"media_id":"`) {
				t.Errorf("%s: %s", c.what, got)
			}
		} else {
			wantCode(t, c.what, got, c.code)
		}
	}
	for body, code := range map[string]int{
		`{}`: 44003, `{"articles":[]}`: 44003, `{"articles":{}}`: 47001, `{"articles":[1]}`: 47001, `{"articles":"x"}`: 47001, `x`: 44003,
		`{"articles":[` + strings.Repeat(f.article(cover)+",", 8) + f.article(cover) + `]}`: 45008,
	} {
		wantCode(t, body, f.call("material/add_news", body), code)
	}
	f.addNews(strings.Split(strings.Repeat(f.article(cover)+"\x00", 8), "\x00")[:8]...)
}

func TestDigest(t *testing.T) {
	f := newFixture(t)
	cover := f.add("image", "cover.png", pngBytes(2, 2))
	text := strings.Repeat("一二三四五六七八九十", 6)
	id := f.addNews(f.article(cover, "digest", `""`, "content", quote("<h1>"+text[:30]+"</h1><script>x</script>"+text[30:])))
	if got, want := f.getNews(id).NewsItem[0].Digest, string([]rune(text)[:54]); got != want {
		t.Errorf("digest %q, want %q", got, want)
	}
	if got := f.getNews(f.addNews(f.article(cover))).NewsItem[0].Digest; got != "摘要" {
		t.Errorf("given digest %q", got)
	}
}

// What an article holds comes back to the byte, but for its JavaScript.
func TestContentComesBack(t *testing.T) {
	f := newFixture(t)
	cover := f.add("image", "cover.png", pngBytes(2, 2))
	inline := f.member(f.upload("media/uploadimg", filePart("media", "i.png", pngBytes(1, 1))), "url").(string)
	content := `<p  style='a'>“引号” \ / & &nbsp; <b>` + "\n\t\u2028\u0001\x7f😀" + `</b><img data-src="` + inline + `"/>` +
		`<iframe class="video_iframe" data-src="https://v.qq.com/x"></iframe><br  />`
	id := f.addNews(f.article(cover, "content", quote(content+"<script>alert(1)</script><a onclick=x>y</a>")))
	if got := f.getNews(id).NewsItem[0].Content; got != content+"<a>y</a>" {
		t.Errorf("content %q\nwant    %q", got, content)
	}
	raw := f.call("material/get_material", `{"media_id":"`+id+`"}`)
	if strings.Contains(raw, `\u003c`) || strings.Contains(raw, `\/`) || !strings.Contains(raw, "“引号”") || strings.HasSuffix(raw, "\n") {
		t.Errorf("escaped otherwise than the platform does: %s", raw)
	}

	// Our own addresses stand on the host by which the reader reaches us.
	moved := strings.ReplaceAll(f.base, "127.0.0.1", "localhost")
	old := f.base
	f.base = moved
	n := f.getNews(id)
	if !strings.Contains(n.NewsItem[0].Content, strings.Replace(inline, old, moved, 1)) || !strings.HasPrefix(n.NewsItem[0].URL, moved) ||
		!strings.HasPrefix(n.NewsItem[0].ThumbURL, moved) {
		t.Errorf("read as %s: %+v", moved, n.NewsItem[0])
	}
}

func TestCoverDeleted(t *testing.T) {
	f := newFixture(t)
	cover := f.add("image", "cover.png", pngBytes(2, 2))
	id := f.addNews(f.article(cover))
	before := f.getNews(id)
	f.call("material/del_material", `{"media_id":"`+cover+`"}`)
	after := f.getNews(id)
	if before.NewsItem[0] != after.NewsItem[0] {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	if res, _ := f.do("GET", strings.TrimPrefix(after.NewsItem[0].ThumbURL, f.base), "", nil); res.StatusCode != 404 {
		t.Errorf("thumb_url of a deleted cover: %s", res.Status)
	}
}

func TestArticlePage(t *testing.T) {
	f := newFixture(t)
	cover := f.add("image", "cover.png", pngBytes(2, 2))
	id := f.addNews(f.article(cover, "title", quote("<b>标题</b>"), "content", quote(`<p>正文</div><img data-src="https://example.com/a.png"><!--`)),
		f.article(cover, "title", `"第二篇"`, "content_source_url", `"javascript:alert(1)"`))
	n := f.getNews(id)
	path := func(i int) string { return strings.TrimPrefix(n.NewsItem[i].URL, f.base) }
	res, data := f.do("GET", path(0), "", nil)
	page := string(data)
	policy := res.Header.Get("Content-Security-Policy")
	if res.StatusCode != 200 || !strings.Contains(policy, "sandbox") || strings.Contains(policy, "allow-scripts") || strings.Contains(policy, "allow-same-origin") {
		t.Errorf("%s, policy %q", res.Status, policy)
	}
	for _, want := range []string{html.EscapeString("<b>标题</b>"), `<img src="https://example.com/a.png"/>`, "阅读原文", "2023-11-15"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	if _, data := f.do("GET", path(1), "", nil); !strings.Contains(string(data), "第二篇") || strings.Contains(string(data), "javascript:alert") {
		t.Errorf("second article: %s", data)
	}
	for _, bad := range []string{
		strings.Replace(path(0), "idx=1", "idx=2", 1), strings.Replace(path(0), "sn=", "sn=0", 1), "/s", "/s?__biz=x&mid=1&idx=1&sn=2",
		strings.Replace(path(0), "mid=", "mid=1", 1),
	} {
		if res, _ := f.do("GET", bad, "", nil); res.StatusCode != 404 {
			t.Errorf("%s: %s", bad, res.Status)
		}
	}
	f.call("material/del_material", `{"media_id":"`+id+`"}`)
	if res, _ := f.do("GET", path(0), "", nil); res.StatusCode != 404 {
		t.Errorf("page of a deleted news: %s", res.Status)
	}
}
