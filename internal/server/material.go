package server

import (
	"sucai/internal/library"
	"sucai/wechat"
)

// getMaterial is POST /cgi-bin/material/get_material: articles of a news, title and
// address of a video, the bytes of anything else.
func getMaterial(rq *request, id string) (any, error) {
	m, err := large(rq, func(most int64) (*library.Material, error) {
		return rq.library.Get(rq.Context(), id, most)
	}, func(m *library.Material) int64 {
		if m.Type == wechat.News && m.Articles == nil {
			return m.Size
		}
		return 0
	})
	if err != nil {
		return nil, err
	}
	switch m.Type {
	case wechat.News:
		return newsAnswer(m), nil
	case wechat.Video:
		return &wechat.VideoBody{Title: m.Name, Description: m.Introduction, DownURL: rq.library.VideoAddress(m)}, nil
	}
	return rq.file(m)
}

func newsAnswer(m *library.Material) *wechat.NewsBody {
	return &wechat.NewsBody{Stored: m.Articles, CreateTime: m.Created, UpdateTime: m.Updated}
}

// file opens the bytes of a material.
func (rq *request) file(m *library.Material) (*wechat.File, error) {
	r, err := rq.server.libraries.Open(rq.Context(), m, 0, m.Size)
	if err != nil {
		return nil, err
	}
	return &wechat.File{Name: m.MediaID + "." + m.Format.Ext(), ContentType: m.Format.MediaType(), Size: m.Size, Body: r}, nil
}

// batchGetMaterial is POST /cgi-bin/material/batchget_material. The type is looked at
// first, whatever else is wrong.
func batchGetMaterial(rq *request, args wechat.Object) (any, error) {
	t, err := args.Text("type")
	if err != nil {
		return nil, err
	}
	if !wechat.Type(t).IsListed() {
		return nil, wechat.ErrInvalidMediaType
	}
	offset, ok, err := args.Int("offset")
	if err != nil {
		return nil, err
	}
	count, ok2, err := args.Int("count")
	if err != nil {
		return nil, err
	}
	if !ok || !ok2 {
		return nil, wechat.ErrInvalidArgs
	}
	p, err := large(rq, func(most int64) (*library.Page, error) {
		return rq.library.Page(rq.Context(), wechat.Type(t), offset, count, most)
	}, func(p *library.Page) (size int64) {
		for _, m := range p.Items {
			if m.Type == wechat.News && m.Articles == nil {
				size += m.Size
			}
		}
		return size
	})
	if err != nil {
		return nil, err
	}
	page := &wechat.Page{Item: make([]wechat.Item, len(p.Items)), TotalCount: p.Total, ItemCount: int64(len(p.Items))}
	for i, m := range p.Items {
		it := wechat.Item{MediaID: m.MediaID, UpdateTime: m.Updated}
		if m.Type == wechat.News {
			it.Content = newsAnswer(m)
		} else {
			it.Name, it.URL = m.Name, m.Address()
		}
		page.Item[i] = it
	}
	return page, nil
}

// getMaterialCount is GET /cgi-bin/material/get_materialcount; some clients POST.
func getMaterialCount(rq *request) (any, error) {
	return rq.library.Counts(rq.Context())
}

// delMaterial is POST /cgi-bin/material/del_material.
func delMaterial(rq *request, id string) (any, error) {
	return wechat.OK, rq.library.Delete(rq.Context(), id)
}

// addNews is POST /cgi-bin/material/add_news.
func addNews(rq *request, args wechat.Object) (any, error) {
	list, err := args.List("articles")
	if err != nil {
		return nil, err
	}
	if len(list) > library.MaxArticles {
		return nil, wechat.ErrArticleCount
	}
	articles := make([]wechat.Article, len(list))
	for i, raw := range list {
		if articles[i], err = wechat.ParseArticle(raw); err != nil {
			return nil, err
		}
	}
	m, err := rq.library.AddNews(rq.Context(), articles, rq.base())
	if err != nil {
		return nil, err
	}
	return &wechat.Added{MediaID: m.MediaID}, nil
}

// updateNews is POST /cgi-bin/material/update_news; `articles` is one object there.
func updateNews(rq *request, args wechat.Object) (any, error) {
	id, err := args.ID("media_id")
	if err != nil {
		return nil, err
	}
	index, _, err := args.Int("index")
	if err != nil {
		return nil, err
	}
	if len(args["articles"]) == 0 {
		return nil, wechat.ErrEmptyNews
	}
	a, err := wechat.ParseArticle(args["articles"])
	if err != nil {
		return nil, err
	}
	return wechat.OK, rq.library.UpdateNews(rq.Context(), id, index, a, rq.base())
}
