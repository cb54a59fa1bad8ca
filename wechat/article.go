package wechat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Article is one article (图文消息) of a news.
type Article struct {
	Title            string `json:"title"`                 // 1 to 64 characters
	Author           string `json:"author"`                // at most 16 characters
	Digest           string `json:"digest"`                // at most 120 characters; only in a news of one article
	Content          string `json:"content"`               // HTML without JavaScript: fewer than 20,000 characters of text, under 1 MB
	ContentSourceURL string `json:"content_source_url"`    // where 阅读原文 leads; at most 1 KB
	ThumbMediaID     string `json:"thumb_media_id"`        // the cover: a permanent image of the same account
	ShowCoverPic     int    `json:"show_cover_pic"`        // 0 or 1
	URL              string `json:"url"`                   // the article's page; given by the server
	ThumbURL         string `json:"thumb_url"`             // the cover's url; given by the server
	NeedOpenComment  int    `json:"need_open_comment"`     // 0 or 1
	OnlyFansComment  int    `json:"only_fans_can_comment"` // 0 or 1
}

// ParseArticle reads one element of add_news' `articles`, or the `articles` of
// update_news. Flags come as number, numeric string or empty string. It checks kinds,
// not rules: a member of the wrong kind is [ErrDataFormat], a flag beside 0 and 1
// [ErrInvalidArgs].
func ParseArticle(raw json.RawMessage) (Article, error) {
	var o Object
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &o) != nil {
		return Article{}, ErrDataFormat
	}
	var a Article
	var err error
	text := func(name string, get func(string) (string, error)) (s string) {
		if err == nil {
			s, err = get(name)
		}
		return s
	}
	flag := func(name string) (n int) {
		if err == nil {
			n, err = o.Flag(name)
		}
		return n
	}
	a.Title = text("title", o.Text)
	a.Author = text("author", o.Text)
	a.Digest = text("digest", o.Text)
	a.Content = text("content", o.Text)
	a.ContentSourceURL = text("content_source_url", o.Text)
	a.ThumbMediaID = text("thumb_media_id", o.ID)
	a.ShowCoverPic = flag("show_cover_pic")
	a.NeedOpenComment = flag("need_open_comment")
	a.OnlyFansComment = flag("only_fans_can_comment")
	return a, err
}

// Articles are the articles of one news as the wire sends them: the JSON array of
// `news_item`, in the member order of real answers, encoded once when they are written.
//
// The addresses of our own pages and pictures in it begin with the byte 0x01 instead of
// scheme and host, which are known only when an answer is made; JSON has no raw 0x01
// otherwise. Nothing but this package looks inside.
type Articles []byte

// ArticlesFormat is the version of the encoding. Articles of an older version are
// decoded and encoded again when they are read.
const ArticlesFormat = 1

const baseMark = 0x01

// EncodeArticles encodes articles whose own addresses stand on base, such as
// http://127.0.0.1:8080.
func EncodeArticles(articles []Article, base string) Articles {
	size := 2
	for i := range articles {
		size += 512 + len(articles[i].Content) + len(articles[i].Content)/8
	}
	b := append(make([]byte, 0, size), '[')
	for i := range articles {
		if i > 0 {
			b = append(b, ',')
		}
		a := &articles[i]
		b = appendMember(b, `{"title":`, a.Title)
		b = appendMember(b, `,"author":`, a.Author)
		b = appendMember(b, `,"digest":`, a.Digest)
		b = appendBased(append(b, `,"content":`...), a.Content, base)
		b = appendMember(b, `,"content_source_url":`, a.ContentSourceURL)
		b = appendMember(b, `,"thumb_media_id":`, a.ThumbMediaID)
		b = appendNumber(b, `,"show_cover_pic":`, int64(a.ShowCoverPic))
		b = appendBased(append(b, `,"url":`...), a.URL, base)
		b = appendBased(append(b, `,"thumb_url":`...), a.ThumbURL, base)
		b = appendNumber(b, `,"need_open_comment":`, int64(a.NeedOpenComment))
		b = appendNumber(b, `,"only_fans_can_comment":`, int64(a.OnlyFansComment))
		b = append(b, '}')
	}
	return append(b, ']')
}

// Decode is the inverse of [EncodeArticles]: own addresses stand on base.
func (as Articles) Decode(base string) ([]Article, error) {
	var list []Article
	if err := json.Unmarshal(as.appendTo(nil, Wire{Base: base}), &list); err != nil {
		return nil, fmt.Errorf("stored articles: %w", err)
	}
	return list, nil
}

// Article decodes one article, from 0; ok is false where there is none of that index.
func (as Articles) Article(index int, base string) (a Article, ok bool, err error) {
	var list []json.RawMessage
	if err := json.Unmarshal(as.appendTo(nil, Wire{Base: base}), &list); err != nil {
		return a, false, fmt.Errorf("stored articles: %w", err)
	}
	if index < 0 || index >= len(list) {
		return a, false, nil
	}
	return a, true, json.Unmarshal(list[index], &a)
}

// appendTo writes the array as one caller sees it.
func (as Articles) appendTo(dst []byte, w Wire) []byte {
	for rest := []byte(as); ; {
		i := bytes.IndexByte(rest, baseMark)
		if i < 0 {
			return append(dst, rest...)
		}
		dst = append(dst, rest[:i]...)
		dst = append(dst, w.Base...)
		rest = rest[i+1:]
	}
}

// appendBased writes a JSON string in which base is replaced by the mark wherever it
// begins the address of a page or picture of ours.
func appendBased(dst []byte, s, base string) []byte {
	dst = append(dst, '"')
	for base != "" {
		i := indexOwn(s, base)
		if i < 0 {
			break
		}
		dst = append(appendEscaped(dst, s[:i]), baseMark)
		s = s[i+len(base):]
	}
	return append(appendEscaped(dst, s), '"')
}

func indexOwn(s, base string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], base)
		if i < 0 {
			return -1
		}
		i += from
		from = i + len(base)
		if rest := s[from:]; strings.HasPrefix(rest, "/mmbiz") || strings.HasPrefix(rest, "/s?__biz=") {
			return i
		}
	}
}

func appendNumber(dst []byte, name string, n int64) []byte {
	return strconv.AppendInt(append(dst, name...), n, 10)
}

func appendMember(dst []byte, name, value string) []byte {
	return append(appendEscaped(append(append(dst, name...), '"'), value), '"')
}

// appendEscaped writes the inside of a JSON string as the platform does: UTF-8 as it
// is, <>& as they are, only what JSON demands escaped.
func appendEscaped(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	s = strings.ToValidUTF8(s, "\uFFFD")
	done := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(append(dst, s[done:i]...), '\\')
		done = i + 1
		switch c {
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		case '\t':
			dst = append(dst, 't')
		case '"', '\\':
			dst = append(dst, c)
		default:
			dst = append(dst, 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, s[done:]...)
}
