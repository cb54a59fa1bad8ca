package library_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/wechat"
)

// client calls the API of a node, with a token that another one issued.
func (n *nodes) client(at *node, token string) *wechat.Client {
	transport := &http.Transport{}
	n.Cleanup(transport.CloseIdleConnections)
	return &wechat.Client{
		Endpoint: at.address, HTTP: &http.Client{Transport: transport},
		Token: func(context.Context, string) (string, error) { return token, nil },
	}
}

var smallPNG = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde")

func send(c *wechat.Client, t wechat.Type, name string, body []byte) (*wechat.Added, error) {
	return c.AddMaterial(context.Background(), wechat.Upload{Type: t, Name: name, Body: bytes.NewReader(body)})
}

// What one node acknowledged, all know at once: uploads, news and their updates, deletions.
func TestNodesAndMaterials(t *testing.T) {
	n := newNodes(t)
	ctx, a := t.Context(), n.account("wxone")
	var clients []*wechat.Client
	for _, node := range n.list {
		clients = append(clients, n.client(node, n.token(n.list[0], a)))
	}
	// see checks what all nodes give of an image and of the first of the news.
	see := func(what string, image string, body []byte, images, news int64, title string) {
		t.Helper()
		for i, c := range clients {
			switch m, err := c.GetMaterial(ctx, image); {
			case body == nil && !errors.Is(err, wechat.ErrInvalidMediaID):
				t.Errorf("%s: node %d: %v", what, i, err)
			case body != nil && err != nil:
				t.Errorf("%s: node %d: %v", what, i, err)
			case body != nil:
				got, err := io.ReadAll(m.File.Body)
				m.File.Body.Close()
				if err != nil || !bytes.Equal(got, body) {
					t.Errorf("%s: node %d gives %d bytes, %v", what, i, len(got), err)
				}
			}
			page, err := c.BatchGetMaterial(ctx, wechat.Image, 0, 20)
			n.must(err)
			if page.TotalCount != images || int64(len(page.Item)) != images || body != nil && page.Item[0].MediaID != image {
				t.Errorf("%s: node %d lists %+v", what, i, page)
			}
			counts, err := c.GetMaterialCount(ctx)
			n.must(err)
			if counts.Image != images || counts.News != news {
				t.Errorf("%s: node %d counts %+v", what, i, counts)
			}
			if title == "" {
				continue
			}
			page, err = c.BatchGetMaterial(ctx, wechat.News, 0, 20)
			n.must(err)
			if got := page.Item[0].Content.NewsItem[0].Title; got != title {
				t.Errorf("%s: node %d has the title %s", what, i, got)
			}
		}
	}
	var images, news int64
	for i, c := range clients {
		added, err := send(c, wechat.Image, "a.png", smallPNG)
		n.must(err)
		images++
		see("added", added.MediaID, smallPNG, images, news, "")
		other, err := send(clients[(i+1)%3], wechat.Image, "b.png", smallPNG)
		n.must(err)
		images++
		see("one more", other.MediaID, smallPNG, images, news, "")

		article := wechat.Article{Title: fmt.Sprint("one ", i), Content: "<p>x</p>", ThumbMediaID: added.MediaID}
		id, err := c.AddNews(ctx, []wechat.Article{article})
		n.must(err)
		news++
		see("news", other.MediaID, smallPNG, images, news, article.Title)
		article.Title = fmt.Sprint("two ", i)
		n.must(clients[(i+2)%3].UpdateNews(ctx, id, 0, article))
		see("updated", other.MediaID, smallPNG, images, news, article.Title)

		n.must(clients[(i+1)%3].DelMaterial(ctx, other.MediaID))
		images--
		see("deleted", other.MediaID, nil, images, news, article.Title)
		if err := c.DelMaterial(ctx, other.MediaID); !errors.Is(err, wechat.ErrInvalidMediaID) {
			t.Errorf("deleted twice: %v", err)
		}
	}
}

// Limits hold for all nodes together, however much they race.
func TestNodesRace(t *testing.T) {
	n := newNodes(t)
	a := n.account("wxone")
	token := n.token(n.list[0], a)
	clients := map[*node]*wechat.Client{}
	for _, node := range n.list {
		clients[node] = n.client(node, token)
	}
	full := n.atOnce(8, func(node *node) error {
		_, err := send(clients[node], wechat.Image, "a.png", smallPNG)
		return bare(err)
	})
	if full["<nil>"] != 10 || full[fmt.Sprint(wechat.ErrLibraryFull)] != 14 {
		t.Errorf("24 uploads where 10 are allowed: %v", full)
	}
	n.everywhere("then", nil, func(node *node) error {
		counts, err := clients[node].GetMaterialCount(t.Context())
		if err == nil && counts.Image != 10 {
			err = fmt.Errorf("%d are counted", counts.Image)
		}
		return err
	})

	page, err := clients[n.list[0]].BatchGetMaterial(t.Context(), wechat.Image, 0, 1)
	n.must(err)
	gone := n.atOnce(3, func(node *node) error { return bare(clients[node].DelMaterial(t.Context(), page.Item[0].MediaID)) })
	if gone["<nil>"] != 1 || gone[fmt.Sprint(wechat.ErrInvalidMediaID)] != 8 {
		t.Errorf("one material deleted 9 times: %v", gone)
	}

	n.must(n.list[1].SetAccount(t.Context(), a.AppID, func(s *library.Settings) error { return s.Set("quota.get_materialcount", "50") }))
	n.pass(0)
	calls := n.atOnce(40, func(node *node) error {
		_, err := clients[node].GetMaterialCount(t.Context())
		return bare(err)
	})
	if calls["<nil>"] != 50 || calls[fmt.Sprint(wechat.ErrQuota)] != 70 {
		t.Errorf("120 calls where 50 are allowed: %v", calls)
	}
	n.pass(13 * time.Hour) // beyond midnight, and the token's end
	token = n.token(n.list[0], a)
	for _, node := range n.list {
		clients[node] = n.client(node, token)
	}
	calls = n.atOnce(20, func(node *node) error {
		_, err := clients[node].GetMaterialCount(t.Context())
		return bare(err)
	})
	if calls["<nil>"] != 50 || calls[fmt.Sprint(wechat.ErrQuota)] != 10 {
		t.Errorf("60 calls on the next day: %v", calls)
	}
}

// bare leaves of an error what all of its errcode have in common.
func bare(err error) error {
	for _, known := range []error{wechat.ErrLibraryFull, wechat.ErrInvalidMediaID, wechat.ErrQuota} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

// What an operator sets at one node, the others honour within a second.
func TestNodesAndSettings(t *testing.T) {
	n := newNodes(t)
	from := netip.MustParseAddr("192.0.2.1")
	var wg sync.WaitGroup
	for key, s := range map[string]struct {
		value   string
		refused error
	}{
		"whitelist":          {"198.51.100.0/24", wechat.ErrIPNotAllowed},
		"frozen":             {"true", wechat.ErrUserLimited},
		"kind":               {"subscription", wechat.ErrUnauthorized},
		"quota.get_material": {"0", wechat.ErrQuota},
	} {
		for by := range n.list {
			a := n.account(fmt.Sprintf("wx%.5s%d", key, by))
			token := n.token(n.list[0], a)
			call := func(node *node) error {
				c, err := node.Authenticate(t.Context(), token)
				if err != nil {
					return err
				}
				return node.Admit(t.Context(), c, "get_material", nil, from)
			}
			set := func(value string) func(*node) error {
				return func(by *node) error {
					return by.SetAccount(t.Context(), a.AppID, func(own *library.Settings) error { return own.Set(key, value) })
				}
			}
			wg.Go(func() {
				n.spreads(key, by, nil, s.refused, set(s.value), call)
				n.spreads(key+" unset", by, s.refused, nil, set(""), call)
			})
		}
	}
	wg.Wait()
}
