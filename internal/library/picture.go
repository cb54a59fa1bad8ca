package library

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"

	"sucai/internal/media"
	"sucai/wechat"
)

// PictureWidths are the widths, in pixels, to which public pictures are scaled; 0 is
// the original.
var PictureWidths = []int{0, 640, 300, 132, 96, 64}

// Scaled gives an image scaled down to a width. ok is false where the original is to be
// sent instead: it is no wider, animated, or over 16 megapixels.
func (ls *Libraries) Scaled(ctx context.Context, m *Material, width int) (data []byte, mediaType string, ok bool, err error) {
	if m.Type != wechat.Image || width == 0 || m.Width <= width {
		return nil, "", false, nil
	}
	id := pictureID{m.Blob, width}
	if p, ok := ls.scaled.get(id); ok {
		return p.data, p.mediaType, true, nil
	}
	ls.scaling.Lock()
	defer ls.scaling.Unlock()
	if p, ok := ls.scaled.get(id); ok { // made while we waited
		return p.data, p.mediaType, true, nil
	}
	r, err := ls.Open(ctx, m, 0, m.Size)
	if err != nil {
		return nil, "", false, err
	}
	defer r.Close()
	info := media.Info{Format: m.Format, Width: m.Width, Height: m.Height}
	p := picture{}
	p.data, p.mediaType, err = media.Scale(r, info, width)
	if errors.Is(err, media.ErrNotScaled) {
		return nil, "", false, nil
	}
	if err != nil {
		return nil, "", false, fmt.Errorf("blob of %s: %w", m.MediaID, err)
	}
	ls.scaled.put(id, p)
	return p.data, p.mediaType, true, nil
}

// pictureCache keeps the pictures that were asked for last. Blobs never change, so
// neither does what is made of them.
type pictureCache struct {
	mu    sync.Mutex
	bytes int
	used  list.List // of *pictureEntry, the last used first
	byID  map[pictureID]*list.Element
}

const pictureCacheBytes = 8 << 20

type pictureID struct {
	blob  string
	width int
}

type picture struct {
	data      []byte
	mediaType string
}

type pictureEntry struct {
	id pictureID
	picture
}

func (c *pictureCache) get(id pictureID) (picture, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byID[id]
	if !ok {
		return picture{}, false
	}
	c.used.MoveToFront(e)
	return e.Value.(*pictureEntry).picture, true
}

func (c *pictureCache) put(id pictureID, p picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID == nil {
		c.byID = map[pictureID]*list.Element{}
	}
	c.byID[id] = c.used.PushFront(&pictureEntry{id, p})
	for c.bytes += len(p.data); c.bytes > pictureCacheBytes; {
		last := c.used.Back()
		e := c.used.Remove(last).(*pictureEntry)
		delete(c.byID, e.id)
		c.bytes -= len(e.data)
	}
}

// ShowArticle gives an article's content for a page: balanced, without script.
func (p *ArticlePage) ShowArticle() string { return media.ShowArticle(p.Article.Content) }
