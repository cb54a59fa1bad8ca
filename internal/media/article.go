package media

import (
	"strings"

	"golang.org/x/net/html"
)

// An article's HTML is kept to the byte, but for its JavaScript. So it is never parsed
// and written again: a tokenizer finds the tags, and what must go is cut out of the
// text. A tokenizer does not know where a browser's tree builder would read the same
// bytes in another way (inside svg and math, in noscript, after a stray CDATA), so the
// result is looked at once more as a tree before it is believed.

const (
	maxRounds = 8 // cutting can join what stood apart: again until nothing changes
	maxNested = 8 // raw text inside raw text inside ..
)

// CleanArticle removes the JavaScript of an article's HTML and changes nothing else,
// not by a byte: script elements; event attributes; javascript:, vbscript: and
// data:text/html urls; srcdoc; what stands inside an iframe; meta refresh. Only where
// it is built to deceive, so that no cut makes it safe, all its markup becomes text.
func CleanArticle(content string) string {
	hidden := false
	for range maxRounds {
		clean := cut(content, 0, hidden)
		switch {
		case clean != content:
			content = clean
		case isQuiet(content):
			return content
		case hidden:
			return strings.ReplaceAll(content, "<", "&lt;")
		default:
			hidden = true
		}
	}
	return strings.ReplaceAll(content, "<", "&lt;")
}

// cut makes one pass. With hidden, comments and attributes go too that hold JavaScript as
// their text.
func cut(content string, nested int, hidden bool) string {
	if !strings.Contains(content, "<") {
		return content
	}
	if nested > maxNested {
		return strings.ReplaceAll(content, "<", "&lt;")
	}
	var out strings.Builder
	out.Grow(len(content))
	z := html.NewTokenizer(strings.NewReader(content))
	rest := content
	inside := "" // the element whose raw text comes next
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			// What is left is a tag that never ends; whatever is put behind it later
			// would end it.
			if strings.HasPrefix(rest, "</") {
				out.WriteString(rest)
			} else if unended, ok := cutTag(rest+">", hidden); ok {
				out.WriteString(strings.TrimSuffix(unended, ">"))
			}
			return out.String()
		}
		raw := rest[:len(z.Raw())]
		rest = rest[len(raw):]
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			if tag, ok := cutTag(raw, hidden); ok {
				out.WriteString(tag)
			}
			inside = tagName(raw)
			continue
		case html.EndTagToken:
			if tagName(raw) != "script" {
				out.WriteString(raw)
			}
		case html.TextToken:
			switch {
			case inside == "script", inside == "iframe":
			case isRawText[inside]:
				out.WriteString(cut(raw, nested+1, hidden)) // it may come alive elsewhere
			default:
				out.WriteString(raw)
			}
		case html.CommentToken:
			if !hidden || !holdsScript(string(z.Text())) {
				out.WriteString(raw)
			}
		default:
			out.WriteString(raw)
		}
		inside = ""
	}
}

// holdsScript tells whether text would be JavaScript if it were read as markup.
func holdsScript(text string) bool { return cut(text, 0, false) != text }

// isRawText are the elements whose content the tokenizer gives as one text.
var isRawText = map[string]bool{
	"iframe": true, "noembed": true, "noframes": true, "noscript": true, "plaintext": true,
	"script": true, "style": true, "textarea": true, "title": true, "xmp": true,
}

// cutTag cuts what is dangerous out of a start tag, and with hidden what hides JavaScript;
// ok is false where the tag itself is.
func cutTag(raw string, hidden bool) (tag string, ok bool) {
	name := tagName(raw)
	if name == "script" {
		return "", false
	}
	attrs := attributes(raw)
	if name == "meta" && isRefresh(attrs) {
		return "", false
	}
	done := 0
	var out strings.Builder
	for _, a := range attrs {
		if !a.isScript(name) && !(hidden && holdsScript(a.value)) {
			continue
		}
		out.WriteString(strings.TrimRight(raw[done:a.start], spaces))
		done = a.end
	}
	if done == 0 {
		return raw, true
	}
	return out.String() + raw[done:], true
}

// isQuiet parses content as a browser does, in a body and as a document, with scripting
// and without, and tells whether no JavaScript is in any of the trees, nor in what they
// become when a page takes one apart and puts it together again.
func isQuiet(content string) bool {
	if !strings.Contains(content, "<") {
		return true
	}
	if isBomb(content) {
		return isPlain(content)
	}
	if !isPlain(content) && hidesScript(content, 0) {
		return false
	}
	for _, scripting := range []bool{true, false} {
		opt := html.ParseOptionEnableScripting(scripting)
		doc, err := html.ParseWithOptions(strings.NewReader(content), opt)
		if err != nil {
			return isPlain(content)
		}
		if hasScript(doc) {
			return false
		}
		quiet, again := quietFragment(content, opt)
		if quiet && again != content {
			quiet, _ = quietFragment(again, opt)
		}
		if !quiet {
			return false
		}
	}
	return true
}

// quietFragment looks at content as what stands in a div, and gives it as written again.
func quietFragment(content string, opt html.ParseOption) (quiet bool, again string) {
	nodes, err := html.ParseFragmentWithOptions(strings.NewReader(content), element("div"), opt)
	if err != nil {
		return isPlain(content), content
	}
	var out strings.Builder
	for _, n := range nodes {
		if hasScript(n) {
			return false, ""
		}
		if html.Render(&out, n) != nil {
			return false, ""
		}
	}
	return true, out.String()
}

// hidesScript tells whether an attribute or a comment holds JavaScript as its text, also
// those that raw text would hold if it were none. It is harmless as such, but beside svg
// and math it may be read as markup one day: after a CDATA, or when a page is put
// together again by a browser of another mind.
func hidesScript(content string, nested int) bool {
	if nested > maxNested {
		return true
	}
	z := html.NewTokenizer(strings.NewReader(content))
	inside := ""
	for {
		kind := z.Next()
		raw := string(z.Raw())
		switch kind {
		case html.ErrorToken:
			return false
		case html.CommentToken:
			if holdsScript(string(z.Text())) {
				return true
			}
		case html.TextToken:
			if isRawText[inside] && hidesScript(raw, nested+1) {
				return true
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			for _, a := range attributes(raw) {
				if holdsScript(a.value) {
					return true
				}
			}
			inside = tagName(raw)
			continue
		}
		inside = ""
	}
}

// maxNodes is how large a tree may become that is held in memory.
const maxNodes = 200_000

// isBomb tells whether content may become a tree, or take a time, out of all proportion:
// each block opens anew what formatting is open around it, and each further body and
// html element is compared with the first.
func isBomb(content string) bool {
	nodes, open := 0, 0
	z := html.NewTokenizer(strings.NewReader(content))
	for nodes <= maxNodes {
		switch z.Next() {
		case html.ErrorToken:
			return false
		case html.StartTagToken, html.SelfClosingTagToken:
			switch name, _ := z.TagName(); {
			case isFormatting[string(name)]:
				open++
			case string(name) == "body", string(name) == "html":
				nodes += maxNodes / 10
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); isFormatting[string(name)] && open > 0 {
				open--
			}
		}
		nodes += 1 + open
	}
	return true
}

// isFormatting are the elements that a browser opens again in the next block.
var isFormatting = map[string]bool{
	"a": true, "b": true, "big": true, "code": true, "em": true, "font": true, "i": true, "nobr": true, "s": true,
	"small": true, "strike": true, "strong": true, "tt": true, "u": true,
}

// isPlain tells whether a browser must read content as the tokenizer does, whatever
// tree it builds: nothing in it changes how the following bytes are read. It stands in
// for the tree of content that is too deep or too large to be parsed.
func isPlain(content string) bool {
	z := html.NewTokenizer(strings.NewReader(content))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return true
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			if n := string(name); n == "svg" || n == "math" || isRawText[n] {
				return false
			}
		}
	}
}

// hasScript tells whether a tree holds JavaScript.
func hasScript(n *html.Node) bool {
	if n.Type == html.ElementNode {
		if n.Data == "script" || n.Data == "iframe" && n.FirstChild != nil {
			return true
		}
		attrs := nodeAttributes(n)
		if n.Data == "meta" && isRefresh(attrs) {
			return true
		}
		for _, a := range attrs {
			if a.isScript(n.Data) {
				return true
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if hasScript(c) {
			return true
		}
	}
	return false
}
