package library

import (
	"context"
	"errors"
	"fmt"
	"io"

	"sucai/internal/media"
	"sucai/wechat"
)

// Import takes in materials as they are, oldest first, rules not applied: media_id,
// times, position, name (but for what is no text) and bodies as given. What has no Key gets one. A file's blob is
// stored first, by [Library.ImportFile]; articles by [Library.SetArticles]. One whose
// media_id is there already is left as it is, so that an import that broke off can be
// run again. It returns how many it added.
func (l *Library) Import(ctx context.Context, ms []*Material) (added int, err error) {
	for _, m := range ms {
		if !plausible(m.MediaID) || !m.Type.IsListed() {
			return 0, fmt.Errorf("cannot import media_id %q of type %q", m.MediaID, m.Type)
		}
		m.Name, m.Introduction = storable(m.Name), storable(m.Introduction)
		if m.Key != "" {
			continue
		}
		if m.Key = newKey(); m.Type == wechat.News {
			m.Key = newArticleKey()
		}
	}
	return l.ls.Materials.Import(ctx, l.Account.ID, ms)
}

// ImportFile stores the bytes of a material to import and fills in what they tell.
func (l *Library) ImportFile(ctx context.Context, m *Material, r io.Reader) error {
	var info media.Info
	blob, err := l.ls.Blobs.Put(ctx, r, func(r io.ReaderAt, size int64) (err error) {
		if info, err = media.Inspect(r, size); errors.Is(err, media.ErrUnknown) {
			return nil // taken in as it is
		}
		return err
	})
	m.Blob, m.Size = blob.Name, blob.Size
	m.Format, m.Width, m.Height = info.Format, info.Width, info.Height
	return err
}

// SetArticles gives a news to import its articles. Where an article has no URL, it gets
// the one of its page.
func (l *Library) SetArticles(m *Material, articles []wechat.Article, base string) {
	if m.Key == "" {
		m.Key = newArticleKey()
	}
	for i := range articles {
		if articles[i].URL == "" {
			articles[i].URL = base + l.articleAddress(m.Key, i)
		}
	}
	m.setArticles(articles, base)
}
