package media

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// Text that was made HTML comes back as its words; of any HTML, what comes out is words
// with one blank between them, no more than there are characters.
func FuzzArticleText(f *testing.F) {
	for _, file := range []string{"testdata/hostile.txt", "testdata/innocent.txt"} {
		for _, content := range lines(f, file) {
			f.Add(content)
		}
	}
	f.Add("a\u00a0\u3000\u2028b\r\n c\x00")
	f.Fuzz(func(t *testing.T, content string) {
		text := ArticleText(content)
		if text != strings.Join(strings.Fields(text), " ") {
			t.Fatalf("%q is not words", text)
		}
		if n := ArticleLength(content); n < utf8.RuneCountInString(text) {
			t.Fatalf("%d characters hold %q", n, text)
		}
		if clean := CleanArticle(content); !strings.Contains(content, "<") && (clean != content || ArticleLength(content) > utf8.RuneCountInString(content)) {
			t.Fatalf("%q became %q", content, clean)
		}
		if strings.ContainsAny(content, "\x00") || !utf8.ValidString(content) {
			return
		}
		escaped := html.EscapeString(content)
		if got, want := ArticleText(escaped), strings.Join(strings.Fields(content), " "); got != want {
			t.Fatalf("%q came back as %q", want, got)
		}
	})
}
