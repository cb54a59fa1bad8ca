package media

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// ShowArticle makes an article's content fit to stand inside the div of a page: parsed
// and written again, so that nothing in it swallows what follows; cleaned once more, on
// the tree; and with the pictures and frames that WeChat names by data-src shown.
// Content that cannot be made so is shown as its text.
func ShowArticle(content string) string {
	if !isBomb(content) {
		if shown, ok := show(content); ok && isQuiet(shown) {
			return shown
		}
	}
	return html.EscapeString(ArticleText(content))
}

func show(content string) (string, bool) {
	nodes, err := html.ParseFragment(strings.NewReader(content), element("div"))
	if err != nil {
		return "", false
	}
	var out strings.Builder
	for _, n := range nodes {
		if prepare(n) && html.Render(&out, n) != nil {
			return "", false
		}
	}
	return out.String(), true
}

// notShown are elements that act on the page around them.
var notShown = []string{"base", "frameset", "link", "meta", "noscript", "plaintext", "script", "template", "title"}

// prepare changes a tree for showing; it tells whether the node itself may stay.
func prepare(n *html.Node) bool {
	switch {
	case n.Type == html.CommentNode, n.Type == html.DoctypeNode:
		return false
	case n.Type == html.ElementNode:
		if slices.Contains(notShown, n.Data) {
			return false
		}
		prepareAttributes(n)
	}
	for c := n.FirstChild; c != nil; {
		next := c.NextSibling
		if n.Data == "iframe" || !prepare(c) {
			n.RemoveChild(c)
		}
		c = next
	}
	return true
}

// prepareAttributes removes scripts and puts what data-src names into src: WeChat's
// pages load it from there, and src holds a stand-in at most.
func prepareAttributes(n *html.Node) {
	lazy := ""
	var kept []html.Attribute
	for i, a := range nodeAttributes(n) {
		switch {
		case a.isScript(n.Data):
		case a.name == "data-src":
			lazy = a.value
		default:
			kept = append(kept, n.Attr[i])
		}
	}
	if lazy != "" {
		kept = slices.DeleteFunc(kept, func(a html.Attribute) bool { return a.Namespace == "" && a.Key == "src" })
		kept = append(kept, html.Attribute{Key: "src", Val: lazy})
	}
	n.Attr = kept
}
