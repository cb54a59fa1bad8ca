package wechat

import (
	"bytes"
	"slices"
)

// Wire is how answers look to one caller.
type Wire struct {
	Base string // scheme and host of our own addresses, as this caller reaches them: https://example.com
	RID  string // of the request; errors on the live wire end in it

	// Live is the wire of the live service: its texts and suffixes of errors, `\/`, and
	// the members that it adds and leaves out. Without it, errors and members are as the
	// documents print them.
	Live bool
}

// finish writes what the material back end of the live service has in its own way: from
// from on, slashes are escaped.
func (w Wire) finish(dst []byte, from int) []byte {
	n := 0
	if w.Live {
		n = bytes.Count(dst[from:], []byte("/"))
	}
	if n == 0 {
		return dst
	}
	read := len(dst)
	dst = slices.Grow(dst, n)[:read+n]
	for write := len(dst); write > read; {
		read, write = read-1, write-1
		if dst[write] = dst[read]; dst[read] == '/' {
			write--
			dst[write] = '\\'
		}
	}
	return dst
}

// Answer is a successful answer in JSON: one compact line without a final newline,
// UTF-8 as it is, in the member order of real answers.
type Answer interface {
	AppendJSON(dst []byte, w Wire) []byte
}

// OK is the answer of del_material and update_news.
var OK Answer = &Error{0, "ok"}

// AccessToken is the answer of token and stable_token.
type AccessToken struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int64  `json:"expires_in"` // seconds
}

// AppendJSON implements [Answer].
func (t *AccessToken) AppendJSON(dst []byte, _ Wire) []byte {
	return append(appendNumber(appendMember(dst, `{"access_token":`, t.AccessToken), `,"expires_in":`, t.ExpiresIn), '}')
}

// Counts is the answer of get_materialcount: how many materials of each type an account has.
type Counts struct {
	Voice int64 `json:"voice_count"`
	Video int64 `json:"video_count"`
	Image int64 `json:"image_count"` // thumbs included
	News  int64 `json:"news_count"`
}

// AppendJSON implements [Answer].
func (c *Counts) AppendJSON(dst []byte, _ Wire) []byte {
	dst = appendNumber(dst, `{"voice_count":`, c.Voice)
	dst = appendNumber(dst, `,"video_count":`, c.Video)
	dst = appendNumber(dst, `,"image_count":`, c.Image)
	return append(appendNumber(dst, `,"news_count":`, c.News), '}')
}

// Added is the answer of add_material and add_news.
type Added struct {
	MediaID string `json:"media_id"`
	URL     string `json:"url"` // of an image or thumb; empty otherwise
}

// AppendJSON implements [Answer].
func (a *Added) AppendJSON(dst []byte, w Wire) []byte {
	from := len(dst)
	dst = appendMember(dst, `{"media_id":`, a.MediaID)
	if a.URL != "" {
		dst = appendMember(dst, `,"url":`, w.Base+a.URL)
	}
	if w.Live {
		dst = append(dst, `,"item":[]`...)
	}
	return append(w.finish(dst, from), '}')
}

// Picture is the answer of uploadimg.
type Picture struct {
	URL string `json:"url"`
}

// AppendJSON implements [Answer].
func (p *Picture) AppendJSON(dst []byte, w Wire) []byte {
	from := len(dst)
	return append(w.finish(appendMember(dst, `{"url":`, w.Base+p.URL), from), '}')
}

// Uploaded is the answer of media/upload: a temporary medium (临时素材).
type Uploaded struct {
	Type         Type   `json:"type"`
	MediaID      string `json:"media_id"`       // of all types but thumb
	ThumbMediaID string `json:"thumb_media_id"` // of a thumb
	CreatedAt    int64  `json:"created_at"`     // Unix seconds
}

// AppendJSON implements [Answer].
func (u *Uploaded) AppendJSON(dst []byte, w Wire) []byte {
	dst = appendMember(dst, `{"type":`, string(u.Type))
	if u.Type == Thumb {
		dst = appendMember(dst, `,"thumb_media_id":`, u.ThumbMediaID)
	} else {
		dst = appendMember(dst, `,"media_id":`, u.MediaID)
	}
	dst = appendNumber(dst, `,"created_at":`, u.CreatedAt)
	if w.Live {
		dst = append(dst, `,"item":[]`...)
	}
	return append(dst, '}')
}

// TemporaryVideo is the answer of media/get for a video.
type TemporaryVideo struct {
	VideoURL string `json:"video_url"`
}

// AppendJSON implements [Answer].
func (v *TemporaryVideo) AppendJSON(dst []byte, w Wire) []byte {
	from := len(dst)
	return append(w.finish(appendMember(dst, `{"video_url":`, w.Base+v.VideoURL), from), '}')
}
