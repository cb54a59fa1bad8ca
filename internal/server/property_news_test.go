package server

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"sucai/wechat"
)

// modelContents are texts of articles; {base} is where the client finds the server.
var modelContents = []struct{ sent, kept, text string }{
	{"<p>春眠不觉晓</p>", "<p>春眠不觉晓</p>", "春眠不觉晓"},
	{`<p onclick="x()">a<script>b</script>c</p>`, "<p>ac</p>", "ac"},
	{"<b>" + strings.Repeat("字", 60), "<b>" + strings.Repeat("字", 60), strings.Repeat("字", 54)},
	{"plain \"q\" \\ \t t\n &amp;", "plain \"q\" \\ \t t\n &amp;", `plain "q" \ t &`},
	{`<img data-src="{base}/mmbiz_png/k/0"><a href="{base}/x">x</a>`, `<img data-src="{base}/mmbiz_png/k/0"><a href="http://a.example/x">x</a>`, "x"},
	{`<a href="javascript:x">l</a>`, "<a>l</a>", "l"},
}

// newArticle makes an article as it is sent, and as it must come back.
func (p *player) newArticle(cover *modelMaterial) (map[string]any, modelArticle) {
	content := pick(p, modelContents)
	a := modelArticle{
		title: pick(p, []string{"标题", strings.Repeat("题", 64), `"<&>\`}), author: pick(p, []string{"", "作者", strings.Repeat("a", 16)}),
		digest: pick(p, []string{"", "摘要", strings.Repeat("要", 120)}), source: pick(p, []string{"", "https://example.com/?a=1&b=2"}),
		content: strings.ReplaceAll(content.kept, "http://a.example/x", p.base()+"/x"),
		cover:   cover.id, thumb: cover.address,
	}
	sent := map[string]any{
		"title": a.title, "author": a.author, "digest": a.digest, "content_source_url": a.source, "thumb_media_id": a.cover,
		"content": strings.ReplaceAll(content.sent, "{base}", p.base()), "unknown": []int{1},
	}
	if a.digest == "" {
		a.digest = content.text
	}
	for i, name := range []string{"show_cover_pic", "need_open_comment", "only_fans_can_comment"} {
		a.flags[i] = p.roll(2)
		sent[name] = pick(p, []any{a.flags[i], fmt.Sprint(a.flags[i])})
		if a.flags[i] == 0 && p.roll(2) == 0 {
			sent[name] = ""
		}
	}
	return sent, a
}

// badArticles are what must not be in an article.
var badArticles = []struct {
	member string
	value  any
	want   *wechat.Error
}{
	{"title", "", wechat.ErrTitleSize},
	{"title", strings.Repeat("题", 65), wechat.ErrTitleSize},
	{"title", 5, wechat.ErrDataFormat},
	{"author", strings.Repeat("作", 17), wechat.ErrAuthorSize},
	{"digest", strings.Repeat("摘", 121), wechat.ErrDigestSize},
	{"content", "", wechat.ErrEmptyContent},
	{"content", "<script>x</script>", wechat.ErrEmptyContent},
	{"content", strings.Repeat("字", 20_000), wechat.ErrContentSize},
	{"content_source_url", strings.Repeat("u", 1025), wechat.ErrURLSize},
	{"thumb_media_id", "none", wechat.ErrInvalidMediaID},
	{"show_cover_pic", 2, wechat.ErrInvalidArgs},
	{"need_open_comment", "x", wechat.ErrDataFormat},
	{"", nil, wechat.ErrInvalidMediaID}, // a cover that is none
}

func (p *player) spoil(sent map[string]any) *wechat.Error {
	bad := pick(p, badArticles)
	if bad.member == "" {
		sent["thumb_media_id"] = p.badID()
	} else {
		sent[bad.member] = bad.value
	}
	return bad.want
}

func (p *player) cover() *modelMaterial {
	if list := p.own.listed[wechat.Image]; len(list) > 0 {
		return pick(p, list)
	}
	return p.add(modelFiles[8])
}

func (p *player) addNews() {
	n := pick(p, []int{1, 2, 8})
	articles := make([]map[string]any, n)
	cover := p.cover()
	m := &modelMaterial{typ: wechat.News, created: p.now(), updated: p.now(), articles: make([]modelArticle, n)}
	for i := range articles {
		articles[i], m.articles[i] = p.newArticle(cover)
		if n > 1 {
			m.articles[i].digest = ""
		}
	}
	m.began = p.requests.Add(1)
	m.id = p.match("add_news", p.post("material/add_news", map[string]any{"articles": articles}), `\{"media_id":"([A-Za-z0-9_-]{64})"\}`)[0]
	p.keep(m)
	p.get(m)
}

func (p *player) badNews() {
	n := pick(p, []int{1, 2, 0, 9})
	articles := make([]map[string]any, n)
	var want *wechat.Error
	for i := range articles {
		articles[i], _ = p.newArticle(p.cover())
	}
	switch n {
	case 0:
		want = wechat.ErrEmptyNews
	case 9:
		want = wechat.ErrArticleCount
	default:
		want = p.spoil(pick(p, articles))
	}
	p.wantError("add_news", p.post("material/add_news", map[string]any{"articles": articles}), want)
}

func (p *player) updateNews() {
	list := p.own.listed[wechat.News]
	if len(list) == 0 {
		p.Skip("no news")
	}
	m := pick(p, list)
	i := p.roll(len(m.articles))
	index, want := any(i), (*wechat.Error)(nil)
	id := m.id
	sent, a := p.newArticle(p.cover())
	switch p.roll(8) {
	case 0:
		id, want = p.badID(), wechat.ErrInvalidMediaID
	case 1:
		index, want = pick(p, []int{len(m.articles), -1}), wechat.ErrInvalidArgs
	case 2:
		want = p.spoil(sent)
	case 3:
		index = fmt.Sprint(i)
	}
	got := p.post("material/update_news", map[string]any{"media_id": id, "index": index, "articles": sent})
	if want != nil {
		p.wantError("update_news", got, want)
		return
	}
	p.want("update_news", got, `{"errcode":0,"errmsg":"ok"}`)
	if len(m.articles) > 1 {
		a.digest = ""
	}
	a.url = m.articles[i].url
	m.articles[i], m.updated = a, p.now()
	p.get(m)
}

// Reading.

// body is the article as it must be answered to who finds the server on base.
func (a *modelArticle) body(base string) string {
	return fmt.Sprintf(`{"title":%s,"author":%s,"digest":%s,"content":%s,"content_source_url":%s,"thumb_media_id":%s,"show_cover_pic":%d,`+
		`"url":%s,"thumb_url":%s,"need_open_comment":%d,"only_fans_can_comment":%d}`,
		quoted(a.title), quoted(a.author), quoted(a.digest), quoted(strings.ReplaceAll(a.content, "{base}", base)), quoted(a.source), quoted(a.cover),
		a.flags[0], quoted(base+a.url), quoted(base+a.thumb), a.flags[1], a.flags[2])
}

func (m *modelMaterial) news(base string) string {
	var articles []string
	for i := range m.articles {
		articles = append(articles, m.articles[i].body(base))
	}
	return fmt.Sprintf(`{"news_item":[%s],"create_time":%d,"update_time":%d}`, strings.Join(articles, ","), m.created, m.updated)
}

// item is the material as it must stand in a list.
func (m *modelMaterial) item(base string) string {
	if m.typ == wechat.News {
		return fmt.Sprintf(`{"media_id":"%s","content":%s,"update_time":%d}`, m.id, m.news(base), m.updated)
	}
	return fmt.Sprintf(`{"media_id":"%s","name":%s,"update_time":%d,"url":"%s"}`, m.id, quoted(m.name), m.updated, base+m.address)
}

var (
	articleURL = regexp.MustCompile(`"url":"http://[a-z.]+(/s\?[^"]*)"`)
	itemURL    = regexp.MustCompile(`"media_id":"([^"]*)","name":"(?:[^"\\]|\\.)*","update_time":\d+,"url":"http://[a-z.]+([^"]*)"`)
)

// learnArticles takes the addresses of pages, which stay, out of the first answer.
func (p *player) learnArticles(m *modelMaterial, got string) {
	found := articleURL.FindAllStringSubmatch(got, -1)
	if len(found) != len(m.articles) {
		p.Fatalf("%d addresses of articles in %s", len(found), got)
	}
	for i := range m.articles {
		if m.articles[i].url == "" {
			m.articles[i].url = found[i][1]
			p.match("address of an article", found[i][1], fmt.Sprintf(`/s\?__biz=[A-Za-z0-9+/]+=*&mid=\d{15}&idx=%d&sn=[0-9a-f]{32}`, i+1))
		}
	}
}

// learnItems takes the addresses of voices and videos out of the first list.
func (p *player) learnItems(got string) {
	for _, found := range itemURL.FindAllStringSubmatch(got, -1) {
		for _, m := range slices.Concat(p.own.listed[wechat.Voice], p.own.listed[wechat.Video]) {
			if m.id == found[1] && m.address == "" {
				m.address = found[2]
				p.wantAddress(m)
			}
		}
	}
}
