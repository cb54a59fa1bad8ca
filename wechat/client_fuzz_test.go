package wechat

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// closing tells whether a body was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// FuzzAnswer feeds the client what a server may say. An error never comes out as a file,
// and a file comes out to the byte.
func FuzzAnswer(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "application/json; encoding=utf-8", 200)
	}
	for _, body := range []string{
		"\x89PNG\r\n\x1a\n....", "\xff\xd8\xff\xe0..", "GIF89a", "BM", "#!AMR\n", "ID3\x04", "\xff\xfb\x90\x00", "RIFF....WAVE", "....ftypisom", "", " ",
		"<html>502</html>", `[]`, "\ufeff" + `{"errcode":40007,"errmsg":"x"}`, `{"errcode":"40007"}`, `{"errcode":0,"down_url":"http://x"}`, `{"errcode":1e2}`,
		`{"errcode":40007.0}`, `{"errcode":99999999999999999999}`, `{"ERRCODE":5}`, `{"news_item":null,"down_url":"u"}`, `{"down_url":""}`, "plain words", `{"errcode":1`,
	} {
		f.Add([]byte(body), "image/png", 200)
	}
	f.Add([]byte(`{"errcode":-1,"errmsg":"system error"}`), "text/plain", 502)
	f.Fuzz(func(t *testing.T, body []byte, contentType string, status int) {
		answer := &closing{Reader: bytes.NewReader(body)}
		m, err := readMaterial(&http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{"Content-Type": {contentType}},
			ContentLength: int64(len(body)), Body: answer}, "/x")
		text := bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("\ufeff")), " \t\r\n")
		var object map[string]json.RawMessage
		isObject := json.Unmarshal(text, &object) == nil && object != nil
		var code int
		known := isObject && json.Unmarshal(object["errcode"], &code) == nil && code != 0
		var refused *Error
		switch {
		case err != nil && (m != nil || !answer.closed):
			t.Fatalf("%+v, %v, closed: %v", m, err, answer.closed)
		case known && (!errors.As(err, &refused) || refused.Code != code) && !ambiguous(object):
			t.Fatalf("errcode %d of %q came out as %v, %+v", code, body, err, m)
		case err == nil && set(m.News != nil)+set(m.Video != nil)+set(m.File != nil) != 1:
			t.Fatalf("%+v", m)
		case err == nil && m.File == nil && (!isObject || !answer.closed):
			t.Fatalf("%q became %+v", body, m)
		case err == nil && m.File != nil:
			got, err := io.ReadAll(m.File.Body)
			if err != nil || !bytes.Equal(got, body) || status != 200 || isObject || len(text) == 0 || strings.ContainsRune("{[<", rune(text[0])) {
				t.Fatalf("%d %q came out as the file %q, %v", status, body, got, err)
			}
			if err := m.File.Body.Close(); err != nil || !answer.closed {
				t.Fatal("not closed")
			}
		case err != nil && status == 200 && !isObject && Suffix(body) != "":
			t.Fatalf("a file was refused: %q, %v", body, err)
		}
		if head := body[:min(len(body), headSize)]; Suffix(head) != Suffix(body) {
			t.Fatal("what stands behind the head tells what a file is")
		}
	})
}

// ambiguous tells whether an object has errcode under another spelling too, which
// encoding/json takes for the same.
func ambiguous(o map[string]json.RawMessage) bool {
	n := 0
	for name := range o {
		if strings.EqualFold(name, "errcode") || strings.EqualFold(name, "errmsg") {
			n++
		}
	}
	_, has := o["errmsg"]
	var text *string
	return n > 1 && !has || n > 2 || has && json.Unmarshal(o["errmsg"], &text) != nil
}

func set(is bool) int {
	if is {
		return 1
	}
	return 0
}

// FuzzError writes errors as a server does, on either wire, and reads them as the client does.
func FuzzError(f *testing.F) {
	f.Add(40007, "invalid media_id", "60dee549-5a2d6284-2af53adb", true)
	f.Add(-1, "\x00\"\\/<>\u2028\xff", "", false)
	f.Add(40001, ErrInvalidCredential.Msg, "60dee549-5a2d6284-2af53adb", true)
	f.Add(45106, ErrRetired.Msg, "x", true)
	f.Fuzz(func(t *testing.T, code int, msg, rid string, live bool) {
		if code == 0 {
			return
		}
		body := (&Error{code, msg}).AppendJSON(nil, Wire{Live: live, RID: rid})
		got := asError(body)
		if got == nil || got.Code != code || !errors.Is(got, &Error{Code: code}) {
			t.Fatalf("%d came back from %s as %v", code, body, got)
		}
		if want := strings.ToValidUTF8(msg, "\uFFFD"); !live && got.Msg != want {
			t.Fatalf("%q came back as %q", want, got.Msg)
		}
		if !bytes.HasPrefix(body, []byte(`{"errcode":`)) || live && !strings.HasSuffix(got.Msg, "rid: "+toValid(rid)) {
			t.Fatalf("%s", body)
		}
	})
}

// FuzzFormAround writes a file's name and a video's texts into a form, and reads the form
// with the standard library.
func FuzzFormAround(f *testing.F) {
	f.Add("a.mp4", "题<>&", "述\"\\", "bytes")
	f.Add("a\"b\\c\r\n;x=\"y.png", "", "", "")
	f.Add(`a\"b\\c`, "", "", "")
	f.Add("\xff\x00\u2028\u0085", "\xff", "\x00", "--\r\n")
	f.Fuzz(func(t *testing.T, name, title, introduction, file string) {
		head, tail, contentType, err := formAround(Upload{Type: Video, Name: name, Title: title, Introduction: introduction})
		if err != nil {
			t.Fatal(err)
		}
		_, params, err := mime.ParseMediaType(contentType)
		if err != nil || strings.Contains(file, params["boundary"]) {
			t.Fatal(contentType, err)
		}
		form := multipart.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader(file), bytes.NewReader(tail)), params["boundary"])
		part, err := form.NextPart()
		if err != nil {
			t.Fatalf("%v in %q", err, head)
		}
		got, err := io.ReadAll(part)
		if err != nil || string(got) != file || part.FormName() != "media" {
			t.Fatalf("the file came as %q, %v", got, err)
		}
		shown := strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return -1
			}
			return r
		}, name)
		_, params, err = mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if utf8.ValidString(shown) && (err != nil || params["filename"] != shown) {
			t.Fatalf("the name %q came as %q, %v", shown, params["filename"], err)
		}
		part, err = form.NextPart()
		if err != nil || part.FormName() != "description" {
			t.Fatal(err)
		}
		var d struct{ Title, Introduction string }
		if err := json.NewDecoder(part).Decode(&d); err != nil || d.Title != toValid2(title) || d.Introduction != toValid2(introduction) {
			t.Fatalf("%q, %q came as %+v, %v", title, introduction, d, err)
		}
		if _, err := form.NextPart(); err != io.EOF {
			t.Fatal(err)
		}
	})
}

// toValid2 replaces each byte that is no UTF-8, where toValid replaces each run of them.
func toValid2(s string) string { return string([]rune(s)) }
