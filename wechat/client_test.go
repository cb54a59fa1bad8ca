package wechat_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/server"
	"sucai/wechat"
)

var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde")

// film is an ftyp and a moov with an mvhd.
var film = []byte("\x00\x00\x00\x10ftypisom\x00\x00\x02\x00" + "\x00\x00\x00\x74moov\x00\x00\x00\x6cmvhd" + strings.Repeat("\x00", 100))

func newClient(t *testing.T) (*wechat.Client, *library.Libraries) {
	t.Helper()
	ls, err := library.Open(t.Context(), storetest.Engines[0].Open(t), library.Options{})
	must(t, err)
	a, secret, err := ls.NewAccount(t.Context(), "", "")
	must(t, err)
	srv := httptest.NewServer(server.New(ls, server.Options{Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(srv.Close)
	return &wechat.Client{Endpoint: srv.URL + "/", AppID: a.AppID, Secret: secret}, ls
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestClient(t *testing.T) {
	c, _ := newClient(t)
	ctx := t.Context()

	image, err := c.AddMaterial(ctx, wechat.Upload{Type: wechat.Image, Name: "图 \"a\"\x1b\r\n.png", Body: bytes.NewReader(png)})
	must(t, err)
	video, err := c.AddMaterial(ctx, wechat.Upload{Type: wechat.Video, Name: "f.mp4", Body: io.MultiReader(bytes.NewReader(film)), Title: "题<>&", Introduction: "述"})
	must(t, err)
	url, err := c.UploadImg(ctx, wechat.Upload{Name: "i.png", Body: bytes.NewReader(png)})
	must(t, err)
	article := wechat.Article{Title: "标题", Content: `<p>正文</p><img src="` + url + `">`, ThumbMediaID: image.MediaID, ShowCoverPic: 1}
	news, err := c.AddNews(ctx, []wechat.Article{article, article})
	must(t, err)

	m, err := c.GetMaterial(ctx, image.MediaID)
	must(t, err)
	got, err := io.ReadAll(m.File.Body)
	must(t, err)
	must(t, m.File.Body.Close())
	if !bytes.Equal(got, png) || m.File.Name != image.MediaID+".png" || m.File.ContentType != "image/png" || m.File.Size != int64(len(png)) {
		t.Errorf("image: %+v, %d bytes", m.File, len(got))
	}
	m, err = c.GetMaterial(ctx, video.MediaID)
	must(t, err)
	if m.Video == nil || m.Video.Title != "题<>&" || m.Video.Description != "述" {
		t.Fatalf("video: %+v", m)
	}
	f, err := c.Fetch(ctx, m.Video.DownURL)
	must(t, err)
	got, err = io.ReadAll(f.Body)
	must(t, err)
	must(t, f.Body.Close())
	if !bytes.Equal(got, film) {
		t.Error("the film differs")
	}
	if _, err := c.Fetch(ctx, m.Video.DownURL+"0"); err == nil || strings.Contains(err.Error(), "vkey") {
		t.Errorf("a wrong address: %v", err)
	}

	article.Title = "新"
	must(t, c.UpdateNews(ctx, news, 1, article))
	m, err = c.GetMaterial(ctx, news)
	must(t, err)
	if m.News == nil || len(m.News.NewsItem) != 2 || m.News.NewsItem[1].Title != "新" || m.News.NewsItem[0].Content != article.Content {
		t.Fatalf("news: %+v", m.News)
	}
	p, err := c.BatchGetMaterial(ctx, wechat.News, 0, 20)
	must(t, err)
	if p.TotalCount != 1 || p.Item[0].Content.NewsItem[1].Title != "新" {
		t.Errorf("page: %+v", p)
	}
	n, err := c.GetMaterialCount(ctx)
	must(t, err)
	if *n != (wechat.Counts{Video: 1, Image: 1, News: 1}) {
		t.Errorf("counts: %+v", n)
	}
	temporary, err := c.UploadMedia(ctx, wechat.Upload{Type: wechat.Image, Name: "t.png", Body: bytes.NewReader(png)})
	must(t, err)
	m, err = c.GetMedia(ctx, temporary.MediaID)
	must(t, err)
	must(t, m.File.Body.Close())
	temporary, err = c.UploadMedia(ctx, wechat.Upload{Type: wechat.Video, Name: "t.mp4", Body: bytes.NewReader(film)})
	must(t, err)
	if m, err = c.GetMedia(ctx, temporary.MediaID); err != nil || !strings.Contains(m.Video.DownURL, "/video/") {
		t.Errorf("temporary video: %+v, %v", m, err)
	}

	must(t, c.DelMaterial(ctx, image.MediaID))
	for _, err := range []error{c.DelMaterial(ctx, image.MediaID), func() error { _, err := c.GetMaterial(ctx, image.MediaID); return err }()} {
		if !errors.Is(err, wechat.ErrInvalidMediaID) {
			t.Errorf("deleted: %v", err)
		}
	}
	if _, err := c.BatchGetMaterial(ctx, "thumb", 0, 20); !errors.Is(err, wechat.ErrInvalidMediaType) {
		t.Errorf("thumbs: %v", err)
	}
	c.Secret = "wrong"
	if _, err := c.StableToken(ctx, false); !errors.Is(err, wechat.ErrInvalidSecret) {
		t.Errorf("wrong secret: %v", err)
	}
}

// A refused token is fetched anew, once, and an upload starts again where it can.
func TestClientRetries(t *testing.T) {
	c, ls := newClient(t)
	ctx := t.Context()
	_, err := c.GetMaterialCount(ctx)
	must(t, err)
	end := func() {
		t.Helper()
		var err error
		c.Secret, err = ls.RotateSecret(ctx, c.AppID) // ends the account's tokens
		must(t, err)
	}
	end()
	_, err = c.GetMaterialCount(ctx)
	must(t, err)
	end()
	body := bytes.NewReader(append([]byte("skip"), png...))
	body.Seek(4, io.SeekStart)
	up := wechat.Upload{Type: wechat.Image, Name: "a.png", Body: body}
	added, err := c.AddMaterial(ctx, up)
	must(t, err)
	m, err := c.GetMaterial(ctx, added.MediaID)
	must(t, err)
	must(t, m.File.Body.Close())
	if m.File.Size != int64(len(png)) {
		t.Errorf("%d bytes were sent again", m.File.Size)
	}
	end()
	up.Body = io.MultiReader(bytes.NewReader(png))
	if _, err := c.AddMaterial(ctx, up); !errors.Is(err, wechat.ErrInvalidCredential) {
		t.Errorf("a stream that cannot be sent again: %v", err)
	}

	calls := 0
	refuse := &wechat.Client{Endpoint: c.Endpoint, Token: func(context.Context, string) (string, error) {
		calls++
		return fmt.Sprint("bad", calls), nil
	}}
	if _, err := refuse.GetMaterialCount(ctx); !errors.Is(err, wechat.ErrInvalidCredential) || calls != 2 {
		t.Errorf("refused twice: %v after %d tokens", err, calls)
	}
}

// An error never comes out as a file, however a server labels it, and neither does
// anything else that is no material.
func TestClientJudgesByBytes(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		contentType, body string
		status            int
		want              func(m *wechat.Material, err error) bool
	}{
		{"image/jpeg", `{"errcode":40007,"errmsg":"invalid media_id hint: [x] rid: y"}`, 200, isInvalid},
		{"text/plain", "\n {\"errmsg\" : \"invalid media_id\", \"errcode\" : 40007}\n", 200, isInvalid},
		{"", `{"errcode":40007,"errmsg":"x","more":"` + strings.Repeat("x", 1000) + `"}`, 200, isInvalid},
		{"image/png", `{"errcode":"61007","errmsg":"x"}`, 200, func(_ *wechat.Material, err error) bool { return errors.Is(err, &wechat.Error{Code: 61007}) }},
		{"image/png", "\xff\xd8\xff", 200, func(m *wechat.Material, err error) bool { return err == nil && m.File != nil }},
		{"application/json", "#!AMR\n", 200, func(m *wechat.Material, err error) bool { return err == nil && m.File != nil }},
		{"image/png", "", 200, func(m *wechat.Material, err error) bool { return err != nil }},
		{"image/png", "{not json", 200, func(m *wechat.Material, err error) bool { return err != nil }},
		{"text/html", "<html>bad gateway", 502, func(m *wechat.Material, err error) bool { return err != nil && strings.Contains(err.Error(), "502") }},
		{"image/png", "\ufeff" + `{"errcode":40007,"errmsg":"invalid media_id"}`, 200, isInvalid},
		{"text/plain", "\r\n\ufeff\n" + `{"errcode":40007,"errmsg":"invalid media_id"}`, 200, isInvalid},
		{"image/jpeg", "\n<!DOCTYPE html><html>", 200, says("no image, voice or video but")},
		{"video/mp4", "\ufeff<xml>", 200, says("no image, voice or video but")},
		{"image/jpeg", `[{"errcode":40007}]`, 200, says("no image, voice or video but")},
		{"image/jpeg", "404 page not found", 200, says("no image, voice or video but")},
		{"text/html; charset=utf-8", "\x00\x01", 200, says("no image, voice or video but")},
		{"application/octet-stream", "\x00\x01", 200, func(m *wechat.Material, err error) bool { return err == nil && m.File != nil }},
		{"text/html", string(png), 200, func(m *wechat.Material, err error) bool { return err == nil && m.File != nil }},
		{"", `{"title":"t","description":""}`, 200, says("no address")},
		{"", "\ufeff" + `{"title":"t","down_url":"u"}`, 200, func(m *wechat.Material, err error) bool { return err == nil && m.Video.DownURL == "u" }},
		{"application/json", `{"errcode":0,"errmsg":"ok","title":"t","description":"","down_url":"u"}`, 200, func(m *wechat.Material, err error) bool { return err == nil && m.Video != nil }},
		{"text/plain", `{"news_item":[{"title":"t","show_cover_pic":1}]}`, 200, func(m *wechat.Material, err error) bool { return err == nil && m.News.NewsItem[0].ShowCoverPic == 1 }},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Content-Type"] = []string{c.contentType}
			w.WriteHeader(c.status)
			io.WriteString(w, c.body)
		}))
		cl := &wechat.Client{Endpoint: srv.URL, Token: func(context.Context, string) (string, error) { return "t", nil }}
		m, err := cl.GetMaterial(ctx, "x")
		if !c.want(m, err) {
			t.Errorf("%s %q: %+v, %v", c.contentType, c.body, m, err)
		}
		if m != nil && m.File != nil {
			m.File.Body.Close()
		}
		srv.Close()
	}
}

func isInvalid(_ *wechat.Material, err error) bool { return errors.Is(err, wechat.ErrInvalidMediaID) }

func says(text string) func(*wechat.Material, error) bool {
	return func(_ *wechat.Material, err error) bool { return err != nil && strings.Contains(err.Error(), text) }
}

// What stands at an address of a film or a picture is judged as an answer is, and an
// answer without content must be JSON too.
func TestClientJudgesAddresses(t *testing.T) {
	body, contentType := "", ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		io.WriteString(w, body)
	}))
	defer srv.Close()
	c := &wechat.Client{Endpoint: srv.URL, Token: func(context.Context, string) (string, error) { return "t", nil }}
	for _, test := range []struct{ contentType, body, want string }{
		{"video/mp4", string(film), ""},
		{"text/html", string(film), ""},
		{"video/mp4", "<html>log in first", "no image, voice or video"},
		{"text/html", "\x00\x01", "no image, voice or video"},
		{"video/mp4", `{"errcode":40001,"errmsg":"gone"}`, "40001 gone"},
		{"video/mp4", "\ufeff" + `{"errcode":40001,"errmsg":"gone"}`, "40001 gone"},
		{"video/mp4", `{}`, "but JSON"},
		{"video/mp4", "", "empty"},
	} {
		contentType, body = test.contentType, test.body
		f, err := c.Fetch(t.Context(), srv.URL+"/film?vkey=1")
		if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "vkey")) {
			t.Errorf("%s %q: %v", test.contentType, test.body, err)
		}
		if err == nil {
			f.Body.Close()
		}
	}
	for _, body = range []string{"", "<html>", "[]", "null", "ok"} {
		if err := c.DelMaterial(t.Context(), "x"); err == nil {
			t.Errorf("a deletion is acknowledged by %q", body)
		}
	}
}

func TestSuffix(t *testing.T) {
	for head, want := range map[string]string{
		string(png): ".png", string(film): ".mp4", "\xff\xd8\xff\xe0": ".jpg", "GIF89a": ".gif", "BM\x00": ".bmp", "#!AMR\n": ".amr",
		"RIFF\x00\x00\x00\x00WAVEfmt ": ".wav", "RIFF\x00\x00\x00\x00WEBPVP8 ": ".webp", "RIFF\x00\x00\x00\x00AVI LIST": "",
		"ID3\x04": ".mp3", "\xff\xfb\x90": ".mp3", "0&\xb2u\x8ef\xcf\x11": ".wma", "\xff\xfe<\x00": "", "": "", "{}": "",
	} {
		if got := wechat.Suffix([]byte(head)); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

func TestClientWalksAll(t *testing.T) {
	c, _ := newClient(t)
	ctx := t.Context()
	var ids []string // newest first
	add := func() {
		a, err := c.AddMaterial(ctx, wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(png)})
		must(t, err)
		ids = append([]string{a.MediaID}, ids...)
	}
	for range 65 {
		add()
	}
	seen := map[string]bool{}
	n := 0
	for it, err := range c.All(ctx, wechat.Image) {
		must(t, err)
		if seen[it.MediaID] {
			t.Fatalf("%s came twice", it.MediaID)
		}
		seen[it.MediaID] = true
		switch n++; n {
		case 10: // some of what has been seen goes away: what follows moves up
			for _, id := range ids[:5] {
				must(t, c.DelMaterial(ctx, id))
			}
		case 30: // something new moves all down
			add()
			add()
		}
	}
	if n != 65 {
		t.Errorf("%d of 65 were seen", n)
	}
	for range c.All(ctx, wechat.Image) {
		break
	}
	for _, err := range c.All(ctx, "thumb") {
		if !errors.Is(err, wechat.ErrInvalidMediaType) {
			t.Errorf("walk of thumbs: %v", err)
		}
	}
}

// A token by GET /cgi-bin/token is one that calls can be made with.
func TestGetToken(t *testing.T) {
	c, _ := newClient(t)
	token, err := c.GetToken(t.Context())
	must(t, err)
	if token.ExpiresIn != 7200 {
		t.Errorf("it expires in %d s", token.ExpiresIn)
	}
	own := &wechat.Client{Endpoint: c.Endpoint, Token: func(context.Context, string) (string, error) { return token.AccessToken, nil }}
	if _, err := own.GetMaterialCount(t.Context()); err != nil {
		t.Error(err)
	}
	wrong := &wechat.Client{Endpoint: c.Endpoint, AppID: c.AppID, Secret: "wrong"}
	if _, err := wrong.GetToken(t.Context()); !errors.Is(err, wechat.ErrInvalidSecret) {
		t.Errorf("a wrong secret: %v", err)
	}
}
