package media

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/microcosm-cc/bluemonday"
	"golang.org/x/net/html"
)

// A second opinion on what is JavaScript: bluemonday's. It has no policy that keeps
// everything else, so one is made for each text, with every attribute that stands in it.

// scripts gives a text as it is without what bluemonday takes for JavaScript, and as it
// is with it: where the two differ there is some.
func scripts(content string) (without, with string) {
	all := attributeNames(content)
	var quiet []string
	for _, name := range all {
		if !eventName.MatchString(name) && name != "srcdoc" {
			quiet = append(quiet, name)
		}
	}
	return keeping(notScript, quiet, false).Sanitize(content), keeping(anything, all, true).Sanitize(content)
}

var (
	eventName = regexp.MustCompile(`^on[a-z]`)
	anything  = regexp.MustCompile(`(?s)`)
	notScript = except("script")
)

// except matches every word but one, which regexp cannot say in short.
func except(word string) *regexp.Regexp {
	forms := []string{regexp.QuoteMeta(word) + ".+"}
	for i := range word {
		forms = append(forms, word[:i], word[:i]+"[^"+word[i:i+1]+"].*")
	}
	return regexp.MustCompile("(?s)^(?:" + strings.Join(forms, "|") + ")$")
}

// keeping is a policy that keeps these elements and attributes, and urls of any scheme or
// of any but those that hold a script.
func keeping(elements *regexp.Regexp, attributes []string, anyScheme bool) *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowUnsafe(true) // of style and script it would keep nothing otherwise
	p.AllowComments()
	p.AllowElementsMatching(elements)
	p.AllowNoAttrs().OnElementsMatching(elements)
	p.AllowAttrs(attributes...).Globally()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemesMatching(anything)
	if anyScheme {
		return p
	}
	never := func(*url.URL) bool { return false }
	p.AllowURLSchemeWithCustomPolicy("javascript", never)
	p.AllowURLSchemeWithCustomPolicy("vbscript", never)
	p.AllowURLSchemeWithCustomPolicy("data", func(u *url.URL) bool { return !strings.HasPrefix(strings.ToLower(u.Opaque), "text/html") })
	return p
}

func attributeNames(content string) (names []string) {
	z := html.NewTokenizer(strings.NewReader(content))
	for z.Next() != html.ErrorToken {
		for _, a := range z.Token().Attr {
			names = append(names, a.Key)
		}
	}
	return names
}

// strangers is bluemonday's policy for their text.
var strangers = bluemonday.UGCPolicy()

// secondOpinion tells what bluemonday finds in a cleaned text.
func secondOpinion(t testing.TB, clean string) string {
	t.Helper()
	if without, with := scripts(clean); without != with {
		return fmt.Sprintf("bluemonday makes %q of %q", without, with)
	}
	if what := alive(t, strangers.Sanitize(clean)); what != "" {
		return "what its policy for strangers' text keeps has " + what
	}
	return ""
}

// TestSecondOpinion shows that bluemonday sees what it must, and nothing of it in what
// was cleaned.
func TestSecondOpinion(t *testing.T) {
	seen := 0
	for _, content := range lines(t, "testdata/hostile.txt") {
		if without, with := scripts(content); without != with {
			seen++
		}
		if what := secondOpinion(t, CleanArticle(content)); what != "" {
			t.Errorf("%q: %s", content, what)
		}
	}
	if seen < 70 { // the rest hides where only a tree shows it
		t.Errorf("bluemonday sees JavaScript in %d lines alone", seen)
	}
	for _, content := range lines(t, "testdata/innocent.txt") {
		if without, with := scripts(content); without != with {
			t.Errorf("bluemonday takes this for JavaScript: %q", content)
		}
	}
}
