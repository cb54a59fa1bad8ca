package wechat

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// Error is an answer of the API with an errcode other than 0. Msg is the errmsg as it
// stood in the answer, or as the documents print it.
//
// Decide on the code, never on the text: errors.Is compares codes, so the same check
// works at both ends of the wire.
type Error struct {
	Code int
	Msg  string
}

// Error gives the errcode, a blank and the errmsg.
func (e *Error) Error() string { return strconv.Itoa(e.Code) + " " + e.Msg }

// Is tells whether target is an *Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// With gives the same error with another text, for what the fixed text cannot say.
func (e *Error) With(msg string) *Error { return &Error{e.Code, msg} }

// The errors that these endpoints answer. The texts of -1, 40001, 40004 and 40007 are
// those of the documents of get_material and batchget_material, to the letter; the
// others are those of the platform's list of return codes.
var (
	ErrSystem            = &Error{-1, "system error"}
	ErrInvalidCredential = &Error{40001, "invalid credential access_token isinvalid or not latest"}
	ErrInvalidGrantType  = &Error{40002, "invalid grant_type"}
	ErrInvalidMediaType  = &Error{40004, "invalid media type"}
	ErrFileSuffix        = &Error{40005, "invalid file type"}
	ErrInvalidMediaID    = &Error{40007, "invalid media_id"}
	ErrImageSize         = &Error{40009, "invalid image size"}
	ErrVoiceSize         = &Error{40010, "invalid voice size"}
	ErrVideoSize         = &Error{40011, "invalid video size"}
	ErrThumbSize         = &Error{40012, "invalid thumb size"}
	ErrInvalidAppID      = &Error{40013, "invalid appid"}
	ErrInvalidToken      = &Error{40014, "invalid access_token"}
	ErrUnknownURL        = &Error{40066, "invalid url"}
	ErrInvalidArgs       = &Error{40097, "invalid args"}
	ErrFileType          = &Error{40113, "unsupported file type"}
	ErrInvalidSecret     = &Error{40125, "invalid appsecret"}
	ErrImageFormat       = &Error{40137, "invalid image format"}
	ErrIPNotAllowed      = &Error{40164, "invalid ip, not in whitelist"}
	ErrTokenMissing      = &Error{41001, "access_token missing"}
	ErrAppIDMissing      = &Error{41002, "appid missing"}
	ErrSecretMissing     = &Error{41004, "appsecret missing"}
	ErrMediaMissing      = &Error{41005, "media data missing"}
	ErrTokenExpired      = &Error{42001, "access_token expired"}
	ErrRequireGET        = &Error{43001, "require GET method"}
	ErrRequirePOST       = &Error{43002, "require POST method"}
	ErrRequireHTTPS      = &Error{43003, "require https"}
	ErrEmptyMedia        = &Error{44001, "empty media data"}
	ErrEmptyPost         = &Error{44002, "empty post data"}
	ErrEmptyNews         = &Error{44003, "empty news data"}
	ErrEmptyContent      = &Error{44004, "empty content"}
	ErrMediaSize         = &Error{45001, "media size out of limit"}
	ErrContentSize       = &Error{45002, "content size out of limit"}
	ErrTitleSize         = &Error{45003, "title size out of limit"}
	ErrDigestSize        = &Error{45004, "description size out of limit"}
	ErrURLSize           = &Error{45005, "url size out of limit"}
	ErrPlaytime          = &Error{45007, "playtime out of limit"}
	ErrArticleCount      = &Error{45008, "article size out of limit"}
	ErrQuota             = &Error{45009, "reach max api daily quota limit"}
	ErrLibraryFull       = &Error{45034, "media file count is out of limit"}
	ErrRetired           = &Error{45106, "This API has been unsupported. For more details, please view https://mp.weixin.qq.com/cgi-bin/announce?action=getannouncement&announce_id=11644831863qFQSh&version=&lang=zh_CN"}
	ErrAuthorSize        = &Error{45110, "author size out of limit"}
	ErrDataFormat        = &Error{47001, "data format error"}
	ErrUnauthorized      = &Error{48001, "api unauthorized"}
	ErrUserLimited       = &Error{50002, "user limited"}

	ErrNotAuthorizer       = &Error{61003, "component is not authorized by this account"}
	ErrClientIP            = &Error{61004, "access clientip is not registered"}
	ErrTicketExpired       = &Error{61005, "component ticket is expired"}
	ErrInvalidTicket       = &Error{61006, "component ticket is invalid"}
	ErrSetMissing          = &Error{61007, "api is unauthorized to component"}
	ErrInvalidCode         = &Error{61009, "code is invalid"}
	ErrCodeExpired         = &Error{61010, "code is expired"}
	ErrInvalidComponent    = &Error{61011, "invalid component"}
	ErrComponentToken      = &Error{61014, "must use component token for component api"}
	ErrInvalidRefreshToken = &Error{61023, "refresh_token is invalid"}
)

// gateway are the errors that the live service answers before a call reaches the back
// end that makes all others.
var gateway = map[int]bool{
	40001: true, 40002: true, 40013: true, 40066: true, 40125: true, 40164: true,
	41001: true, 41002: true, 41004: true, 42001: true, 43003: true, 44002: true,
	45002: true, 45009: true, 48001: true, 50002: true,
	61003: true, 61004: true, 61005: true, 61006: true, 61007: true, 61009: true, 61010: true, 61011: true, 61014: true, 61023: true,
}

// liveTexts are those of the live service's errors that differ from the documents'.
var liveTexts = map[string]string{
	ErrInvalidCredential.Msg: "invalid credential, access_token is invalid or not latest, " +
		"could get access_token by getStableAccessToken, more details at https://mmbizurl.cn/s/JtxxFh33r",
	ErrInvalidSecret.Msg: "invalid appsecret, view more at http://t.cn/RAEkdVq",
}

// AppendJSON writes the error's body; errcode comes first, as clients rely on it.
func (e *Error) AppendJSON(dst []byte, w Wire) []byte {
	from, text := len(dst), e.Msg
	dst = appendNumber(dst, `{"errcode":`, int64(e.Code))
	if !w.Live || e.Code == 0 {
		return append(appendMember(dst, `,"errmsg":`, text), '}')
	}
	if live, ok := liveTexts[text]; ok {
		text = live
	}
	if gateway[e.Code] {
		return append(appendMember(dst, `,"errmsg":`, text+" rid: "+w.RID), '}')
	}
	dst = appendMember(dst, `,"errmsg":`, text+" hint: ["+hint(w.RID)+"] rid: "+w.RID)
	return append(w.finish(dst, from), '}')
}

// hint makes what stands in brackets in the back end's errors: 14 characters that say
// nothing.
func hint(rid string) string {
	sum := sha256.Sum256([]byte(rid))
	return base64.RawURLEncoding.EncodeToString(sum[:10])
}
