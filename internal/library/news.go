package library

import (
	"context"
	"crypto/rand"
	"errors"
	"math/big"
	"unicode/utf8"

	"sucai/internal/media"
	"sucai/wechat"
)

// The limits of a news and of its articles. Lengths of text are in characters.
const (
	MaxArticles     = 8
	maxTitle        = 64
	maxAuthor       = 16
	maxDigest       = 120
	maxSourceURL    = 1 << 10 // bytes
	maxContentText  = 20_000  // characters of text, markup not counted; fewer than this
	maxContentBytes = 1 << 20 // as sent; fewer than this
	digestLength    = 54      // of a digest made from the text
)

// AddNews adds a news of one to eight articles. Own addresses in them stand on base.
// Errors: 44003 for none, 45008 for more than eight; those of an article: 45003 title,
// 45110 author, 45004 digest, 44004 no content, 45002 content, 45005 source url, 40007 a
// cover that is not a permanent image of this account, 45034 when the library is full.
func (l *Library) AddNews(ctx context.Context, articles []wechat.Article, base string) (*Material, error) {
	switch {
	case len(articles) == 0:
		return nil, wechat.ErrEmptyNews
	case len(articles) > MaxArticles:
		return nil, wechat.ErrArticleCount
	}
	now := l.ls.now().Unix()
	m := &Material{
		Account: l.Account.ID, MediaID: l.newMediaID(), Type: wechat.News, Key: newArticleKey(),
		Created: now, Updated: now,
	}
	for i := range articles {
		if err := l.finishArticle(ctx, m, articles, i, base); err != nil {
			return nil, err
		}
	}
	m.setArticles(articles, base)
	return m, l.insert(ctx, m, l.ls.caps[wechat.News])
}

// UpdateNews replaces the article at index, from 0, of a news. 40007 for a media_id
// that is not a news' of this account, 40097 for an index that it does not have; other
// errors as of AddNews.
func (l *Library) UpdateNews(ctx context.Context, mediaID string, index int64, a wechat.Article, base string, room Room) error {
	for {
		m, err := l.Get(ctx, mediaID, room)
		if err == nil && m.Type != wechat.News {
			err = wechat.ErrInvalidMediaID
		}
		if err != nil {
			return err
		}
		articles, err := m.Articles.Decode(base)
		if err != nil {
			return err
		}
		if index < 0 || index >= int64(len(articles)) {
			return wechat.ErrInvalidArgs
		}
		articles[index] = a
		if err := l.finishArticle(ctx, m, articles, int(index), base); err != nil {
			return err
		}
		m.setArticles(articles, base)
		m.Updated = l.ls.now().Unix()
		m.Version++
		err = l.ls.Materials.UpdateArticles(ctx, m)
		if errors.Is(err, ErrNotFound) {
			return wechat.ErrInvalidMediaID
		}
		if !errors.Is(err, ErrConflict) {
			return err
		}
		// Somebody else changed the same news; look again at what it is now.
	}
}

func (m *Material) setArticles(articles []wechat.Article, base string) {
	m.Articles = wechat.EncodeArticles(articles, base)
	m.ArticlesFormat = wechat.ArticlesFormat
	m.Size = int64(len(m.Articles))
}

// finishArticle checks one article of a news and fills in what the platform gives it.
func (l *Library) finishArticle(ctx context.Context, m *Material, articles []wechat.Article, i int, base string) error {
	a := &articles[i]
	switch {
	case a.Title == "" || utf8.RuneCountInString(a.Title) > maxTitle:
		return wechat.ErrTitleSize
	case utf8.RuneCountInString(a.Author) > maxAuthor:
		return wechat.ErrAuthorSize
	case utf8.RuneCountInString(a.Digest) > maxDigest:
		return wechat.ErrDigestSize
	case a.Content == "":
		return wechat.ErrEmptyContent
	case len(a.Content) >= maxContentBytes || media.ArticleLength(a.Content) >= maxContentText:
		return wechat.ErrContentSize
	case len(a.ContentSourceURL) > maxSourceURL:
		return wechat.ErrURLSize
	}
	cover, err := l.permanent(ctx, a.ThumbMediaID, 0)
	if err == nil && cover.Type != wechat.Image {
		err = wechat.ErrInvalidMediaID
	}
	if err != nil {
		return err
	}
	if a.Content, err = l.ls.clean(ctx, a.Content); err != nil {
		return err
	}
	if a.Content == "" {
		return wechat.ErrEmptyContent // there was nothing but script
	}
	switch {
	case len(articles) > 1:
		a.Digest = ""
	case a.Digest == "":
		a.Digest = firstCharacters(media.ArticleText(a.Content), digestLength)
	}
	a.ThumbURL = base + cover.Address()
	a.URL = base + l.articleAddress(m.Key, i)
	return nil
}

// clean is media.CleanArticle for a process: it builds trees, so few run at once.
func (ls *Libraries) clean(ctx context.Context, content string) (clean string, err error) {
	err = ls.trees.do(ctx, func() { clean = media.CleanArticle(content) })
	return clean, err
}

func firstCharacters(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// newArticleKey makes the `mid` of a news' address: 15 digits. The signature beside it
// is what cannot be guessed.
func newArticleKey() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(9e14)) // crypto/rand does not fail
	return n.Add(n, big.NewInt(1e14)).String()
}
