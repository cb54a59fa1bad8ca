package wechat

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
)

// What an answer is, is told by its bytes: the status is 200 whatever happened, and
// content types have named it wrongly.

// headSize is how many bytes of an answer are looked at.
const headSize = 512

// magics are the first bytes of the formats of this API. An mp4 begins with the length
// of its first box, and an mp3 without a tag with a frame: Suffix looks for those.
var magics = []struct{ magic, suffix string }{
	{"\xff\xd8\xff", ".jpg"}, {"\x89PNG\r\n", ".png"}, {"GIF8", ".gif"}, {"BM", ".bmp"},
	{"#!AMR", ".amr"}, {"0&\xb2u\x8ef\xcf\x11", ".wma"}, {"ID3", ".mp3"},
}

// Suffix gives the suffix of a file's name, such as .png, that its first 512 bytes ask
// for; "" where they are those of no image, voice or video.
func Suffix(head []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.suffix
		}
	}
	if len(head) >= 12 {
		switch outer, inner := string(head[:4]), string(head[8:12]); {
		case outer == "RIFF" && inner == "WAVE":
			return ".wav"
		case outer == "RIFF" && inner == "WEBP":
			return ".webp" // the platform's servers of pictures have answered it
		case string(head[4:8]) == "ftyp":
			return ".mp4"
		}
	}
	if len(head) > 1 && head[0] == 0xff && head[1]&0xe6 == 0xe2 { // sync, layer III
		return ".mp3"
	}
	return ""
}

// unmarked cuts what may stand before JSON: blanks, and the byte order mark that some
// servers write.
func unmarked(data []byte) []byte {
	const blanks = " \t\r\n"
	data = bytes.TrimPrefix(bytes.TrimLeft(data, blanks), []byte("\ufeff"))
	return bytes.TrimLeft(data, blanks)
}

func isObject(data []byte) bool { return bytes.HasPrefix(unmarked(data), []byte("{")) }

// refuse gives an error for an answer that cannot be a file of a material, as a proxy's
// page or another server's words are. A format that we do not know may pass.
func refuse(head []byte, contentType string) error {
	text := unmarked(head)
	switch {
	case len(text) == 0:
		return errors.New("the answer is empty")
	case Suffix(head) != "":
		return nil
	case strings.ContainsRune("<[", rune(text[0])), isText(contentType), isText(http.DetectContentType(head)):
		return fmt.Errorf("the answer is no image, voice or video but %.60q", text)
	}
	return nil
}

func isText(contentType string) bool {
	t, _, _ := mime.ParseMediaType(contentType)
	return strings.HasPrefix(t, "text/") || strings.HasSuffix(t, "json") || strings.HasSuffix(t, "xml")
}
