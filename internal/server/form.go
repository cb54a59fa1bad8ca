package server

import (
	"bufio"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"sucai/internal/library"
	"sucai/wechat"
)

// The bounds of an upload's form around its file.
const (
	maxField      = 64 << 10 // bytes of one field
	maxPartHeader = 64 << 10 // bytes of one part's header
	maxParts      = 32
	maxBoundary   = 70      // characters, by RFC 2046
	formRoom      = 1 << 20 // bytes of a whole body beyond its file
)

// form is what an upload's multipart body held.
type form struct {
	use    library.Use
	live   bool // as strict as the live service
	upload *library.Upload
	name   string // of the file
	fields map[string]string
}

// readForm reads a multipart body and stores its file on the way, under the rules of
// use and type; without a type, the field of that name says it. The file is the first
// part of one of the given names that has a file name; every other part is a field,
// whether it has a file name or not, before the file or behind it. Errors: 44002 without
// a body, 40004 for a type that is no file's, 41005 without a file, 47001 for a broken
// form, those of library.Receive; on the live wire those of library.CheckName too.
func (rq *request) readForm(use library.Use, t wechat.Type, names ...string) (f *form, err error) {
	if rq.body.ended() {
		return nil, wechat.ErrEmptyPost
	}
	if t != "" && !t.IsFile() {
		return nil, wechat.ErrInvalidMediaType
	}
	f = &form{use: use, live: rq.server.opt.Live, fields: map[string]string{}}
	in := bufio.NewReader(io.LimitReader(rq.body, library.MaxUpload+formRoom))
	mark, err := boundary(rq.Header.Get("Content-Type"), in, f.live)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && f.upload != nil {
			rq.library.Discard(rq.Context(), f.upload)
		}
	}()
	guard := &headerGuard{r: in}
	parts := multipart.NewReader(guard, mark)
	for n := 0; n <= maxParts; n++ {
		guard.left = maxPartHeader
		p, err := parts.NextPart()
		guard.left = -1
		switch {
		case err == io.EOF && f.upload == nil, n == 0 && errors.Is(err, io.EOF): // no part at all
			return f, wechat.ErrMediaMissing
		case err == io.EOF:
			return f, f.settle(t)
		case err != nil:
			return f, bodyError{err}
		}
		field, file := partNames(p, f.live)
		if f.upload == nil && slices.Contains(names, field) && file != "" {
			f.name = file
			if t == "" {
				t = wechat.Type(f.fields["type"])
			}
			if err := f.checkName(t); t != "" && err != nil {
				return f, err
			}
			if f.upload, err = rq.library.Receive(rq.Context(), use, t, partReader{p}); err != nil {
				return f, err
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(p, maxField+1))
		if err != nil {
			return f, bodyError{err}
		}
		if len(value) > maxField {
			return f, wechat.ErrDataFormat
		}
		f.fields[field] = string(value)
	}
	return f, wechat.ErrDataFormat
}

// settle gives the file the type that stood behind it, where none was known before.
func (f *form) settle(t wechat.Type) error {
	if t != "" {
		return nil
	}
	t = wechat.Type(f.fields["type"])
	if err := f.upload.SetType(t); err != nil {
		return err
	}
	return f.checkName(t)
}

func (f *form) checkName(t wechat.Type) error {
	if !f.live {
		return nil
	}
	return library.CheckName(f.use, t, f.name)
}

// partReader marks the errors of a part as the client's.
type partReader struct{ p *multipart.Part }

func (r partReader) Read(b []byte) (int, error) {
	n, err := r.p.Read(b)
	if err != nil && err != io.EOF {
		err = bodyError{err}
	}
	return n, err
}

// headerGuard bounds what is read for the header of a part: the multipart package would
// take one of ten megabytes into memory.
type headerGuard struct {
	r    io.Reader
	left int // bytes; negative outside headers
}

func (g *headerGuard) Read(p []byte) (int, error) {
	if g.left < 0 {
		return g.r.Read(p)
	}
	if g.left == 0 {
		return 0, errors.New("the header of a part does not end")
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	return n, err
}

// boundary gives the boundary of a multipart/form-data body: what the Content-Type says,
// or else the body's first line, as clients rely on (WxJava to 4.6.0, tnwx). The live
// service takes none in quotes, and no charset beside it. 41005 where there is none, and
// for another type.
func boundary(contentType string, body *bufio.Reader, live bool) (string, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil { // as of a boundary that should stand in quotes and does not
		kind, params = lenientHeader(contentType)
	}
	mark := params["boundary"]
	switch {
	case kind != "multipart/form-data", live && mark != "" && (params["charset"] != "" || strings.Contains(contentType, `"`)):
		return "", wechat.ErrMediaMissing
	case mark != "":
		return mark, nil
	}
	start, err := body.Peek(len("--") + maxBoundary + len("\r\n"))
	if err != nil && err != io.EOF {
		return "", bodyError{err}
	}
	line, _, ended := strings.Cut(string(start), "\r\n")
	mark, dashes := strings.CutPrefix(line, "--")
	if !ended || !dashes || mark == "" {
		return "", wechat.ErrMediaMissing
	}
	return mark, nil
}

// partNames gives the field and the file name of a part. The live service takes a file
// name in quotes alone.
func partNames(p *multipart.Part, live bool) (field, file string) {
	header := p.Header.Get("Content-Disposition")
	_, params, err := mime.ParseMediaType(header)
	_, lenient := lenientHeader(header)
	if err != nil {
		params = lenient
	}
	file = params["filename"]
	if file == "" {
		file = lenient["filename"]
	}
	if file == "" {
		file = extendedValue(lenient["filename*"])
	}
	if live && !quotedName.MatchString(header) {
		file = ""
	}
	if decoded, err := new(mime.WordDecoder).DecodeHeader(file); err == nil {
		file = decoded
	}
	return params["name"], file
}

var quotedName = regexp.MustCompile(`(?i);\s*filename\s*=\s*"`)

var headerParam = regexp.MustCompile(`^;?\s*([A-Za-z*]+)\s*=\s*`)

// lenientHeader reads a header value with parameters as browsers and proxies write them
// against the grammar: with characters bare that want quotes, and quotes inside quotes.
func lenientHeader(header string) (value string, params map[string]string) {
	value, rest, _ := strings.Cut(header, ";")
	params = map[string]string{}
	for {
		found := headerParam.FindStringSubmatch(rest)
		if found == nil {
			return strings.ToLower(strings.TrimSpace(value)), params
		}
		rest = rest[len(found[0]):]
		end := len(rest)
		if i := quotedEnd(rest); i > 0 {
			end = i
		} else if i := strings.IndexByte(rest, ';'); i >= 0 {
			end = i
		}
		text := strings.TrimSpace(rest[:end])
		if len(text) > 1 && text[0] == '"' {
			text = text[1 : len(text)-1]
		}
		params[strings.ToLower(found[1])] = text
		rest = strings.TrimLeft(rest[end:], " \t")
	}
}

var quoteEnd = regexp.MustCompile(`"\s*(;\s*[A-Za-z*]+\s*=|$)`)

// quotedEnd gives where the quoted string ends with which text begins, 0 without one: at
// the first quote behind which another parameter or nothing follows.
func quotedEnd(text string) int {
	if !strings.HasPrefix(text, `"`) {
		return 0
	}
	if at := quoteEnd.FindStringIndex(text[1:]); at != nil {
		return at[0] + 2
	}
	return 0
}

// extendedValue decodes the form charset'language'text of RFC 5987, as Latin-1 where the
// bytes are no UTF-8.
func extendedValue(v string) string {
	parts := strings.SplitN(v, "'", 3)
	text, err := url.PathUnescape(parts[len(parts)-1])
	if err != nil || len(parts) != 3 {
		return ""
	}
	if utf8.ValidString(text) {
		return text
	}
	var latin strings.Builder
	for _, b := range []byte(text) {
		latin.WriteRune(rune(b))
	}
	return latin.String()
}
