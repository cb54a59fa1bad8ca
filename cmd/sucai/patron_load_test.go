package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"sucai/wechat"
)

// record does something in the account whose history is recorded. It keeps the library
// small, so that one page shows all of it.
func (p *patron) record() {
	mediaID, name, alive := p.h.pick(p.random)
	choice := p.random.IntN(100)
	switch {
	case mediaID == "", alive < 12 && choice < 25, choice < 5:
		p.put()
	case choice < 60:
		p.get(mediaID, name)
	case choice < 80:
		p.page()
	default:
		p.delete(mediaID, name)
	}
}

func (p *patron) put() {
	name, data := p.file()
	p.h.will(name, data)
	began := p.h.now()
	var added *wechat.Added
	o := p.call("put", bodyLimit, func(ctx context.Context) (err error) {
		added, err = p.c.AddMaterial(ctx, wechat.Upload{Type: wechat.Image, Name: name, Body: bytes.NewReader(data)})
		return err
	})
	if o != answered {
		if o == refused {
			p.t.Errorf("an upload gave 40007")
		}
		p.h.note(p.n, name, put, began, unknown)
		return
	}
	p.h.note(p.n, name, put, began, done)
	if !p.h.learn(added.MediaID, name) {
		p.t.Errorf("the upload %s has a second row", name)
	}
}

func (p *patron) get(mediaID, name string) {
	began := p.h.now()
	o := p.call("get a file", bodyLimit, func(ctx context.Context) error {
		sum, _, err := p.read(ctx, mediaID)
		if err == nil && !p.h.is(name, sum) {
			err = errOther
		}
		return err
	})
	switch o {
	case answered:
		p.h.note(p.n, name, see, began, done)
	case refused:
		p.h.note(p.n, name, see, began, absent)
	}
}

func (p *patron) delete(mediaID, name string) {
	p.h.condemn(mediaID)
	began := p.h.now()
	o := p.call("delete", callLimit, func(ctx context.Context) error { return p.c.DelMaterial(ctx, mediaID) })
	switch o {
	case answered:
		p.h.note(p.n, name, del, began, done)
	case refused:
		p.h.note(p.n, name, del, began, absent)
	default:
		p.h.note(p.n, name, del, began, unknown)
	}
}

// page reads the first page, and so learns of rows of which nobody was told.
func (p *patron) page() {
	began := p.h.now()
	var page *wechat.Page
	o := p.call("list", callLimit, func(ctx context.Context) (err error) {
		page, err = p.c.BatchGetMaterial(ctx, wechat.Image, 0, 20)
		return err
	})
	if o == answered {
		p.listed(began, page.Item, page.TotalCount, 20)
	}
}

// listed notes the first items of a list of so many, at most so many on a page.
func (p *patron) listed(began int64, items []wechat.Item, total, most int64) {
	if int64(len(items)) != min(total, most) {
		p.t.Errorf("%d items on the first page of %d", len(items), total)
	}
	var names []string
	for _, it := range items {
		if slices.Contains(names, it.Name) || !p.h.learn(it.MediaID, it.Name) {
			p.t.Errorf("%s has two rows", it.Name)
		}
		names = append(names, it.Name)
	}
	p.h.listed(p.n, began, names, total <= most)
}

// draft is a news of one patron, who alone changes it. Its author is the number of the
// last change.
type draft struct {
	mediaID, cover string
	told, tried    int // the last change that was acknowledged, and the last that was tried
}

func (d *draft) article(version int) wechat.Article {
	return wechat.Article{Title: "t", Content: d.cover, ThumbMediaID: d.cover, Author: fmt.Sprint(version)}
}

// may tells whether the news can be so: as it was last acknowledged, or as one of the
// changes since would have it.
func (d *draft) may(articles []wechat.Article) bool {
	for v := d.told; v <= d.tried && len(articles) == 1; v++ {
		got, want := articles[0], d.article(v)
		if got.Title == want.Title && got.Content == want.Content && got.ThumbMediaID == want.ThumbMediaID && got.Author == want.Author {
			return true
		}
	}
	return false
}

// mix does all sorts of things in the other account, and keeps the ledger.
func (p *patron) mix() {
	switch choice := p.random.IntN(100); {
	case len(p.covers) == 0, choice < 20:
		p.add()
	case choice < 45:
		p.readOne(p.covers[p.random.IntN(len(p.covers))])
	case choice < 55 && len(p.mine) > 0:
		p.deleteMine()
	case choice < 65 || len(p.news) == 0:
		p.addNews(p.covers[p.random.IntN(len(p.covers))])
	case choice < 80:
		p.changeNews(p.news[p.random.IntN(len(p.news))])
	case choice < 90:
		p.readNews(p.news[p.random.IntN(len(p.news))])
	case choice < 95:
		p.call("list", callLimit, func(ctx context.Context) error {
			_, err := p.c.BatchGetMaterial(ctx, wechat.Image, int64(p.random.IntN(40)), 20)
			return err
		})
	default:
		p.call("counts", callLimit, func(ctx context.Context) error { _, err := p.c.GetMaterialCount(ctx); return err })
	}
}

func (p *patron) add() {
	name, data := p.file()
	sum := sha256.Sum256(data)
	p.l.write(func() { p.l.sent[sum] = true })
	p.call("put", bodyLimit, func(ctx context.Context) error {
		added, err := p.c.AddMaterial(ctx, wechat.Upload{Type: wechat.Image, Name: name, Body: bytes.NewReader(data)})
		if err != nil {
			return err
		}
		p.l.write(func() { p.l.kept[added.MediaID] = sum })
		if p.random.IntN(3) == 0 || len(p.covers) == 0 {
			p.covers = append(p.covers, added.MediaID)
		} else {
			p.mine = append(p.mine, added.MediaID)
		}
		return nil
	})
}

func (p *patron) readOne(mediaID string) {
	p.call("get a file", bodyLimit, func(ctx context.Context) error {
		sum, _, err := p.read(ctx, mediaID)
		if err == nil {
			p.l.write(func() {
				if p.l.kept[mediaID] != sum {
					err = errOther
				}
			})
		}
		return kept(err)
	})
}

var errLost = errors.New("what is there is not found")

// kept is the error of a call about what must be there.
func kept(err error) error {
	if outcomeOf(err) == refused {
		return errLost
	}
	return err
}

func (p *patron) deleteMine() {
	id := p.mine[0]
	p.mine = p.mine[1:]
	p.l.write(func() { p.l.unsure[id] = true })
	p.call("delete", callLimit, func(ctx context.Context) error {
		err := p.c.DelMaterial(ctx, id)
		if err == nil {
			p.l.write(func() { delete(p.l.unsure, id); delete(p.l.kept, id); p.l.deleted[id] = true })
		}
		return kept(err)
	})
}

func (p *patron) addNews(cover string) {
	d := &draft{cover: cover}
	p.call("add news", callLimit, func(ctx context.Context) (err error) {
		d.mediaID, err = p.c.AddNews(ctx, []wechat.Article{d.article(0)})
		if err == nil {
			p.l.write(func() { p.l.news[d.mediaID] = cover })
			p.news = append(p.news, d)
		}
		return kept(err)
	})
}

func (p *patron) changeNews(d *draft) {
	d.tried++
	p.call("update news", callLimit, func(ctx context.Context) error {
		err := p.c.UpdateNews(ctx, d.mediaID, 0, d.article(d.tried))
		if err == nil {
			d.told = d.tried
		}
		return kept(err)
	})
}

func (p *patron) readNews(d *draft) {
	p.call("get a news", callLimit, func(ctx context.Context) error {
		m, err := p.c.GetMaterial(ctx, d.mediaID)
		if err == nil && (m.News == nil || !d.may(m.News.NewsItem)) {
			err = fmt.Errorf("%w: change %d was acknowledged: %+v", errOther, d.told, m.News)
		}
		return kept(err)
	})
}
