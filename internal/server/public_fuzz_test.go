package server

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// FuzzRange holds oneRange against the standard library's file server.
func FuzzRange(f *testing.F) {
	for _, asked := range []string{
		"bytes=0-0", "bytes=8-11", "bytes=10-", "bytes=-5", "bytes=-99", "bytes=-0", "bytes=5-4", "bytes=x-y", "lines=0-1", "bytes=-", "bytes=99-", "bytes=--5", "bytes=+1-2",
		"bytes=0-0-0", "bytes=0- 1", "bytes=0-1,3-4", "bytes=9223372036854775807-", "bytes=0-18446744073709551616", "bytes=-9223372036854775808", "",
	} {
		f.Add(asked, uint8(20))
	}
	f.Add("bytes=0-", uint8(0))
	form := regexp.MustCompile(`^bytes=([0-9]*)-([0-9]*)$`)
	f.Fuzz(func(t *testing.T, asked string, size uint8) {
		offset, length, ok := oneRange(asked, int64(size))
		if ok && (offset < 0 || length < 0 || offset+length > int64(size)) {
			t.Fatalf("%q of %d bytes: %d from %d", asked, size, length, offset)
		}
		found := form.FindStringSubmatch(asked)
		if ok && (found == nil || found[1]+found[2] == "") {
			t.Fatalf("%q is taken for a range", asked)
		}
		if found == nil || size == 0 || found[1] == "" && strings.Trim(found[2], "0") == "" {
			return // of nothing, and of the last no bytes, the standard library thinks otherwise
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Range", asked)
		w := httptest.NewRecorder()
		http.ServeContent(w, r, "x.bin", time.Time{}, bytes.NewReader(make([]byte, size)))
		switch {
		case w.Code == http.StatusPartialContent:
			want := "bytes " + strconv.FormatInt(offset, 10) + "-" + strconv.FormatInt(offset+length-1, 10) + "/" + strconv.Itoa(int(size))
			if got := w.Header().Get("Content-Range"); !ok || length == 0 || got != want {
				t.Fatalf("%q of %d bytes is %s, not %s (%v)", asked, size, got, want, ok)
			}
		case ok && length > 0:
			t.Fatalf("%q of %d bytes: %d from %d, but %d for the standard library", asked, size, length, offset, w.Code)
		}
	})
}

// FuzzForwarded tells callers from what they say of themselves: nothing that a stranger
// writes in front moves the address that a trusted proxy saw, and without one nothing does.
func FuzzForwarded(f *testing.F) {
	f.Add("", "203.0.113.9", "10.0.0.1:4711")
	f.Add("127.0.0.1, 10.0.0.2", "::ffff:203.0.113.9", "[::ffff:10.0.0.1]:4711")
	f.Add("x,,10.0.0.9", " 2001:db8::1 ", "198.51.100.7:1")
	f.Add("10.0.0.1", "10.0.0.3", "[fe80::1%eth0]:1")
	f.Add("\"[::1]:5\"", "10.0.0.3,198.51.100.9", "@")
	trusted := netip.MustParsePrefix("10.0.0.0/8")
	s := &Server{opt: Options{TrustedProxies: []netip.Prefix{trusted}}}
	f.Fuzz(func(t *testing.T, says, seen, from string) {
		r := &http.Request{RemoteAddr: from, Header: http.Header{"X-Forwarded-For": {says, seen}, "X-Forwarded-Proto": {says}}, Host: says}
		var peer netip.Addr
		if p, err := netip.ParseAddrPort(from); err == nil {
			peer = p.Addr().Unmap()
		}
		got := s.client(r)
		if other := (&Server{}).client(r); other != peer {
			t.Fatalf("nobody is trusted, and %s became %s", peer, other)
		}
		hop, err := netip.ParseAddr(strings.TrimSpace(seen))
		hop = hop.Unmap()
		switch believed := trusted.Contains(peer); {
		case !believed && got != peer:
			t.Fatalf("%s is no proxy, and became %s", peer, got)
		case believed && err == nil && !trusted.Contains(hop) && got != hop:
			t.Fatalf("the proxy saw %s, and it became %s", hop, got)
		case believed && err == nil && trusted.Contains(hop) && says == "" && got != hop:
			t.Fatalf("another proxy called, %s, and became %s", hop, got)
		}
		base := s.base(r)
		scheme, host, _ := strings.Cut(base, "://")
		if host == "" || strings.Trim(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]_") != "" || scheme != "http" && (scheme != "https" || !trusted.Contains(peer)) {
			t.Fatalf("addresses stand on %q", base)
		}
	})
}

// FuzzAddress asks for addresses that look like ours: nothing is there but at those that
// were given out.
func FuzzAddress(f *testing.F) {
	fx := newFixture(f)
	picture := pngBytes(2, 2)
	id := fx.add("image", "a.png", picture)
	m, err := fx.ls.Of(fx.account).Get(f.Context(), id, nil)
	must(f, err)
	film := mp4Bytes([]byte("film")...)
	filmID := fx.add("video", "a.mp4", film)
	own := func(text, member string) string {
		u, err := url.Parse(fx.member(text, member).(string))
		must(f, err)
		return u.RequestURI()
	}
	filmAt := own(fx.call("material/get_material", `{"media_id":"`+filmID+`"}`), "down_url")
	newsID := fx.addNews(fx.article(id))
	pageAt := regexp.MustCompile(`/s\?[^"]*`).FindString(fx.call("material/get_material", `{"media_id":"`+newsID+`"}`))
	names := strings.NewReplacer("KEY", m.Key, "FILMID", filmID, "FILM", filmAt, "PAGE", pageAt)
	for _, address := range []string{
		"/mmbiz_png/KEY/0", "/mmbiz_png/KEY/0?wx_fmt=png", "/mmbiz_png/KEY/64", "/mmbiz_jpg/KEY/0", "/mmbiz_png/KEY/00", "/mmbiz_png/KEY/0/", "/mmbiz_png/KEY%00/0",
		"/mmbiz_png//0", "/mmbiz", "FILM", "FILM0", "/video/wxaccount/FILMID.mp4?expires=9999999999&vkey=0", "/video/wxaccount/FILMID.mp4?expires=-1&vkey=", "/video/",
		"PAGE", "PAGE0", "/s?__biz=&mid=&idx=1&sn=", "/s", "/s?__biz=MzA=%0a&mid=1&idx=0&sn=x", "PAGE&idx=2",
	} {
		f.Add(address, "bytes=0-3")
	}
	f.Fuzz(func(t *testing.T, address, asked string) {
		address = names.Replace(address)
		u, err := url.ParseRequestURI(address)
		if err != nil || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
			return
		}
		r := &http.Request{Method: "GET", URL: u, Host: "h.example", Header: http.Header{"Range": {asked}}, Body: http.NoBody, RemoteAddr: "203.0.113.9:1"}
		w := httptest.NewRecorder()
		fx.server.ServeHTTP(w, r)
		want := []byte(nil)
		q, given := u.Query(), func(of string) url.Values { v, _ := url.Parse(of); return v.Query() }
		switch {
		case strings.HasPrefix(u.Path, "/mmbiz"):
			for _, width := range []string{"0", "640", "300", "132", "96", "64"} {
				if u.Path == "/mmbiz_png/"+m.Key+"/"+width {
					want = picture
				}
			}
		case strings.HasPrefix(u.Path, "/video/"):
			if path := "/video/wxaccount/" + filmID; (u.Path == path || u.Path == path+".mp4") &&
				q.Get("expires") == given(filmAt).Get("expires") && q.Get("vkey") == given(filmAt).Get("vkey") {
				want = film
			}
		case u.Path == "/s":
			there := w.Code == 200
			for _, name := range []string{"__biz", "mid", "idx", "sn"} {
				if there && q.Get(name) != given(pageAt).Get(name) {
					t.Fatalf("a page at %s", address)
				}
			}
			if !there && w.Code != 404 {
				t.Fatalf("%s: %d", address, w.Code)
			}
			return
		default:
			return
		}
		offset, length, ok := oneRange(asked, int64(len(want)))
		switch {
		case want == nil:
			if w.Code != 404 && w.Code != 403 || bytes.Contains(w.Body.Bytes(), []byte("mdat")) {
				t.Fatalf("%s: %d", address, w.Code)
			}
		case ok && length == 0:
			if w.Code != 416 {
				t.Fatalf("%s, %q: %d", address, asked, w.Code)
			}
		default:
			if !ok {
				offset, length = 0, int64(len(want))
			}
			if w.Code != 200 && w.Code != 206 || !bytes.Equal(w.Body.Bytes(), want[offset:offset+length]) {
				t.Fatalf("%s, %q: %d, %d bytes", address, asked, w.Code, w.Body.Len())
			}
		}
	})
}

// FuzzMediaID asks for any id in the body and in the query: both are one question, and
// only what is in the library has an answer.
func FuzzMediaID(f *testing.F) {
	fx := newFixture(f)
	id := fx.add("image", "a.png", pngBytes(1, 1))
	for _, text := range []string{id, id[1:], id + " ", " " + id, "61224425", "a\x00b", "\ufffd", "\xff", strings.Repeat("x", 513), "' or 1=1", "%", "null", "\"", "\\", "\u2028", "."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ask := func(query, body string) string {
			r := httptest.NewRequest("POST", "/cgi-bin/material/get_material?access_token="+fx.token+query, strings.NewReader(body))
			if body == "" {
				r.Body = http.NoBody
			}
			w := httptest.NewRecorder()
			fx.server.ServeHTTP(w, r)
			return w.Body.String()
		}
		want := `{"errcode":40007,"errmsg":"invalid media_id"}`
		if text == id {
			want = string(pngBytes(1, 1))
		}
		got := ask("", `{"media_id":`+quoted(text)+`}`)
		if got != want || text != "" && ask("&media_id="+url.QueryEscape(text), "") != want {
			t.Fatalf("%q: %.100q", text, got)
		}
	})
}
