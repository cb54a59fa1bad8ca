package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium for a test.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(tool(t, "chromium")), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// api is a client that is as plain as can be.
type api struct {
	t        *testing.T
	endpoint string
	token    string
	client   http.Client
}

func newAPI(t *testing.T, endpoint, appID, secret string) *api {
	a := &api{t: t, endpoint: endpoint}
	a.login(appID, secret)
	return a
}

func (a *api) login(appID, secret string) {
	a.t.Helper()
	answer := a.get("/cgi-bin/token?grant_type=client_credential&appid=" + appID + "&secret=" + url.QueryEscape(secret))
	token, ok := answer["access_token"].(string)
	if !ok {
		a.t.Fatalf("no token: %v", answer)
	}
	a.token = token
}

func (a *api) read(res *http.Response, err error) map[string]any {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		a.t.Fatalf("%s: %s", err, data)
	}
	return m
}

func (a *api) get(path string) map[string]any { return a.read(a.client.Get(a.endpoint + path)) }

func (a *api) post(endpoint string, args any) map[string]any {
	a.t.Helper()
	body, err := json.Marshal(args)
	if err != nil {
		a.t.Fatal(err)
	}
	return a.read(a.client.Post(a.endpoint+"/cgi-bin/material/"+endpoint+"?access_token="+a.token, "application/json", bytes.NewReader(body)))
}

func (a *api) list(typ string, offset int) (items []map[string]any) {
	for _, it := range a.post("batchget_material", map[string]any{"type": typ, "offset": offset, "count": 20})["item"].([]any) {
		items = append(items, it.(map[string]any))
	}
	return items
}

func evaluate[T any](t *testing.T, ctx context.Context, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// What the answers point to is shown by a browser, on narrow and wide screens.
func TestInABrowser(t *testing.T) {
	endpoint := serve(t, "--demo")
	a := newAPI(t, endpoint, "wxdemo000000000000", "0123456789abcdef0123456789abcdef")
	ctx := browser(t)
	open := func(address string) {
		t.Helper()
		if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
			t.Fatalf("%s: %v", address, err)
		}
	}
	pages := 0
	for _, width := range []int64{360, 1280} {
		if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 800)); err != nil {
			t.Fatal(err)
		}
		for _, news := range a.list("news", 0) {
			for _, article := range news["content"].(map[string]any)["news_item"].([]any) {
				article := article.(map[string]any)
				open(article["url"].(string))
				pages++
				if got := evaluate[string](t, ctx, "document.querySelector('h1').textContent"); got != article["title"] {
					t.Errorf("title %q, want %q", got, article["title"])
				}
				if n := evaluate[int](t, ctx, "[...document.images].filter(i => !i.complete || i.naturalWidth == 0).length"); n > 0 {
					t.Errorf("%s: %d pictures are not shown", article["title"], n)
				}
				if over := evaluate[int](t, ctx, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
					t.Errorf("%s: %d pixels wider than a screen of %d", article["title"], over, width)
				}
			}
		}
	}
	if pages != 32 {
		t.Errorf("%d pages were opened", pages)
	}

	for _, it := range a.list("image", 0)[:5] {
		for _, size := range []string{"0", "300", "64"} {
			open(strings.Replace(it["url"].(string), "/0?", "/"+size+"?", 1))
			most, _ := strconv.Atoi(size)
			if w := evaluate[int](t, ctx, "document.images[0].naturalWidth"); w == 0 || most > 0 && w > most && !strings.HasSuffix(it["name"].(string), ".gif") {
				t.Errorf("%s at %s is %d wide", it["name"], size, w)
			}
		}
	}
	for _, it := range a.list("video", 0) {
		video := a.post("get_material", map[string]any{"media_id": it["media_id"]})
		for _, address := range []string{video["down_url"].(string), it["url"].(string)} {
			open(address)
			ok := false
			for end := time.Now().Add(20 * time.Second); !ok && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
				ok = evaluate[bool](t, ctx, "(v => v && v.readyState >= 2 && Math.abs(v.duration - 4) < 0.2 && v.videoWidth > 0)(document.querySelector('video'))")
			}
			if !ok {
				t.Errorf("%s does not play", address)
			}
		}
	}
	for _, it := range a.list("voice", 0) {
		if strings.HasSuffix(it["name"].(string), ".amr") {
			continue // browsers do not play amr
		}
		open(it["url"].(string))
		ok := false
		for end := time.Now().Add(20 * time.Second); !ok && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			ok = evaluate[bool](t, ctx, "(v => v && v.readyState >= 2 && v.duration > 1)(document.querySelector('video,audio'))")
		}
		if !ok {
			t.Errorf("%s does not play", it["name"])
		}
	}
}

// Nothing runs on the page of an article, whatever its author sent.
func TestHostileArticleInABrowser(t *testing.T) {
	endpoint := serve(t, "--demo")
	a := newAPI(t, endpoint, "wxdemo000000000000", "0123456789abcdef0123456789abcdef")
	ctx := browser(t)
	text, err := os.ReadFile("../internal/media/testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\f`, "\f", `\r`, "\r", `\0`, "\x00", `\1`, "\x01",
		"alert(1)", "document.title='ran'").Replace(string(text))), "\n")
	// An article may be shown anywhere: on our page, and on one that forbids nothing.
	bare := barePage(t)
	title := func(address string) string {
		if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
			t.Fatal(err)
		}
		title, err := chromedp.Run(ctx, chromedp.Title())
		if err != nil {
			t.Fatal(err)
		}
		return title
	}
	for _, line := range []string{"<script>document.title='ran'</script>", `<svg onload="document.title='ran'">`} {
		if got := title(bare(line)); got != "ran" {
			t.Fatalf("%s does not run here: the title is %q, so nothing is proven", line, got)
		}
	}
	for from := 0; from < len(lines); from += 8 {
		var articles []map[string]any
		for _, line := range lines[from:min(from+8, len(lines))] {
			articles = append(articles, map[string]any{"title": "safe", "content": "<p>before</p>" + line, "thumb_media_id": "61224425", "show_cover_pic": 0})
		}
		id := a.post("add_news", map[string]any{"articles": articles})["media_id"]
		for _, article := range a.post("get_material", map[string]any{"media_id": id})["news_item"].([]any) {
			article := article.(map[string]any)
			content := article["content"].(string)
			if got := title(article["url"].(string)); got != "safe" {
				t.Errorf("%q on our page: title %q", content, got)
			}
			if got := title(bare(content)); got != "safe" {
				t.Errorf("%q on a bare page: title %q", content, got)
			}
		}
	}
}

// barePage serves content on pages of their own with the title "safe".
func barePage(t *testing.T) func(content string) (address string) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		io.WriteString(w, "<!doctype html><title>safe</title>"+r.URL.Query().Get("content"))
	}))
	t.Cleanup(srv.Close)
	return func(content string) string { return srv.URL + "/?content=" + url.QueryEscape(content) }
}
