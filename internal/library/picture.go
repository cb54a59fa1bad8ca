package library

import (
	"container/list"
	"context"
	"errors"
	"sync"

	"sucai/internal/media"
	"sucai/wechat"
)

// PictureWidths are the widths, in pixels, to which public pictures are scaled; 0 is
// the original.
var PictureWidths = []int{0, 640, 300, 132, 96, 64}

// Scaled gives an image scaled down to a width. ok is false where the original is to be
// sent instead: it is no wider, animated, too large or damaged. The error ErrScalerBusy is
// that too, but only for now.
func (ls *Libraries) Scaled(ctx context.Context, m *Material, width int) (data []byte, mediaType string, ok bool, err error) {
	if m.Type != wechat.Image || width == 0 || m.Width <= width {
		return nil, "", false, nil
	}
	id := pictureID{m.Blob, width}
	p, ok := ls.scaled.get(id)
	ls.scaled.tally.count(ok)
	if !ok {
		p, err = ls.scaling.share(ctx, id, func() (picture, error) { return ls.scale(ctx, m, id) })
	}
	return p.data, p.mediaType, err == nil && p.data != nil, err
}

// scale gives a picture without data where the original is to be sent.
func (ls *Libraries) scale(ctx context.Context, m *Material, id pictureID) (p picture, err error) {
	if p, ok := ls.scaled.get(id); ok { // just so
		return p, nil
	}
	info := media.Info{Format: m.Format, Width: m.Width, Height: m.Height}
	if err = media.Scalable(info, id.width); err == nil {
		p, err = ls.scaleBlob(ctx, m, info, id.width)
	}
	if errors.Is(err, media.ErrNotScaled) {
		p, err = picture{}, nil
	}
	if err == nil {
		ls.scaled.put(id, p)
	}
	return p, err
}

// pictureCache keeps the pictures that were asked for last. Blobs never change, so
// neither does what is made of them.
type pictureCache struct {
	mu    sync.Mutex
	bytes int
	used  list.List // of *pictureEntry, the last used first
	byID  map[pictureID]*list.Element
	tally tally
}

const (
	pictureCacheBytes = 8 << 20
	pictureEntryBytes = 512 // of an entry around its data
)

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

// size is how many bytes are kept.
func (c *pictureCache) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(c.bytes)
}

func (c *pictureCache) put(id pictureID, p picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byID[id] != nil {
		return
	}
	if c.byID == nil {
		c.byID = map[pictureID]*list.Element{}
	}
	c.byID[id] = c.used.PushFront(&pictureEntry{id, p})
	for c.bytes += pictureEntryBytes + len(p.data); c.bytes > pictureCacheBytes; {
		e := c.used.Remove(c.used.Back()).(*pictureEntry)
		delete(c.byID, e.id)
		c.bytes -= pictureEntryBytes + len(e.data)
	}
}
