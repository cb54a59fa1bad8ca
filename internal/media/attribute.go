package media

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// attribute is one attribute of a start tag: what a browser makes of it, and where it
// stands in the tag's text.
type attribute struct {
	name, value string // lower case; entities decoded
	start, end  int
}

// spaces are the white space between attributes.
const spaces = " \t\n\f\r"

// tagName gives the lower-case name of a start or end tag.
func tagName(raw string) string {
	name := strings.TrimPrefix(strings.TrimPrefix(raw, "<"), "/")
	if i := strings.IndexAny(name, spaces+"/>"); i >= 0 {
		name = name[:i]
	}
	return strings.ToLower(name)
}

// attributes reads the attributes of a whole start tag, as the HTML standard has it:
// names may hold nearly anything, values need no quotes, and between two attributes
// slashes do as well as blanks or nothing.
func attributes(raw string) (list []attribute) {
	i := len("<")
	for i < len(raw) && !strings.ContainsRune(spaces+"/>", rune(raw[i])) {
		i++
	}
	skip := func(set string) {
		for i < len(raw) && strings.IndexByte(set, raw[i]) >= 0 {
			i++
		}
	}
	until := func(set string) {
		for i < len(raw) && strings.IndexByte(set, raw[i]) < 0 {
			i++
		}
	}
	for {
		skip(spaces + "/")
		if i >= len(raw) || raw[i] == '>' {
			return list
		}
		a := attribute{start: i}
		i++ // a name may begin with =
		until(spaces + "/>=")
		a.name = strings.ToLower(raw[a.start:i])
		a.end = i
		skip(spaces)
		if i < len(raw) && raw[i] == '=' {
			i++
			skip(spaces)
			from := i
			switch {
			case i < len(raw) && (raw[i] == '"' || raw[i] == '\''):
				quote := raw[i : i+1]
				i, from = i+1, from+1
				until(quote)
				a.value = raw[from:i]
				i = min(i+1, len(raw))
			default:
				until(spaces + ">")
				a.value = raw[from:i]
			}
			a.value = html.UnescapeString(a.value)
			a.end = i
		}
		list = append(list, a)
	}
}

func nodeAttributes(n *html.Node) (list []attribute) {
	for _, a := range n.Attr {
		name := strings.ToLower(a.Key)
		if a.Namespace != "" {
			name = a.Namespace + ":" + name
		}
		list = append(list, attribute{name: name, value: a.Val})
	}
	return list
}

// urlAttributes hold an address; data-src because pages make it a src.
var urlAttributes = []string{
	"action", "background", "cite", "classid", "code", "codebase", "data", "data-src", "dynsrc", "formaction", "href",
	"icon", "longdesc", "lowsrc", "manifest", "poster", "profile", "src", "usemap",
}

// urlLists hold several, behind blanks or commas.
var urlLists = []string{"archive", "imagesrcset", "ping", "srcset"}

// animated are the values that SVG puts into other attributes, such as href.
var animated = []string{"by", "from", "to", "values"}

// isScript tells whether an attribute of an element is, or leads to, JavaScript.
func (a attribute) isScript(element string) bool {
	name := a.name
	if len(name) > 2 && strings.HasPrefix(name, "on") && name[2] >= 'a' && name[2] <= 'z' || name == "srcdoc" {
		return true
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 { // xlink:href, under any prefix
		name = name[i+1:]
	}
	opens := opensDocuments[element]
	switch {
	case slices.Contains(urlAttributes, name), name == "value" && element == "param":
		return isScriptURL(a.value, opens)
	case slices.Contains(urlLists, name):
		return slices.ContainsFunc(strings.FieldsFunc(a.value, func(r rune) bool { return r == ',' || strings.ContainsRune(spaces, r) }),
			func(url string) bool { return isScriptURL(url, opens) }) || isScriptURL(a.value, opens)
	case slices.Contains(animated, name) && (strings.HasPrefix(element, "animate") || element == "set"):
		return slices.ContainsFunc(strings.Split(a.value, ";"), func(url string) bool { return isScriptURL(url, true) })
	}
	return false
}

// opensDocuments are the elements that open what their address leads to as a document,
// whose scripts would run. An img does not.
var opensDocuments = map[string]bool{
	"a": true, "applet": true, "area": true, "button": true, "embed": true, "form": true, "frame": true, "iframe": true,
	"input": true, "link": true, "object": true, "portal": true, "use": true,
}

// isScriptURL reads the start of an address as a browser does: control characters and
// blanks in front do not count, tabs and line ends nowhere.
func isScriptURL(url string, opens bool) bool {
	url = strings.TrimLeftFunc(url, func(r rune) bool { return r <= ' ' })
	url = strings.Map(func(r rune) rune {
		if r == '\t' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, url)
	scheme, rest, ok := strings.Cut(url, ":")
	if !ok {
		return false
	}
	switch strings.ToLower(scheme) {
	case "javascript", "vbscript":
		return true
	case "data":
		kind, _, _ := strings.Cut(strings.TrimLeft(rest, "/"), ",") // data://text/html is one too
		kind, _, _ = strings.Cut(kind, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
		return strings.HasPrefix(kind, "text/html") || opens && (strings.HasSuffix(kind, "xml") || kind == "text/xsl")
	}
	return false
}

// isRefresh tells whether a meta element sends the reader elsewhere.
func isRefresh(attrs []attribute) bool {
	return slices.ContainsFunc(attrs, func(a attribute) bool {
		return a.name == "http-equiv" && strings.EqualFold(strings.TrimSpace(a.value), "refresh")
	})
}

func element(name string) *html.Node {
	return &html.Node{Type: html.ElementNode, Data: name, DataAtom: atom.Lookup([]byte(name))}
}
