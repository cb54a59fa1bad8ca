package wechat

import (
	"bytes"
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"unicode"
)

// Upload is a file to be sent.
type Upload struct {
	Type         Type      // image, voice, video or thumb; not used by UploadImg
	Name         string    // the file's name
	Body         io.Reader // an io.Seeker can be sent once more where the access token was refused
	Title        string    // of a video; its file name where empty
	Introduction string    // of a video
}

// AddMaterial uploads a permanent material. The answer has a URL for an image and a thumb.
func (c *Client) AddMaterial(ctx context.Context, up Upload) (*Added, error) {
	a := &Added{}
	return a, c.upload(ctx, "/cgi-bin/material/add_material", up, a)
}

// UploadImg uploads a picture for articles, which is not listed, and gives its url.
func (c *Client) UploadImg(ctx context.Context, up Upload) (string, error) {
	p := &Picture{}
	up.Type = ""
	err := c.upload(ctx, "/cgi-bin/media/uploadimg", up, p)
	return p.URL, err
}

// UploadMedia uploads a temporary medium, which lives for three days.
func (c *Client) UploadMedia(ctx context.Context, up Upload) (*Uploaded, error) {
	u := &Uploaded{}
	return u, c.upload(ctx, "/cgi-bin/media/upload", up, u)
}

// GetMedia fetches a temporary medium. Of a video there is an address only, in
// Video.DownURL.
func (c *Client) GetMedia(ctx context.Context, mediaID string) (*Material, error) {
	var m *Material
	err := c.authorized(ctx, always, func(q url.Values) error {
		const path = "/cgi-bin/media/get"
		q.Set("media_id", mediaID)
		res, err := c.send(ctx, http.MethodGet, path, q, payload{})
		if err != nil {
			return err
		}
		file, head, err := openFile(res, path)
		if err != nil {
			return err
		}
		if file != nil {
			m = &Material{File: file}
			return nil
		}
		defer res.Body.Close()
		var v TemporaryVideo
		if err := decode(head, res.Status, path, &v); err != nil {
			return err
		}
		m, err = video(VideoBody{DownURL: v.VideoURL}, path)
		return err
	})
	return m, err
}

// upload streams a multipart body; nothing of the file is held in memory.
func (c *Client) upload(ctx context.Context, path string, up Upload, answer any) error {
	head, tail, contentType, err := formAround(up)
	if err != nil {
		return err
	}
	size := int64(-1)
	again := func() bool { return false }
	if s, ok := up.Body.(io.Seeker); ok {
		// The platform wants a Content-Length, so the size is looked up where it can be.
		start, err := s.Seek(0, io.SeekCurrent)
		end, err2 := s.Seek(0, io.SeekEnd)
		_, err3 := s.Seek(start, io.SeekStart)
		if err == nil && err2 == nil && err3 == nil {
			size = int64(len(head)) + end - start + int64(len(tail))
			again = func() bool {
				_, err := s.Seek(start, io.SeekStart)
				return err == nil
			}
		}
	}
	return c.authorized(ctx, again, func(q url.Values) error {
		if up.Type != "" {
			q.Set("type", string(up.Type))
		}
		body := &gate{r: io.MultiReader(bytes.NewReader(head), up.Body, bytes.NewReader(tail))}
		defer body.Close()
		return c.exchange(ctx, http.MethodPost, path, q, payload{contentType, body, size}, answer)
	})
}

// formAround gives what stands before and behind the file in the multipart body.
func formAround(up Upload) (head, tail []byte, contentType string, err error) {
	var out bytes.Buffer
	form := multipart.NewWriter(&out)
	// No header may hold control characters: servers refuse the whole upload.
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, up.Name)
	name = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name)
	_, err = form.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="media"; filename="` + name + `"`},
		"Content-Type":        {"application/octet-stream"},
	})
	if err != nil {
		return nil, nil, "", err
	}
	n := out.Len()
	if up.Type == Video {
		description, err := marshal(map[string]string{"title": up.Title, "introduction": up.Introduction})
		if err != nil {
			return nil, nil, "", err
		}
		if err := form.WriteField("description", string(description)); err != nil {
			return nil, nil, "", err
		}
	}
	if err := form.Close(); err != nil {
		return nil, nil, "", err
	}
	return out.Bytes()[:n], out.Bytes()[n:], form.FormDataContentType(), nil
}

// gate lets nobody read behind it once it is closed: an http.Transport may go on
// reading a body for a while after the answer has come.
type gate struct {
	mu sync.Mutex
	r  io.Reader
}

func (g *gate) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.r == nil {
		return 0, io.ErrClosedPipe
	}
	return g.r.Read(p)
}

func (g *gate) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.r = nil
	return nil
}
