package media

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// found is the tests' own reading of the rule, apart from the code's: a tree walk that
// names the JavaScript it finds.
func found(n *html.Node) string {
	scheme := regexp.MustCompile(`(?i)^[\x00-\x20]*(j[\t\r\n]*a[\t\r\n]*v[\t\r\n]*a[\t\r\n]*s[\t\r\n]*c[\t\r\n]*r[\t\r\n]*i[\t\r\n]*p[\t\r\n]*t|v[\t\r\n]*b[\t\r\n]*s[\t\r\n]*c[\t\r\n]*r[\t\r\n]*i[\t\r\n]*p[\t\r\n]*t)[\t\r\n]*:|^[\x00-\x20]*data:[/\s]*text/html`)
	var walk func(n *html.Node) string
	walk = func(n *html.Node) string {
		if n.Type == html.ElementNode {
			switch {
			case n.Data == "script":
				return "script"
			case n.Data == "iframe" && n.FirstChild != nil:
				return "content of an iframe"
			}
			for _, a := range n.Attr {
				key := strings.ToLower(a.Key)
				switch {
				case regexp.MustCompile(`^on[a-z]`).MatchString(key):
					return "event attribute " + key
				case key == "srcdoc":
					return "srcdoc"
				case key == "http-equiv" && n.Data == "meta" && strings.EqualFold(strings.TrimSpace(a.Val), "refresh"):
					return "refresh"
				case scheme.MatchString(a.Val) && regexp.MustCompile(`^(.*:)?(href|src|action|formaction|data|poster|background|data-src|cite|longdesc|code|manifest)$`).MatchString(key):
					return "url in " + key
				}
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if what := walk(c); what != "" {
				return what
			}
		}
		return ""
	}
	return walk(n)
}

// alive parses as a browser does, in several places and with scripting on and off.
func alive(t testing.TB, content string) string {
	t.Helper()
	return aliveIn(t, content, "body", "div", "td", "select", "template", "noscript")
}

func aliveIn(t testing.TB, content string, places ...string) string {
	t.Helper()
	for _, scripting := range []bool{true, false} {
		opt := html.ParseOptionEnableScripting(scripting)
		if doc, err := html.ParseWithOptions(strings.NewReader(content), opt); err == nil {
			if what := found(doc); what != "" {
				return what
			}
		}
		for _, where := range places {
			ctx := &html.Node{Type: html.ElementNode, Data: where, DataAtom: atom.Lookup([]byte(where))}
			nodes, err := html.ParseFragmentWithOptions(strings.NewReader(content), ctx, opt)
			if err != nil {
				continue
			}
			for _, n := range nodes {
				if what := found(n); what != "" {
					return what
				}
			}
		}
	}
	return ""
}

func lines(t testing.TB, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	list := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	unescape := strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r", `\0`, "\x00", `\1`, "\x01", `\f`, "\f", `\\`, `\`)
	for i := range list {
		list[i] = unescape.Replace(list[i])
	}
	return list
}

// Every line of hostile.txt holds JavaScript in one disguise or another.
func TestCleanArticleRemovesJavaScript(t *testing.T) {
	for _, content := range lines(t, "testdata/hostile.txt") {
		clean := CleanArticle(content)
		if clean == content {
			t.Errorf("nothing was removed: %q", content)
		}
		if what := alive(t, clean); what != "" {
			t.Errorf("%q leaves %s: %q", content, what, clean)
		}
		if again := CleanArticle(clean); again != clean {
			t.Errorf("%q: a second pass changes %q to %q", content, clean, again)
		}
		if what := alive(t, ShowArticle(content)); what != "" {
			t.Errorf("%q is shown with %s", content, what)
		}
	}
}

// Every line of innocent.txt comes out to the byte.
func TestCleanArticleKeepsTheRest(t *testing.T) {
	all := lines(t, "testdata/innocent.txt")
	for _, content := range append(all, strings.Join(all, "\n")) {
		if clean := CleanArticle(content); clean != content {
			t.Errorf("%q became %q", content, clean)
		}
	}
	deep := strings.Repeat("<b>", 5000) + "x" + strings.Repeat("</b>", 5000)
	if CleanArticle(deep) != deep {
		t.Error("deep nesting was changed")
	}
}

func TestCleanArticle(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<p>a</p><script>alert(1)</script><p>b</p>`, `<p>a</p><p>b</p>`},
		{`<P  onclick = "x()"  class='k' >a</P>`, `<P  class='k' >a</P>`},
		{`<img src="a.png"onerror="x()"alt="b">`, `<img src="a.png"alt="b">`},
		{`<img/onerror=x src=a>`, `<img/ src=a>`},
		{`<a href="javascript:alert(1)" title="t">x</a>`, `<a title="t">x</a>`},
		{`<a href="&#106;ava&Tab;script:x">x</a>`, `<a>x</a>`},
		{`<a href=" JaVa` + "\n" + `Script:x">x</a>`, `<a>x</a>`},
		{`<iframe class="video_iframe" data-src="https://v.qq.com/x"><p>no</p></iframe>!`, `<iframe class="video_iframe" data-src="https://v.qq.com/x"></iframe>!`},
		{`<iframe srcdoc="<script>1</script>" width=1></iframe>`, `<iframe width=1></iframe>`},
		{`a<meta http-equiv=Refresh content="0;url=x">b`, `ab`},
		{`<scr<script></script>ipt>alert(1)</script>x`, `<scr<script>ipt>alert(1)x`}, // an element named scr<script
		{`<svg><a xlink:href="javascript:x"><text>t</text></a></svg>`, `<svg><a><text>t</text></a></svg>`},
		{`<button formaction=javascript:x>b</button>`, `<button>b</button>`},
		{`<img src="data:image/svg+xml,<svg/>">`, `<img src="data:image/svg+xml,<svg/>">`},
		{`<a href="data:image/svg+xml,<svg/>">x</a>`, `<a>x</a>`},
		{`<a href="data: text/html ;base64,PHA+">x</a>`, `<a>x</a>`},
		{`tail <img src=x onerror=1`, `tail <img src=x`},
		{`tail <b title="a`, `tail <b title="a`},
		{`<a href onclick=x ="javascript:x">t</a>`, `<a>t</a>`},
		{`<textarea><script>1</script></textarea>`, `<textarea></textarea>`},
		{`tail</p onclick=x`, `tail</p onclick=x`}, // an end tag has no attributes
		{`a<!--<script>x</script>-->b<p data-tools="<b onclick=x>">c</p>`, `a<!--<script>x</script>-->b<p data-tools="<b onclick=x>">c</p>`},
		{`<style>p{}</style>a<!--<script>x</script>--><p data-tools="<b onclick=x>" class=k>c</p><!-- d -->`, `<style>p{}</style>a<p class=k>c</p><!-- d -->`},
		{`<svg><path d="M0"/></svg><section data-tools='<script>'>t</section>`, `<svg><path d="M0"/></svg><section>t</section>`},
	} {
		if got := CleanArticle(c.in); got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestArticleText(t *testing.T) {
	in := "<p> 春&nbsp;眠 </p>\n<style>p{}</style><script>x</script><p>不觉&lt;晓&#x21;</p><iframe>n</iframe><!-- c -->"
	if got, want := ArticleText(in), "春 眠 不觉<晓!"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if got, want := ArticleLength(in), len([]rune(" 春 眠 \n不觉<晓!")); got != want {
		t.Errorf("length %d, want %d", got, want)
	}
}

func TestShowArticle(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`<p>a<b>b`, `<p>a<b>b</b></p>`},
		{`</div></body><img data-src="x.png">`, `<img src="x.png"/>`},
		{`<img data-src="x.png" src="y.png" alt=z>`, `<img alt="z" src="x.png"/>`},
		{`<p onclick=x>a<script>b</script><a href="javascript:x">c</a>`, `<p>a<a>c</a></p>`},
		{`<iframe class="video_iframe" data-src="https://v.qq.com/x"></iframe>`, `<iframe class="video_iframe" src="https://v.qq.com/x"></iframe>`},
		{`a<!-- b`, `a`},
		{`a<plaintext>b`, `a`},
		{`<base href="//x"><link rel=x><title>t</title>z`, `z`},
		{`a<textarea>b`, `a<textarea>b</textarea>`},
	} {
		if got := ShowArticle(c.in); got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

// What is built to be read again and again is still read in one go.
func TestCleanArticleOfMuch(t *testing.T) {
	for _, piece := range []string{"<", "<script", "<script>", "<a ", "<a b='", "<!--", "<![CDATA[", "<svg><style>", "<xmp><style>",
		"<iframe>", "<p onclick=x>", `<a href="javascript:x">`, "&", "</", "<scr<script></script>ipt>", "<textarea><title>", "<b>", "<form>", "<p><b>", "<p><b><i x=1>", "<body a%d>", "<html a=b>"} {
		content := strings.Repeat(piece, (1<<16)/len(piece))
		if what := aliveIn(t, CleanArticle(content), "div"); what != "" {
			t.Errorf("%q leaves %s", piece, what)
		}
	}
}

// A tree can be far larger than its text; then it is not built.
func TestArticleBomb(t *testing.T) {
	var formats strings.Builder
	for i := range 400 {
		fmt.Fprintf(&formats, "<b id=%d>", i)
	}
	bomb := formats.String() + strings.Repeat("<p>", 300_000)
	before := testing.AllocsPerRun(1, func() { CleanArticle(bomb); ShowArticle(bomb) })
	if before > 10_000_000 {
		t.Errorf("%.0f allocations", before)
	}
	if CleanArticle(bomb) != bomb {
		t.Error("plain content was changed")
	}
	if shown := ShowArticle(bomb + "text"); shown != "text" {
		t.Errorf("shown as %.60q", shown)
	}
	if hostile := CleanArticle(bomb + "<svg><style><img src=x onerror=alert(1)></style>"); alive(t, hostile[len(formats.String()):][:1000]) != "" {
		t.Error("hostile content stayed")
	}
}

func FuzzCleanArticle(f *testing.F) {
	for _, file := range []string{"testdata/hostile.txt", "testdata/innocent.txt"} {
		for _, content := range lines(f, file) {
			f.Add(content)
		}
	}
	f.Fuzz(func(t *testing.T, content string) {
		clean := CleanArticle(content)
		if what := alive(t, clean); what != "" {
			t.Fatalf("leaves %s: %q", what, clean)
		}
		if again := CleanArticle(clean); again != clean {
			t.Fatalf("a second pass changes %q to %q", clean, again)
		}
		if what := secondOpinion(t, clean); what != "" {
			t.Fatalf("%q: %s", clean, what)
		}
		if what := alive(t, ShowArticle(content)); what != "" {
			t.Fatalf("shown with %s: %q", what, ShowArticle(content))
		}
	})
}

func BenchmarkCleanArticle(b *testing.B) {
	content := strings.Repeat(`<section style="margin: 0 8px;"><p>春眠不觉晓，处处闻啼鸟。<br  /></p><img data-src="https://example.com/0" data-w="640" /></section>`, 50)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		CleanArticle(content)
	}
}
