package wechat

import "io"

// A material as get_material answers it has one of three shapes, and nothing on the
// wire but the bytes themselves tells them apart: [NewsBody], [VideoBody], or the
// material itself, a [File].

// NewsBody is the answer for a news. A server sends Stored; a client reads NewsItem.
type NewsBody struct {
	NewsItem   []Article `json:"news_item"`
	CreateTime int64     `json:"create_time"` // Unix seconds
	UpdateTime int64     `json:"update_time"` // Unix seconds
	Stored     Articles  `json:"-"`
}

// AppendJSON implements [Answer]. The times stand behind the articles, as in real answers.
func (n *NewsBody) AppendJSON(dst []byte, w Wire) []byte {
	return w.finish(n.appendTo(dst, w), len(dst))
}

func (n *NewsBody) appendTo(dst []byte, w Wire) []byte {
	dst = n.Stored.appendTo(append(dst, `{"news_item":`...), w)
	dst = appendNumber(dst, `,"create_time":`, n.CreateTime)
	return append(appendNumber(dst, `,"update_time":`, n.UpdateTime), '}')
}

// VideoBody is the answer for a video.
type VideoBody struct {
	Title       string `json:"title"`
	Description string `json:"description"`
	DownURL     string `json:"down_url"` // the film itself, by GET, for some hours
}

// AppendJSON implements [Answer].
func (v *VideoBody) AppendJSON(dst []byte, w Wire) []byte {
	from := len(dst)
	dst = appendMember(dst, `{"title":`, v.Title)
	dst = appendMember(dst, `,"description":`, v.Description)
	dst = appendMember(dst, `,"down_url":`, w.Base+v.DownURL)
	return append(w.finish(dst, from), '}')
}

// File is a material itself: the answer for an image, a voice and a thumb.
type File struct {
	Name        string // <media_id>.<suffix>, as in Content-disposition
	ContentType string // the true media type
	Size        int64  // bytes; -1 where the sender did not say
	Body        io.ReadCloser
}

// Page is the answer of batchget_material. Items are the newest created first.
type Page struct {
	Item       []Item `json:"item"`
	TotalCount int64  `json:"total_count"` // materials of the type in the whole library
	ItemCount  int64  `json:"item_count"`  // materials in this answer
}

// Item is one material of a [Page].
type Item struct {
	MediaID    string    `json:"media_id"`
	Content    *NewsBody `json:"content"` // of a news; nil otherwise
	Name       string    `json:"name"`    // of an image, voice or video; a video's is its title
	UpdateTime int64     `json:"update_time"`
	URL        string    `json:"url"` // of an image, voice or video; the live service gives it for images alone
	Type       Type      `json:"-"`   // the live wire differs by it
}

// AppendJSON implements [Answer].
func (p *Page) AppendJSON(dst []byte, w Wire) []byte {
	e := PageEncoder{Wire: w}
	for i := range p.Item {
		dst = e.AppendItem(dst, &p.Item[i])
	}
	return e.AppendEnd(dst, p.TotalCount)
}

// PageEncoder encodes a [Page] item by item: a page of news may be larger than one likes
// to hold in memory.
type PageEncoder struct {
	Wire  Wire
	items int64
}

// AppendItem encodes the next item.
func (e *PageEncoder) AppendItem(dst []byte, it *Item) []byte {
	if e.items == 0 {
		dst = append(dst, `{"item":[`...)
	} else {
		dst = append(dst, ',')
	}
	e.items++
	from := len(dst)
	return e.Wire.finish(it.appendTo(dst, e.Wire), from)
}

// AppendEnd encodes what stands behind the items.
func (e *PageEncoder) AppendEnd(dst []byte, total int64) []byte {
	if e.items == 0 {
		dst = append(dst, `{"item":[`...)
	}
	dst = appendNumber(dst, `],"total_count":`, total)
	return append(appendNumber(dst, `,"item_count":`, e.items), '}')
}

func (it *Item) appendTo(dst []byte, w Wire) []byte {
	dst = appendMember(dst, `{"media_id":`, it.MediaID)
	if it.Content != nil {
		dst = it.Content.appendTo(append(dst, `,"content":`...), w)
		return append(appendNumber(dst, `,"update_time":`, it.UpdateTime), '}')
	}
	dst = appendMember(dst, `,"name":`, it.Name)
	dst = appendNumber(dst, `,"update_time":`, it.UpdateTime)
	if !w.Live || it.Type == Image {
		dst = appendMember(dst, `,"url":`, w.Base+it.URL)
	}
	if w.Live && it.Type == Video {
		dst = append(dst, `,"description":""`...)
	}
	if w.Live {
		dst = append(dst, `,"tags":[]`...)
	}
	return append(dst, '}')
}
