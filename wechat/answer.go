package wechat

// Wire is how answers look to one caller.
type Wire struct {
	Base string // scheme and host of our own addresses, as this caller reaches them: https://example.com
}

// Answer is a successful answer in JSON: one compact line without a final newline,
// UTF-8 as it is, in the member order of real answers.
type Answer interface {
	AppendJSON(dst []byte, w Wire) []byte
}

// AppendJSON writes the error's body; errcode comes first, as clients rely on it.
func (e *Error) AppendJSON(dst []byte, _ Wire) []byte {
	return append(appendMember(appendNumber(dst, `{"errcode":`, int64(e.Code)), `,"errmsg":`, e.Msg), '}')
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
	dst = appendMember(dst, `{"media_id":`, a.MediaID)
	if a.URL != "" {
		dst = appendMember(dst, `,"url":`, w.Base+a.URL)
	}
	return append(dst, '}')
}

// Picture is the answer of uploadimg.
type Picture struct {
	URL string `json:"url"`
}

// AppendJSON implements [Answer].
func (p *Picture) AppendJSON(dst []byte, w Wire) []byte {
	return append(appendMember(dst, `{"url":`, w.Base+p.URL), '}')
}

// Uploaded is the answer of media/upload: a temporary medium (临时素材).
type Uploaded struct {
	Type         Type   `json:"type"`
	MediaID      string `json:"media_id"`       // of all types but thumb
	ThumbMediaID string `json:"thumb_media_id"` // of a thumb
	CreatedAt    int64  `json:"created_at"`     // Unix seconds
}

// AppendJSON implements [Answer].
func (u *Uploaded) AppendJSON(dst []byte, _ Wire) []byte {
	dst = appendMember(dst, `{"type":`, string(u.Type))
	if u.Type == Thumb {
		dst = appendMember(dst, `,"thumb_media_id":`, u.ThumbMediaID)
	} else {
		dst = appendMember(dst, `,"media_id":`, u.MediaID)
	}
	return append(appendNumber(dst, `,"created_at":`, u.CreatedAt), '}')
}

// TemporaryVideo is the answer of media/get for a video.
type TemporaryVideo struct {
	VideoURL string `json:"video_url"`
}

// AppendJSON implements [Answer].
func (v *TemporaryVideo) AppendJSON(dst []byte, w Wire) []byte {
	return append(appendMember(dst, `{"video_url":`, w.Base+v.VideoURL), '}')
}
