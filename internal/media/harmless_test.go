package media

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Articles built of harmless pieces come out to the byte, whatever their nesting.

// harmlessNames are elements in articles, WeChat's own among them.
var harmlessNames = []string{
	"p", "section", "span", "strong", "em", "a", "img", "br", "hr", "ul", "ol", "li", "table", "tbody", "tr", "td", "th", "blockquote", "h1", "pre", "code",
	"font", "center", "b", "i", "u", "sup", "ruby", "rt", "figure", "details", "summary", "video", "audio", "P", "Section", "o:p",
	"mpvoice", "mp-common-profile", "mp-miniprogram", "mpvideosnap", "qqmusic", "mpcps", "mp-style-type",
}

// harmlessAttributes are whole attributes, odd ones too.
var harmlessAttributes = []string{
	`style="margin: 0px; padding: 0 8px;max-width: 100%;"`, `style='font-family:"Times New Roman", 宋体'`, `style="background-image: url(&quot;https://mmbiz.qpic.cn/a&quot;);"`,
	`class="rich_pages wxw-img"`, `data-src="https://mmbiz.qpic.cn/mmbiz_jpg/abc/640?wx_fmt=jpeg"`, `data-ratio="0.75"`, `data-w=1080`, `data-type='png'`,
	`src="//example.com/a.png"`, `src="data:image/png;base64,iVBORw0KGgo="`, `href="https://example.com/?a=1&b=2#c"`, `href=/x/y`, `href="javascripts.html"`,
	`href="mailto:a@example.com"`, `href="tel:+86"`, `href="weixin://dl/x"`, `href=""`, `title="javascript:alert(1)"`, `alt="a > b & c &lt; d"`, `alt='"'`,
	`data-onclick="x"`, `on="x"`, `o`, `xonclick=y`, `data-on=1`, `_onload=1`, `name=refresh`, `content="0;url=x"`, `colspan=2`, `width="100%"`,
	`textvalue="你已选中了添加小程序的内容"`, `data-nickname="昵称"`, `data-miniprogram-path="pages/index?a=1&amp;b=2"`, `powered-by="xiumi.us"`, `"`, `=`, `a"b=c`, `/`,
	`mpa-is-content="t"`, `label="Copyright &copy; 2020"`, `contenteditable=false`, `ID=A`, `xmlns:v="urn:x"`, `v:shape="1"`,
}

// harmlessPieces stand as they are.
var harmlessPieces = []string{
	"春眠不觉晓，", "处处闻啼鸟。", "plain words ", " ", "\n", "\t\r\n", "&nbsp;", "&amp;", "&lt;script&gt;", "&#x6625;", "&#26149", "&copy", "&unknown;", "& ", "&",
	"a < b", "<", "< p>", "<3", "<>", "</>", "5 > 4", "😀", "javascript:alert(1)", "onclick=x", "\u200b", "\ufeff", "—“”", "\x7f",
	`<iframe class="video_iframe rich_pages" data-vidtype="2" allowfullscreen="" frameborder="0" data-src="https://v.qq.com/iframe/preview.html?vid=x&amp;width=500"></iframe>`,
	`<mpvoice class="js_editor_audio" name="音频" play_length="12000" voice_encode_fileid="Mz_1"></mpvoice>`,
	"<!-- a comment -->", "<!---->", "<!-- < > & \" -->", "<!--[if mso]><p>x</p><![endif]-->", "<!doctype html>", "<?xml version=\"1.0\"?>",
	"<style>.a > .b::before { content: \"x\"; }</style>", "<style type=text/css></style>", "<textarea rows=2>text & more</textarea>",
	`<svg viewBox="0 0 10 10" style="transform: scale(1)"><g><path d="M0 0h10v10z" fill="#fff"></path><animate attributeName="opacity" values="0;1" dur="1s"/></g></svg>`,
	"<math><mi>a</mi></math>", "<br/>", "<br  />", "<hr / >", "<img/src=x/alt=y>",
}

// openingTag draws a start tag, with blanks as browsers and people put them.
func openingTag(t *rapid.T) string {
	var tag strings.Builder
	tag.WriteString("<" + rapid.SampledFrom(harmlessNames).Draw(t, "name"))
	for range rapid.IntRange(0, 4).Draw(t, "attributes") {
		tag.WriteString(rapid.SampledFrom([]string{" ", "  ", "\n", "\t", " / "}).Draw(t, "blank") + rapid.SampledFrom(harmlessAttributes).Draw(t, "attribute"))
	}
	tag.WriteString(rapid.SampledFrom([]string{">", " >", " />", "/>", "\n>"}).Draw(t, "end"))
	return tag.String()
}

// harmless draws pieces, tags that open and tags that close in any order.
func harmless(t *rapid.T) []string {
	piece := rapid.OneOf(
		rapid.SampledFrom(harmlessPieces),
		rapid.Custom(openingTag),
		rapid.Map(rapid.SampledFrom(harmlessNames), func(name string) string { return "</" + name + ">" }),
	)
	return rapid.SliceOfN(piece, 0, 12).Draw(t, "pieces")
}

func TestHarmlessArticles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := strings.Join(harmless(t), "")
		if clean := CleanArticle(content); clean != content {
			t.Fatalf("%q became %q", content, clean)
		}
	})
}

// hostilePieces are JavaScript, and what must be left of it. They end where they end, so
// that nothing but them is cut.
var hostilePieces = []struct{ is, left string }{
	{"<script>alert(1)</script>", ""},
	{"<SCRIPT type='text/javascript' src=//x>1</SCRIPT >", ""},
	{`<p onclick="x()" class=a>`, `<p class=a>`},
	{`<img src=x onerror=alert(1)>`, `<img src=x>`},
	{`<a href="javascript:x" title=t>`, `<a title=t>`},
	{`<a href="&#106;ava&Tab;script:x">`, `<a>`},
	{`<img src=" data:text/html,x" alt>`, `<img alt>`},
	{`<iframe srcdoc="<p>" width=1>x</iframe>`, `<iframe width=1></iframe>`},
	{`<meta http-equiv=refresh content="0;url=x">`, ""},
}

// What is cut out of an article leaves the rest to the byte.
func TestHostileArticles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var content, want strings.Builder
		for _, part := range harmless(t) {
			if strings.HasSuffix(part, "<") {
				continue // would make a tag of what follows
			}
			bad := rapid.SampledFrom(hostilePieces).Draw(t, "hostile")
			content.WriteString(part + bad.is)
			want.WriteString(part + bad.left)
		}
		clean := CleanArticle(content.String())
		if clean != want.String() {
			t.Fatalf("%q\n got %q\nwant %q", content.String(), clean, want.String())
		}
		if without, with := scripts(clean); without != with {
			t.Fatalf("bluemonday makes %q of %q", without, with)
		}
	})
}
