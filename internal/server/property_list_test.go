package server

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"sucai/wechat"
)

// badID is an id that stands for no permanent material, or for one that is no news and
// no picture.
func (p *player) badID() string {
	ids := []string{"none", "", "a\x00b", strings.Repeat("x", 600)}
	for _, m := range slices.Concat(p.own.dead, p.own.temporary) {
		ids = append(ids, m.id)
	}
	return pick(p, ids)
}

// byID calls with a media_id as clients send it: in the body, or in the query.
func (p *player) byID(endpoint, id string) (*http.Response, string) {
	if p.roll(4) == 0 && id != "" {
		return p.call("POST", endpoint+"?media_id="+url.QueryEscape(id), "", nil)
	}
	return p.call("POST", endpoint, "application/json", []byte(`{"media_id":`+quoted(id)+`}`))
}

func (p *player) getMaterial() {
	if list := p.own.all(); len(list) > 0 && p.roll(5) > 0 {
		p.get(pick(p, list))
		return
	}
	_, got := p.byID("material/get_material", p.badID())
	p.wantError("get_material", got, wechat.ErrInvalidMediaID)
}

func (p *player) get(m *modelMaterial) {
	p.Helper()
	res, got := p.byID("material/get_material", m.id)
	switch m.typ {
	case wechat.News:
		p.learnArticles(m, got)
		p.want("get_material of a news", got, m.news(p.base()))
	case wechat.Video:
		form := regexp.QuoteMeta(fmt.Sprintf(`{"title":%s,"description":%s,"down_url":"%s`, quoted(m.name), quoted(m.intro), p.base())) + `([^"]*)"\}`
		p.wantFilm(m, p.match("get_material of a video", got, form)[0])
	default:
		p.wantFile(m, res, got)
	}
}

func (p *player) delMaterial() {
	list := p.own.all()
	if len(list) == 0 || p.roll(5) == 0 {
		_, got := p.byID("material/del_material", p.badID())
		p.wantError("del_material", got, wechat.ErrInvalidMediaID)
		return
	}
	m := pick(p, list)
	_, got := p.byID("material/del_material", m.id)
	p.want("del_material", got, `{"errcode":0,"errmsg":"ok"}`)
	m.dead = true
	p.own.dead = append(p.own.dead, m)
	p.own.listed[m.typ] = slices.DeleteFunc(p.own.listed[m.typ], func(o *modelMaterial) bool { return o == m })
	_, got = p.byID("material/get_material", m.id)
	p.wantError("get_material of what was deleted", got, wechat.ErrInvalidMediaID)
}

func (p *player) counts() {
	_, got := p.call(pick(p, []string{"GET", "POST"}), "material/get_materialcount", "", nil)
	if !p.alone {
		p.match("counts", got, `\{"voice_count":\d+,"video_count":\d+,"image_count":\d+,"news_count":\d+\}`)
		return
	}
	n := func(t wechat.Type) int { return len(p.own.listed[t]) }
	p.want("get_materialcount", got, fmt.Sprintf(`{"voice_count":%d,"video_count":%d,"image_count":%d,"news_count":%d}`,
		n(wechat.Voice), n(wechat.Video), n(wechat.Image), n(wechat.News)))
}

func (p *player) badList() {
	c := pick(p, []struct {
		body string
		want *wechat.Error
	}{
		{`{"type":"thumb","offset":-1,"count":0}`, wechat.ErrInvalidMediaType},
		{`{"offset":0,"count":1}`, wechat.ErrInvalidMediaType},
		{`{"type":"image","offset":0}`, wechat.ErrInvalidArgs},
		{`{"type":"news","count":1}`, wechat.ErrInvalidArgs},
		{`{"type":"voice","offset":-1,"count":1}`, wechat.ErrInvalidArgs},
		{`{"type":"video","offset":0,"count":0}`, wechat.ErrInvalidArgs},
		{`{"type":"image","offset":0,"count":21}`, wechat.ErrInvalidArgs},
		{`{"type":"image","offset":0.5,"count":1}`, wechat.ErrInvalidArgs},
		{`{"type":"image","offset":"x","count":1}`, wechat.ErrDataFormat},
		{`{"type":5}`, wechat.ErrDataFormat},
		{`[`, wechat.ErrDataFormat},
		{``, wechat.ErrEmptyPost},
	})
	_, got := p.call("POST", "material/batchget_material", "", []byte(c.body))
	p.wantError("batchget_material "+c.body, got, c.want)
}

func (p *player) list() {
	t := pick(p, wechat.Listed)
	offset, count := p.roll(len(p.own.listed[t])+2), pick(p, []int{1, 2, 20})
	if !p.alone {
		p.glance(t)
		return
	}
	p.page(t, offset, count)
}

// page checks one page against all that there is.
func (p *player) page(t wechat.Type, offset, count int) {
	p.Helper()
	all := slices.Clone(p.own.listed[t])
	slices.Reverse(all)
	from := min(offset, len(all))
	got := p.post("material/batchget_material", map[string]any{"type": t, "offset": pick(p, []any{offset, fmt.Sprint(offset)}), "count": count})
	p.learnItems(got)
	var items []string
	for _, m := range all[from:min(from+count, len(all))] {
		items = append(items, m.item(p.base()))
	}
	p.want("batchget_material", got, fmt.Sprintf(`{"item":[%s],"total_count":%d,"item_count":%d}`, strings.Join(items, ","), len(all), len(items)))
}

// audit compares all that an account has with all that it must have.
func (p *player) audit() {
	p.counts()
	for _, t := range wechat.Listed {
		for offset := 0; offset <= len(p.own.listed[t]); offset += 20 {
			p.page(t, offset, 20)
		}
	}
	for _, m := range p.own.all() {
		p.get(m)
	}
}
