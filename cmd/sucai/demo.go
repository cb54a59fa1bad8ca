package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"

	"sucai/cmd/sucai/demo"
	"sucai/internal/library"
	"sucai/wechat"
)

// The demo account: fixed and public, so that documents and tests can name it.
const (
	demoAppID  = "wxdemo000000000000"
	demoSecret = "0123456789abcdef0123456789abcdef"
)

// importDemo makes the demo account and takes in its library, once: what its user
// deletes afterwards stays deleted. An import that broke off is finished.
func importDemo(ctx context.Context, ls *library.Libraries) error {
	if _, _, err := ls.NewAccount(ctx, demoAppID, demoSecret); err != nil && !errors.Is(err, library.ErrExists) {
		return err
	}
	a, err := ls.Accounts.Account(ctx, demoAppID)
	if err != nil {
		return err
	}
	if !a.HasSecret(demoSecret) {
		slog.Warn("the demo account has a secret of its own by now; the lines below have the documented one", "appid", demoAppID)
	}
	if a.Settings.Demo {
		return nil
	}
	slog.Info("making the demo library, once; this takes a few seconds")
	lib := ls.Of(a)
	for _, d := range demo.All() {
		if err := importDemoMaterial(ctx, ls, lib, d); err != nil {
			return fmt.Errorf("%s: %w", d.MediaID, err)
		}
	}
	return ls.SetAccount(ctx, demoAppID, func(s *library.Settings) error {
		s.Demo, s.Name = true, "素材演示"
		return nil
	})
}

func importDemoMaterial(ctx context.Context, ls *library.Libraries, lib *library.Library, d demo.Material) error {
	if _, err := lib.Get(ctx, d.MediaID, nil); !errors.Is(err, wechat.ErrInvalidMediaID) {
		return err // there already, or trouble
	}
	m := &library.Material{
		MediaID: d.MediaID, Type: wechat.Type(d.Type), Number: library.NextNumber,
		Name: d.Name, Introduction: d.Introduction, Created: d.Created.Unix(), Updated: d.Created.Unix(),
	}
	if d.File != nil {
		data, err := d.File()
		if err != nil {
			return err
		}
		if err := lib.ImportFile(ctx, m, bytes.NewReader(data)); err != nil {
			return err
		}
	} else if err := demoArticles(ctx, lib, m, d.Articles); err != nil {
		return err
	}
	_, err := lib.Import(ctx, []*library.Material{m})
	return err
}

var demoPicture = regexp.MustCompile(`demo:[A-Za-z0-9_-]+`)

// demoArticles puts the addresses of pictures where the texts name them by media_id.
func demoArticles(ctx context.Context, lib *library.Library, m *library.Material, list []demo.Article) error {
	const base = "http://demo.invalid" // stands for us until the articles are sent
	articles := make([]wechat.Article, len(list))
	var err error
	address := func(mediaID string) string {
		picture, e := lib.Get(ctx, mediaID, nil)
		if e != nil {
			err = errors.Join(err, fmt.Errorf("picture %s: %w", mediaID, e))
			return ""
		}
		return base + picture.Address()
	}
	for i, d := range list {
		a := wechat.Article{
			Title: d.Title, Author: d.Author, Digest: d.Digest, ContentSourceURL: d.ContentSourceURL,
			ThumbMediaID: d.Cover, ThumbURL: address(d.Cover),
			Content: demoPicture.ReplaceAllStringFunc(d.Content, func(name string) string { return address(name[len("demo:"):]) }),
		}
		if d.ShowCoverPic {
			a.ShowCoverPic = 1
		}
		articles[i] = a
	}
	lib.SetArticles(m, articles, base)
	return err
}

// printDemo prints lines that can be pasted into a shell. What comes as a file goes into
// one, named by its type and the suffix of what it is.
func printDemo(w io.Writer, base string) {
	fmt.Fprintf(w, `
# the demo account: appid %[2]s, secret %[3]s
# a token, for two hours
TOKEN=$(curl -s '%[1]s/cgi-bin/token?grant_type=client_credential&appid=%[2]s&secret=%[3]s' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
# a page of the list
curl "%[1]s/cgi-bin/material/batchget_material?access_token=$TOKEN" -d '{"type":"image","offset":0,"count":3}'
`, base, demoAppID, demoSecret)
	first := map[string]demo.Material{}
	for _, d := range demo.All() {
		if _, ok := first[d.Type]; !ok || d.MediaID == "61224425" {
			first[d.Type] = d
		}
	}
	for _, t := range wechat.Listed {
		d, file := first[string(t)], ""
		if t == wechat.Image || t == wechat.Voice {
			file = fmt.Sprintf(" > %s%s", t, filepath.Ext(d.Name))
		}
		fmt.Fprintf(w, "# get_material: %s\ncurl \"%s/cgi-bin/material/get_material?access_token=$TOKEN\" -d '{\"media_id\":\"%s\"}'%s\n",
			t, base, d.MediaID, file)
	}
}
