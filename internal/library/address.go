package library

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"sucai/internal/media"
	"sucai/wechat"
)

// newKey makes the part of a public address that cannot be guessed, as long as real
// ones are: 86 characters.
func newKey() string {
	b := make([]byte, 64)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// Address is the path of a material's public url; empty for news.
func (m *Material) Address() string {
	var kind string
	switch m.Type {
	case wechat.Image:
		kind = m.Format.Ext()
	case wechat.Voice, wechat.Video:
		kind = string(m.Type)
	default:
		return ""
	}
	address := "/mmbiz_" + kind + "/" + m.Key + "/0"
	if m.Number == 0 {
		return address // pictures of uploadimg have no suffix there
	}
	return address + "?wx_fmt=" + string(m.Format)
}

// Public gives the image, voice or video at a public address; ErrNotFound where there
// is none, or none any more.
func (ls *Libraries) Public(ctx context.Context, key string) (*Material, error) {
	if !plausible(key) {
		return nil, ErrNotFound
	}
	m, err := ls.Materials.ByKey(ctx, key)
	if err != nil {
		return nil, err
	}
	if m.Expires > 0 {
		return nil, ErrNotFound // temporary media are fetched with a token
	}
	return m, nil
}

const videoLife = 7200 // seconds that the address of a video is good for

// VideoAddress is the path and query under which a video can be fetched without a token
// for two hours.
func (l *Library) VideoAddress(m *Material) string {
	expires := strconv.FormatInt(l.ls.now().Unix()+videoLife, 10)
	return "/video/" + url.PathEscape(l.Account.AppID) + "/" + url.PathEscape(m.MediaID) + ".mp4?expires=" + expires +
		"&vkey=" + l.ls.sign("video", l.Account.AppID, m.MediaID, expires)
}

// ErrAddressExpired means that the address of a video is too old, or was never ours.
var ErrAddressExpired = errors.New("this address has expired or is not complete; get_material gives a new one")

// SignedVideo gives the video at an address that VideoAddress made.
func (ls *Libraries) SignedVideo(ctx context.Context, appID, mediaID, expires, vkey string) (*Material, error) {
	end, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || !hmac.Equal([]byte(vkey), []byte(ls.sign("video", appID, mediaID, expires))) || ls.now().Unix() >= end {
		return nil, ErrAddressExpired
	}
	a, err := ls.Accounts.Account(ctx, appID)
	if err != nil {
		return nil, err
	}
	m, err := ls.Materials.Material(ctx, a.ID, mediaID, 0)
	if err == nil && (m.Type != wechat.Video || m.Expires > 0 && m.Expires <= ls.now().Unix()) {
		err = ErrNotFound
	}
	return m, err
}

// articleAddress is the path and query of the page of a news' article.
func (l *Library) articleAddress(mid string, index int) string {
	idx := strconv.Itoa(index + 1)
	return "/s?__biz=" + l.Account.biz() + "&mid=" + mid + "&idx=" + idx + "&sn=" + l.ls.sign("article", l.Account.biz(), mid, idx)
}

// biz is the account's number in the addresses of articles, in the form of real ones.
func (a *Account) biz() string {
	return base64.StdEncoding.EncodeToString(strconv.AppendInt(nil, a.Uin, 10))
}

// ArticlePage is what the page of an article shows.
type ArticlePage struct {
	Account *Account
	Article wechat.Article
	Body    string // the content made fit for a page: balanced, without script
	Created int64  // Unix seconds
}

// Article gives the article at an address that articleAddress made; own addresses in it
// stand on base. ErrNotFound for any other, and when the news is gone.
func (ls *Libraries) Article(ctx context.Context, biz, mid, idx, sn, base string, room Room) (*ArticlePage, error) {
	if !hmac.Equal([]byte(sn), []byte(ls.sign("article", biz, mid, idx))) {
		return nil, ErrNotFound
	}
	number, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(biz, " ", "+"))
	if err != nil {
		return nil, ErrNotFound
	}
	uin, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil {
		return nil, ErrNotFound
	}
	a, err := ls.Accounts.AccountByUin(ctx, uin)
	if err != nil {
		return nil, err
	}
	m, err := withArticles(room, func(most int64) (*Material, error) { return ls.Materials.NewsByKey(ctx, a.ID, mid, most) })
	if err != nil {
		return nil, err
	}
	if err := m.readable(); err != nil {
		return nil, err
	}
	i, err := strconv.Atoi(idx)
	if err != nil {
		return nil, ErrNotFound
	}
	article, ok, err := m.Articles.Article(i-1, base)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotFound
	}
	p := &ArticlePage{Account: a, Article: article, Created: m.Created}
	err = ls.trees.do(ctx, func() { p.Body = media.ShowArticle(article.Content) })
	return p, err
}
