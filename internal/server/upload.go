package server

import (
	"strings"

	"sucai/internal/library"
	"sucai/wechat"
)

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

// addMaterial is POST /cgi-bin/material/add_material. EasyWeChat 3 to 5 send the type as
// a field of the form.
func addMaterial(rq *request) (any, error) {
	f, err := rq.readForm(library.Permanent, wechat.Type(rq.param("type")), "media")
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
	f, err := rq.readForm(library.Temporary, wechat.Type(rq.param("type")), "media")
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
