package media

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// ShowArticle makes an article's content fit to stand inside the div of a page: parsed
// and written again, so that nothing in it swallows what follows; cleaned once more;
// and with the pictures and frames that WeChat names by data-src shown. Content that
// cannot be made so is shown as its text.
func ShowArticle(content string) string {
	text := html.EscapeString(ArticleText(content))
	nodes, err := html.ParseFragment(strings.NewReader(CleanArticle(content)), element("div"))
	if err != nil {
		return text
	}
	var out strings.Builder
	for _, n := range nodes {
		if !prepare(n) {
			continue
		}
		if err := html.Render(&out, n); err != nil {
			return text
		}
	}
	if shown := out.String(); isQuiet(shown) {
		return shown
	}
	return text
}

// notShown are elements that act on the page around them.
var notShown = []string{"base", "frameset", "link", "meta", "noscript", "plaintext", "script", "template", "title"}

// prepare changes a tree for showing; it tells whether the node itself may stay.
func prepare(n *html.Node) bool {
	if n.Type == html.ElementNode {
		if slices.Contains(notShown, n.Data) {
			return false
		}
		at := func(name string) int {
			return slices.IndexFunc(n.Attr, func(a html.Attribute) bool { return a.Namespace == "" && a.Key == name })
		}
		if from := at("data-src"); from >= 0 && at("src") < 0 {
			n.Attr[from].Key = "src"
		}
	}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if !prepare(c) {
			n.RemoveChild(c)
		}
		c = next
	}
	return n.Type != html.CommentNode && n.Type != html.DoctypeNode
}
