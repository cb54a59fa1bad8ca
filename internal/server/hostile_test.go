package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"sucai/internal/library"
)

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

type unready struct{ library.Blobs }

func (unready) Ready(context.Context) error { return errors.New("away") }

// raw opens a connection and sends what it is given.
func (f *fixture) raw(text string) net.Conn {
	f.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(f.base, "http://"))
	must(f.t, err)
	f.t.Cleanup(func() { c.Close() })
	_, err = io.WriteString(c, text)
	must(f.t, err)
	must(f.t, c.SetReadDeadline(time.Now().Add(20*time.Second)))
	return c
}

func (f *fixture) answer(c net.Conn) (*http.Response, string) {
	f.t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	must(f.t, err)
	data, err := io.ReadAll(res.Body)
	must(f.t, err)
	return res, string(data)
}

// A client that writes all of a long body before it reads still sees the early answer.
func TestEarlyAnswerToLongBody(t *testing.T) {
	f := newFixture(t)
	body := make([]byte, 10<<20)
	for range 20 {
		c := f.raw(fmt.Sprintf("POST /cgi-bin/material/add_material?type=image&access_token=bad HTTP/1.1\r\nHost: x\r\n"+
			"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n", len(body)))
		if _, err := c.Write(body); err != nil {
			t.Fatal(err)
		}
		_, got := f.answer(c)
		wantBody(t, "bad token", got, ended)
		c.Close()
	}
}

// Who waits for our consent is told at once, and sends nothing.
func TestExpectContinue(t *testing.T) {
	f := newFixture(t)
	c := f.raw("POST /cgi-bin/material/add_material?type=image&access_token=bad HTTP/1.1\r\nHost: x\r\n" +
		"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000\r\nExpect: 100-continue\r\n\r\n")
	res, got := f.answer(c)
	wantBody(t, "bad token", got, ended)
	if res.StatusCode != 200 {
		t.Errorf("status %s", res.Status)
	}
}

func TestAbsurdLengths(t *testing.T) {
	f := newFixture(t)
	f.server.limits.progress = 300 * time.Millisecond
	f.listen()
	for _, endpoint := range []string{"material/get_material", "material/add_news", "material/add_material?type=image"} {
		c := f.raw("POST " + f.at(endpoint) + " HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000000000000000\r\n\r\n{")
		if _, got := f.answer(c); !strings.HasPrefix(got, `{"errcode":4`) {
			t.Errorf("%s: %s", endpoint, got)
		}
	}
	for _, length := range []string{"-1", "x", "99999999999999999999999"} {
		c := f.raw("POST " + f.at("material/get_material") + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + "\r\n\r\n{}")
		if res, _ := f.answer(c); res.StatusCode != 400 {
			t.Errorf("length %s: %s", length, res.Status)
		}
	}
}

func TestSlowBody(t *testing.T) {
	f := newFixture(t)
	f.server.limits = limits{progress: 200 * time.Millisecond, body: 700 * time.Millisecond}
	f.listen()
	head := "POST " + f.at("material/get_material") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
	c := f.raw(head + `{"media_id"`)
	_, got := f.answer(c)
	wantCode(t, "a body that stops", got, 47001)

	c = f.raw(head)
	for range 100 { // progress, but not in time
		if _, err := io.WriteString(c, " "); err != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if _, err := io.Copy(io.Discard, c); err != nil && !errors.As(err, new(*net.OpError)) {
		t.Error(err)
	}

	// An upload, in its file.
	c = f.raw("POST " + f.at("material/add_material?type=image") + " HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n" +
		"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n\r\n" + string(pngBytes(1, 1)))
	_, got = f.answer(c)
	wantCode(t, "an upload that stops", got, 47001)
	n, err := f.ls.Sweep(t.Context(), f.now.AddDate(100, 0, 0), nil)
	must(t, err)
	if n != 0 {
		t.Error("bytes were left behind")
	}
}

// A client that does not take its answer is let go, and one that takes it slowly is not.
func TestSlowReader(t *testing.T) {
	f := newFixture(t)
	f.server.limits.progress = 400 * time.Millisecond
	f.listen()
	data := padded(9 << 20)
	id := f.add("image", "a.png", data)
	body := `{"media_id":"` + id + `"}`
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", f.at("material/get_material"), len(body), body)

	c := f.raw(head)
	n := int64(0)
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	for err == nil {
		var m int64
		m, err = io.CopyN(io.Discard, res.Body, 1<<20)
		n += m
		time.Sleep(100 * time.Millisecond)
	}
	if n != int64(len(data)) {
		t.Errorf("of %d bytes %d came to a slow reader: %v", len(data), n, err)
	}

	stopped := f.raw("")
	must(t, stopped.(*net.TCPConn).SetReadBuffer(4096))
	_, err = io.WriteString(stopped, head)
	must(t, err)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(f.log.String(), "i/o timeout"); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("a client that reads nothing was not let go: %s", f.log)
		}
	}
	if strings.Contains(f.log.String(), "level=ERROR") {
		t.Errorf("a slow client is no error of ours: %s", f.log)
	}
}

func TestHugeJSON(t *testing.T) {
	f := newFixture(t)
	deep := strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000)
	for what, c := range map[string]struct {
		endpoint, body string
		code           int
	}{
		"deep":                {"material/add_news", deep, 47001},
		"deep array":          {"material/add_news", strings.Repeat("[", 1<<20), 47001},
		"deep, in a member":   {"material/add_news", `{"articles":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, 47001},
		"get_material beyond": {"material/get_material", `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, 47001},
		"add_news beyond":     {"material/add_news", `{"x":"` + strings.Repeat("x", 13<<20) + `"}`, 45002},
		"many members":        {"material/add_news", `{"a":1` + strings.Repeat(`,"a":1`, 1<<20) + `}`, 44003},
	} {
		wantCode(t, what, f.call(c.endpoint, c.body), c.code)
		// The same without a Content-Length.
		_, got := f.do("POST", f.at(c.endpoint), "", io.MultiReader(strings.NewReader(c.body)))
		wantCode(t, what+", chunked", string(got), c.code)
	}
}

// Large bodies wait for each other instead of piling up in memory.
func TestMemoryBudget(t *testing.T) {
	f := newFixture(t)
	f.server.budget = 20 << 20 // two such news at once, and a change of one alone
	f.server.memory = semaphore.NewWeighted(f.server.budget)
	cover := f.add("image", "c.png", pngBytes(1, 1))
	big := quote("<p class='" + strings.Repeat("x", 300<<10) + "'>a</p>")
	articles := make([]string, 4)
	for i := range articles {
		articles[i] = f.article(cover, "content", big)
	}
	body := `{"articles":[` + strings.Join(articles, ",") + `]}`
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			id := f.member(f.call("material/add_news", body), "media_id").(string)
			if n := f.getNews(id); len(n.NewsItem) != 4 || len(n.NewsItem[3].Content) < 300<<10 {
				t.Errorf("%d articles came back", len(n.NewsItem))
			}
			updated := f.call("material/update_news", `{"media_id":"`+id+`","index":3,"articles":`+articles[0]+`}`)
			wantBody(t, "update_news", updated, `{"errcode":0,"errmsg":"ok"}`)
		})
	}
	wg.Wait()
	page := f.call("material/batchget_material", `{"type":"news","offset":0,"count":20}`)
	if n := f.member(page, "item_count"); n != 6.0 {
		t.Errorf("%v items", n)
	}
	if !f.server.memory.TryAcquire(f.server.budget) {
		t.Error("some of the budget was not given back")
	}
}

func TestBrokenRequests(t *testing.T) {
	f := newFixture(t)
	for _, text := range []string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "POST /cgi-bin/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET /cgi-bin/token?appid=%zz HTTP/1.0\r\n\r\n", "GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n", "GET http://other/cgi-bin/token HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		c := f.raw(text)
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, c)
	}
	wantBody(t, "afterwards", f.alive(f.token), "alive")
}

// A panic is our trouble: -1 for the caller, and all of it in the log.
func TestPanic(t *testing.T) {
	f := newFixture(t)
	f.server.libraries.Materials = nil
	_, data := f.do("GET", f.at("material/get_materialcount"), "", nil)
	wantBody(t, "a panic", string(data), `{"errcode":-1,"errmsg":"system error"}`)
	if log := f.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "hostile_test") && !strings.Contains(log, "material.go") {
		t.Errorf("the log has\n%s", log)
	}
}

// Many idle connections cost little and keep nobody out.
func TestIdleConnections(t *testing.T) {
	f := newFixture(t)
	const idle = 500 // TestSmall opens 10,000 against the binary
	for range idle {
		f.raw("GET /_su")
	}
	wantBody(t, "beside them", f.alive(f.token), "alive")
}

func FuzzJSONRequest(f *testing.F) {
	for _, body := range []string{
		`{"media_id":"x"}`, `{"type":"image","offset":0,"count":20}`, `{"type":"news","offset":"1","count":2e0}`, `[]`, `{`, `media_id=x`, "",
		`{"articles":[{"title":"t","content":"<p>x</p>","thumb_media_id":"COVER","show_cover_pic":"1"}]}`,
		`{"media_id":"NEWS","index":0,"articles":{"title":"t","content":"c","thumb_media_id":"COVER"}}`,
		`{"grant_type":"client_credential","appid":"wxaccount","secret":"secret","force_refresh":true}`, "{\"a\":\"\xff\"}", `{"media_id":"\ud800"}`,
	} {
		for i := range fuzzed {
			f.Add(i, body)
		}
	}
	fx := newFixture(f)
	cover := fx.add("image", "c.png", pngBytes(1, 1))
	news := fx.addNews(fx.article(cover))
	f.Fuzz(func(t *testing.T, endpoint int, body string) {
		fx := *fx
		fx.t = t
		body = strings.NewReplacer("COVER", cover, "NEWS", news).Replace(body)
		res, got := fx.do("POST", fx.at(fuzzed[uint(endpoint)%uint(len(fuzzed))]), "", strings.NewReader(body))
		if bytes.HasPrefix(got, []byte(`{"errcode":-1`)) || res.StatusCode != 200 || len(got) == 0 {
			t.Fatalf("%s\n%s", got, fx.log)
		}
	})
}

var fuzzed = []string{"material/get_material", "material/batchget_material", "material/add_news", "material/update_news", "material/del_material"}

func FuzzMultipartRequest(f *testing.F) {
	contentType, body := multipartForm(filePart("media", "a.mp4", mp4Bytes()), fieldPart("description", `{"title":"t"}`))
	boundary := strings.TrimPrefix(contentType, "multipart/form-data; boundary=")
	text := strings.ReplaceAll(body.String(), boundary, "b")
	f.Add("multipart/form-data; boundary=b", text)
	f.Add("multipart/form-data; boundary=b", text[:len(text)-5])
	f.Add("multipart/form-data", text)
	f.Add(`multipart/form-data; boundary="b"`, strings.ReplaceAll(text, "filename=", "filename*="))
	f.Add("multipart/form-data; boundary=b", "--b\r\n\r\n--b--")
	f.Add("application/json", "{}")
	fx := newFixture(f)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		if strings.ContainsFunc(contentType, func(r rune) bool { return r < ' ' || r > '~' }) {
			return // no HTTP client can send such a header
		}
		fx := *fx
		fx.t = t
		for _, typ := range []string{"video", "image", ""} {
			_, got := fx.do("POST", fx.at("material/add_material?type="+typ), contentType, strings.NewReader(body))
			if bytes.HasPrefix(got, []byte(`{"errcode":-1`)) || len(got) == 0 {
				t.Fatalf("%s\n%s", got, fx.log)
			}
		}
	})
}
