package server

import (
	"sucai/internal/library"
	"sucai/wechat"
)

// getMaterial is POST /cgi-bin/material/get_material: articles of a news, title and
// address of a video, the bytes of anything else.
func getMaterial(rq *request, id string) (any, error) {
	m, err := rq.library.Get(rq.Context(), id, rq.memory.room)
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
	// Item by item: twenty news of eight long articles are not held in memory.
	out := rq.spool()
	encoder := wechat.PageEncoder{Wire: rq.wire()}
	var buf []byte
	total, err := rq.library.Page(rq.Context(), wechat.Type(t), offset, count, rq.memory.room, func(m *library.Material) error {
		it := wechat.Item{MediaID: m.MediaID, UpdateTime: m.Updated, Type: m.Type}
		if m.Type == wechat.News {
			it.Content = newsAnswer(m)
		} else {
			it.Name, it.URL = m.Name, m.Address()
		}
		buf = encoder.AppendItem(buf[:0], &it)
		_, err := out.Write(buf)
		return err
	})
	if err != nil {
		return nil, err
	}
	_, err = out.Write(encoder.AppendEnd(buf[:0], total))
	return out, err
}

// getMaterialCount is GET /cgi-bin/material/get_materialcount; some clients POST.
func getMaterialCount(rq *request) (any, error) {
	return rq.library.Counts(rq.Context())
}

// delMaterial is POST /cgi-bin/material/del_material.
func delMaterial(rq *request, id string) (any, error) {
	return wechat.OK, rq.library.Delete(rq.Context(), id)
}

// unlessRetired makes an endpoint of one that the live service took away in 2022.
func unlessRetired(fn endpoint) endpoint {
	return func(rq *request) (any, error) {
		if rq.caller.Account.Settings.RetiredNews {
			return nil, wechat.ErrRetired
		}
		return fn(rq)
	}
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
	if !args.Has("articles") {
		return nil, wechat.ErrEmptyNews
	}
	a, err := wechat.ParseArticle(args["articles"])
	if err != nil {
		return nil, err
	}
	return wechat.OK, rq.library.UpdateNews(rq.Context(), id, index, a, rq.base(), rq.memory.room)
}
