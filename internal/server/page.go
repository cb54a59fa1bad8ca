package server

import (
	"bytes"
	_ "embed"
	"html/template"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"sucai/wechat"
)

//go:embed article.html
var articleHTML string

//go:embed index.html
var indexHTML string

var (
	articlePage = template.Must(template.New("article").Parse(articleHTML))
	indexPage   = template.Must(template.New("index").Parse(indexHTML))
)

// What an article may do on its page: show itself. Pictures and films may come from
// anywhere, as articles' do; nothing runs, and the page has no origin.
const articlePolicy = "default-src 'none'; img-src * data:; media-src *; style-src 'unsafe-inline'; frame-src http: https:; " +
	"base-uri 'none'; form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"

// china is the platform's time.
var china = time.FixedZone("UTC+8", 8*3600)

// serveArticle answers /s?__biz=..&mid=..&idx=..&sn=..: the page of an article.
func serveArticle(v *visit) {
	q := v.URL.Query()
	memory := hold{server: v.server, ctx: v.Context()}
	defer memory.release()
	p, err := v.server.libraries.Article(v.Context(), q.Get("__biz"), q.Get("mid"), q.Get("idx"), q.Get("sn"), v.server.base(v.Request), memory.room)
	if err != nil {
		v.fail(err)
		return
	}
	a := p.Article
	v.subject = append(v.subject, slog.String("appid", p.Account.AppID))
	v.sendPage(articlePolicy, articlePage, map[string]any{
		"Title": a.Title, "Author": a.Author, "Digest": a.Digest, "Account": p.Account.Settings.Name,
		"Date":   time.Unix(p.Created, 0).In(china).Format("2006-01-02"),
		"Cover":  cover(&a),
		"Source": source(&a),
		"Body":   template.HTML(p.Body),
	})
}

// source gives the address to read on at, where it is one that a reader may follow.
func source(a *wechat.Article) string {
	if u, err := url.Parse(a.ContentSourceURL); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return a.ContentSourceURL
}

// cover gives the picture to show above an article, unless its text shows it too.
func cover(a *wechat.Article) string {
	picture, _, _ := strings.Cut(a.ThumbURL, "?")
	if a.ShowCoverPic != 1 || strings.Contains(a.Content, picture) {
		return ""
	}
	return a.ThumbURL
}

// serveIndex answers GET /: what this is.
func serveIndex(v *visit) {
	v.sendPage("default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'", indexPage, v.server.base(v.Request))
}

func (v *visit) sendPage(policy string, page *template.Template, data any) {
	var out bytes.Buffer
	if err := page.Execute(&out, data); err != nil {
		v.fail(err)
		return
	}
	h := v.w.Header()
	h["Content-Security-Policy"] = []string{policy}
	h["Referrer-Policy"] = []string{"no-referrer"}
	h["X-Content-Type-Options"] = noSniff
	v.send("text/html; charset=utf-8", out.Bytes())
}
