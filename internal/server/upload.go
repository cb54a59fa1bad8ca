package server

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"

	"sucai/internal/library"
	"sucai/wechat"
)

// The bounds of an upload's form around its file.
const (
	maxField = 64 << 10 // bytes of one field
	maxParts = 32
	formRoom = 1 << 20 // bytes of a whole body beyond its file
)

// form is what an upload's multipart body held.
type form struct {
	upload *library.Upload
	name   string // of the file
	fields map[string]string
}

// readForm reads a multipart body and stores its file on the way, under the rules of
// use and type. The file is the first part of one of the given names that has a file
// name; every other part is a field, whether it has a file name or not, before the file
// or behind it. Errors: 44002 without a body, 41005 without a file, 47001 for a broken
// form, those of library.Receive.
func (rq *request) readForm(use library.Use, t wechat.Type, names ...string) (f *form, err error) {
	if rq.body.ended() {
		return nil, wechat.ErrEmptyPost
	}
	kind, params, err := mime.ParseMediaType(rq.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, wechat.ErrMediaMissing
	}
	f = &form{fields: map[string]string{}}
	defer func() {
		if err != nil && f.upload != nil {
			rq.library.Discard(rq.Context(), f.upload)
		}
	}()
	parts := multipart.NewReader(io.LimitReader(rq.body, library.MaxUpload+formRoom), params["boundary"])
	for n := 0; n <= maxParts; n++ {
		p, err := parts.NextPart()
		switch {
		case err == io.EOF && f.upload == nil, n == 0 && errors.Is(err, io.EOF): // no part at all
			return f, wechat.ErrMediaMissing
		case err == io.EOF:
			return f, nil
		case err != nil:
			return f, bodyError{err}
		}
		if f.upload == nil && slices.Contains(names, p.FormName()) && p.FileName() != "" {
			f.name = p.FileName()
			if t == "" {
				t = wechat.Type(f.fields["type"])
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
		f.fields[p.FormName()] = string(value)
	}
	return f, wechat.ErrDataFormat
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

// description gives title and introduction of a video: JSON in the field description,
// or in the query under either spelling. Without it a video has no title of its own.
func (rq *request) description(f *form) (title, introduction string, err error) {
	text := f.fields["description"]
	for _, name := range []string{"description", "Description"} {
		if strings.TrimSpace(text) == "" {
			text = rq.param(name)
		}
	}
	if strings.TrimSpace(text) == "" {
		return "", "", nil
	}
	o, err := wechat.ParseObject([]byte(text))
	if err != nil || o == nil {
		return "", "", wechat.ErrDataFormat
	}
	if title, err = o.Text("title"); err != nil {
		return "", "", err
	}
	introduction, err = o.Text("introduction")
	return title, introduction, err
}

// addMaterial is POST /cgi-bin/material/add_material.
func addMaterial(rq *request) (any, error) {
	t := wechat.Type(rq.param("type"))
	if t != "" && !t.IsFile() {
		return nil, wechat.ErrInvalidMediaType
	}
	f, err := rq.readForm(library.Permanent, t, "media")
	if err != nil {
		return nil, err
	}
	var title, introduction string
	if f.upload.Type() == wechat.Video {
		if title, introduction, err = rq.description(f); err != nil {
			rq.library.Discard(rq.Context(), f.upload)
			return nil, err
		}
	}
	m, err := rq.library.Add(rq.Context(), f.upload, f.name, title, introduction)
	if err != nil {
		return nil, err
	}
	answer := &wechat.Added{MediaID: m.MediaID}
	if m.Type == wechat.Image {
		answer.URL = m.Address()
	}
	return answer, nil
}

// uploadImg is POST /cgi-bin/media/uploadimg: a picture for articles.
func uploadImg(rq *request) (any, error) {
	f, err := rq.readForm(library.Inline, wechat.Image, "media", "buffer")
	if err != nil {
		return nil, err
	}
	m, err := rq.library.Add(rq.Context(), f.upload, f.name, "", "")
	if err != nil {
		return nil, err
	}
	return &wechat.Picture{URL: m.Address()}, nil
}

// mediaUpload is POST /cgi-bin/media/upload: a temporary medium.
func mediaUpload(rq *request) (any, error) {
	t := wechat.Type(rq.param("type"))
	if t != "" && !t.IsFile() {
		return nil, wechat.ErrInvalidMediaType
	}
	f, err := rq.readForm(library.Temporary, t, "media")
	if err != nil {
		return nil, err
	}
	m, err := rq.library.Add(rq.Context(), f.upload, f.name, "", "")
	if err != nil {
		return nil, err
	}
	return &wechat.Uploaded{Type: f.upload.Type(), MediaID: m.MediaID, ThumbMediaID: m.MediaID, CreatedAt: m.Created}, nil
}

// mediaGet is GET /cgi-bin/media/get: the bytes of a temporary medium, or the address
// of a temporary video.
func mediaGet(rq *request) (any, error) {
	m, err := rq.library.Temporary(rq.Context(), rq.param("media_id"))
	if err != nil {
		return nil, err
	}
	if m.Type == wechat.Video {
		return &wechat.TemporaryVideo{VideoURL: rq.library.VideoAddress(m)}, nil
	}
	return rq.file(m)
}
