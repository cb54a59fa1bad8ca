package media

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// ArticleText gives what an article's HTML says: its text without markup, scripts and
// styles, entities decoded, each run of white space one blank, none at the ends.
func ArticleText(content string) string {
	var out strings.Builder
	blank := false
	eachText(content, func(text string) {
		for _, r := range text {
			if unicode.IsSpace(r) {
				blank = out.Len() > 0
				continue
			}
			if blank {
				out.WriteByte(' ')
				blank = false
			}
			out.WriteRune(r)
		}
	})
	return out.String()
}

// ArticleLength counts the characters of an article's text, white space as it stands.
func ArticleLength(content string) (n int) {
	eachText(content, func(text string) { n += utf8.RuneCountInString(text) })
	return n
}

func eachText(content string, each func(text string)) {
	z := html.NewTokenizer(strings.NewReader(content))
	inside := ""
	for {
		switch z.Next() {
		case html.ErrorToken:
			return
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			inside = string(name)
			continue
		case html.TextToken:
			if inside != "script" && inside != "style" && inside != "iframe" {
				each(string(z.Text()))
			}
		}
		inside = ""
	}
}
