package server

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzPartNames writes a file's name into a header in the ways that clients have, and
// wants it back.
func FuzzPartNames(f *testing.F) {
	for _, name := range []string{"a.png", "图 片.png", `q"u"o.png`, `a\b.png`, "a;b=c.png", "a; filename=b.png", "=?utf-8?B?5Zu+?=", "%41.png", "a'b'c", "é.png", " x ", "name=\"y\""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return // no client can send it
		}
		if strings.Contains(name, "=?") || strings.TrimSpace(name) != name {
			return // of these the header itself says something else
		}
		if name[0] == '"' || strings.HasSuffix(name, `\`) {
			name = "x" + strings.TrimRight(name, `\" `)
		}
		read := func(disposition string) string {
			got, file := partNames(&multipart.Part{Header: textproto.MIMEHeader{"Content-Disposition": {disposition}}}, false)
			if got != "media" {
				t.Fatalf("%s: the field is %q", disposition, got)
			}
			return file
		}
		written := map[string]string{
			"as browsers write it":       `form-data; name="media"; filename="` + strings.ReplaceAll(name, `"`, "%22") + `"`,
			"with backslashes":           `form-data; name="media"; filename="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`,
			"by the standard library":    mime.FormatMediaType("form-data", map[string]string{"name": "media", "filename": name}),
			"by RFC 5987":                `form-data; name="media"; filename*=UTF-8''` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20"),
			"by RFC 5987, beside a name": `form-data; name="media"; filename*=utf-8'zh'` + strings.ReplaceAll(url.QueryEscape(name), "+", "%20"),
		}
		for how, disposition := range written {
			want := name
			if strings.HasPrefix(how, "as browsers") {
				if want = strings.ReplaceAll(name, `"`, "%22"); strings.Contains(name, `\`) {
					continue // a backslash before a quote: nobody can tell
				}
			}
			if got := read(disposition); got != want {
				t.Fatalf("%s, %s: %q, want %q", how, disposition, got, want)
			}
		}
		// Quotes inside quotes are against the grammar, and sent nevertheless.
		if !strings.ContainsAny(name, `;\`) {
			if got := read(`form-data; name="media"; filename="` + name + `"`); got != name {
				t.Fatalf("quotes inside quotes: %q, want %q", got, name)
			}
		}
		if !strings.ContainsAny(name, `;\"`) {
			if got := read(`form-data; name="media"; filename=` + name); got != name {
				t.Fatalf("bare: %q, want %q", got, name)
			}
		}
	})
}

// FuzzForm holds what becomes of a form against the standard library's reading of it: the
// first part of the name with a file name is the file, to the byte.
func FuzzForm(f *testing.F) {
	for _, data := range []string{string(pngBytes(1, 1)), "\r\n--b", "--b--", "", "\r\n", strings.Repeat("x", 5000)} {
		_, body := multipartForm(filePart("media", "a.png", append(pngBytes(1, 1), data...)), fieldPart("type", "image"))
		text := body.String()
		text = strings.ReplaceAll(text, text[2:strings.Index(text, "\r\n")], "b")
		f.Add("b", text)
		f.Add("b;\u02ce\x05\x00", text)
		f.Add("b", strings.ReplaceAll(text, "\r\n", "\n"))
		f.Add("b", strings.TrimSuffix(text, "--\r\n"))
		f.Add("b", text[:len(text)/2])
		f.Add("b", "preamble\r\n"+text+"epilogue")
		f.Add("b", strings.ReplaceAll(text, `"media"`, `"other"`)+text)
	}
	fx := newFixture(f)
	f.Fuzz(func(t *testing.T, mark, body string) {
		contentType := "multipart/form-data; boundary=" + mark
		w, r := httptest.NewRecorder(), httptest.NewRequest("POST", fx.at("media/uploadimg"), strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		fx.server.ServeHTTP(w, r)
		got := w.Body.String()
		var data []byte
		parts, file := 0, false
		_, params, err := mime.ParseMediaType(contentType)
		if err != nil || params["boundary"] == "" || body == "" {
			if body == "" && !strings.HasPrefix(got, `{"errcode":44002`) {
				t.Fatalf("%s: %s", contentType, got)
			}
			return // the server is more lenient, and finds a boundary in the body
		}
		form := multipart.NewReader(strings.NewReader(body), params["boundary"])
		for {
			p, e := form.NextPart()
			if err = e; err != nil {
				break
			}
			parts++
			content, e := io.ReadAll(p)
			if err = e; err != nil {
				break
			}
			_, names, bad := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
			if bad != nil || strings.Contains(p.Header.Get("Content-Disposition"), "*") || len(names) > 2 {
				return // FuzzPartNames knows of these
			}
			if (names["name"] == "media" || names["name"] == "buffer") && names["filename"] != "" && !file {
				data, file = content, true
			}
		}
		if strings.HasPrefix(got, `{"url":"`) {
			address, _ := url.Parse(fx.with(t).member(got, "url").(string))
			w := httptest.NewRecorder()
			fx.server.ServeHTTP(w, httptest.NewRequest("GET", address.Path, nil))
			if err != io.EOF || !file || w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), data) {
				t.Fatalf("%q is there, %q was sent in %q (%v)", w.Body, data, body, err)
			}
			return
		}
		var code int
		if n, err := fmt.Sscanf(got, `{"errcode":%d,`, &code); n != 1 || err != nil {
			t.Fatal(got)
		}
		switch {
		case err == io.EOF && !file && code != 41005 && parts <= maxParts && code != 47001,
			err == io.EOF && file && len(data) == 0 && code != 44001,
			err == io.EOF && bytes.HasPrefix(data, pngBytes(1, 1)) && parts <= maxParts && len(body) < maxField,
			err != io.EOF && parts > 0 && !file && code != 47001 && code != 41005:
			t.Fatalf("%d for %d parts, %d bytes of a file, %v: %q", code, parts, len(data), err, body)
		}
	})
}

// with is the fixture in another test.
func (f *fixture) with(t testing.TB) *fixture {
	other := *f
	other.t = t
	return &other
}
