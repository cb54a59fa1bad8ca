package wechat

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime"
	"net/http"
	"net/url"
)

// Material is an answer of get_material: exactly one member is set.
type Material struct {
	News  *NewsBody
	Video *VideoBody
	File  *File // to be closed
}

// GetMaterial fetches a permanent material. What it is, is told by its bytes: an error
// never comes out as a file. The body of a File streams and must be closed.
func (c *Client) GetMaterial(ctx context.Context, mediaID string) (*Material, error) {
	body, err := marshal(map[string]string{"media_id": mediaID})
	if err != nil {
		return nil, err
	}
	var m *Material
	err = c.authorized(ctx, always, func(q url.Values) (err error) {
		const path = "/cgi-bin/material/get_material"
		res, err := c.send(ctx, http.MethodPost, path, q, jsonBody(body))
		if err != nil {
			return err
		}
		m, err = readMaterial(res, path)
		return err
	})
	return m, err
}

// readMaterial closes the response, or hands its body out as a File.
func readMaterial(res *http.Response, path string) (*Material, error) {
	file, head, err := openFile(res, path)
	if err != nil {
		return nil, err
	}
	if file != nil {
		return &Material{File: file}, nil
	}
	defer res.Body.Close()
	var a struct {
		News *json.RawMessage `json:"news_item"`
		VideoBody
	}
	data := json.RawMessage{}
	if err := decode(head, res.Status, path, &data); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if a.News == nil {
		return video(a.VideoBody, path)
	}
	m := &Material{News: &NewsBody{}}
	if err := json.Unmarshal(data, m.News); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// video is the material of an answer that is no news: without an address it is nothing.
func video(v VideoBody, path string) (*Material, error) {
	if v.DownURL == "" {
		return nil, fmt.Errorf("%s: the answer is neither a file nor a news, and as a video it has no address", path)
	}
	return &Material{Video: &v}, nil
}

// openFile gives the response as a file, or, where it begins as JSON does, its body.
// No image, voice or video of this API begins so.
func openFile(res *http.Response, path string) (*File, io.Reader, error) {
	body := bufio.NewReader(res.Body)
	head, err := body.Peek(headSize)
	if err != nil && err != io.EOF {
		res.Body.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if res.StatusCode != http.StatusOK || isObject(head) {
		return nil, body, nil
	}
	f := &File{ContentType: res.Header.Get("Content-Type"), Size: res.ContentLength, Body: bodyReader{body, res.Body}}
	if err := refuse(head, f.ContentType); err != nil {
		res.Body.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if _, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition")); err == nil {
		f.Name = params["filename"]
	}
	return f, nil, nil
}

type bodyReader struct {
	io.Reader
	io.Closer
}

// BatchGetMaterial lists materials of a type from offset on, the newest created first;
// count is 1 to 20.
func (c *Client) BatchGetMaterial(ctx context.Context, t Type, offset, count int64) (*Page, error) {
	p := &Page{}
	args := struct {
		Type   Type  `json:"type"`
		Offset int64 `json:"offset"`
		Count  int64 `json:"count"`
	}{t, offset, count}
	if err := c.post(ctx, "/cgi-bin/material/batchget_material", args, p); err != nil {
		return nil, err
	}
	return p, nil
}

// All walks through all materials of a type, the newest created first. What is added or
// deleted meanwhile shifts the pages: nothing comes twice, and what stays in the
// library is not missed unless as much is added as deleted between two pages.
func (c *Client) All(ctx context.Context, t Type) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		seen := map[string]bool{}
		total := int64(-1)
		for offset := int64(0); ; {
			p, err := c.BatchGetMaterial(ctx, t, offset, 20)
			if err != nil {
				yield(Item{}, err)
				return
			}
			if total >= 0 && p.TotalCount < total { // what follows has moved up
				offset = max(0, offset-(total-p.TotalCount))
				total = p.TotalCount
				continue
			}
			total = p.TotalCount
			for _, it := range p.Item {
				if seen[it.MediaID] {
					continue
				}
				seen[it.MediaID] = true
				if !yield(it, nil) {
					return
				}
			}
			offset += int64(len(p.Item))
			if len(p.Item) == 0 || offset >= total {
				return
			}
		}
	}
}

// GetMaterialCount tells how many materials of each type the account has.
func (c *Client) GetMaterialCount(ctx context.Context) (*Counts, error) {
	n := &Counts{}
	return n, c.authorized(ctx, always, func(q url.Values) error {
		return c.exchange(ctx, http.MethodGet, "/cgi-bin/material/get_materialcount", q, payload{}, n)
	})
}

// DelMaterial deletes a permanent material.
func (c *Client) DelMaterial(ctx context.Context, mediaID string) error {
	return c.post(ctx, "/cgi-bin/material/del_material", map[string]string{"media_id": mediaID}, nil)
}

// AddNews adds a news of one to eight articles and gives its media_id.
func (c *Client) AddNews(ctx context.Context, articles []Article) (string, error) {
	a := &Added{}
	err := c.post(ctx, "/cgi-bin/material/add_news", map[string]any{"articles": articles}, a)
	return a.MediaID, err
}

// UpdateNews replaces the article at index, from 0, of a news.
func (c *Client) UpdateNews(ctx context.Context, mediaID string, index int, a Article) error {
	return c.post(ctx, "/cgi-bin/material/update_news", map[string]any{"media_id": mediaID, "index": index, "articles": a}, nil)
}

// Fetch opens an address that an answer gave: a url, thumb_url or down_url. What is no
// image, voice or video is an error. The body streams and must be closed.
func (c *Client) Fetch(ctx context.Context, address string) (*File, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	res, err := c.do(req)
	if err != nil {
		return nil, err
	}
	place := req.URL.Scheme + "://" + req.URL.Host + req.URL.Path // a query may hold a key
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, fmt.Errorf("%s: %s", place, res.Status)
	}
	file, body, err := openFile(res, place)
	if err == nil && file == nil {
		defer res.Body.Close()
		err = decode(body, res.Status, place, nil)
		if err == nil {
			err = fmt.Errorf("%s: the answer is no image, voice or video but JSON", place)
		}
	}
	return file, err
}
