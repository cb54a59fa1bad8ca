package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/officialaccount"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	"github.com/silenceper/wechat/v2/officialaccount/material"
	"github.com/silenceper/wechat/v2/util"
)

// badToken hands the SDK a token that no server issued.
type badToken struct{}

func (badToken) GetAccessToken() (string, error) { return "nothing", nil }

// github.com/silenceper/wechat is pointed at another server by its own setting. It has no
// call for the bytes of get_material, and the step goes through the function that all its
// calls are made with.
func silenceper(r *run) {
	util.SetURIModifier(func(uri string) string { return strings.Replace(uri, "https://api.weixin.qq.com", r.endpoint, 1) })
	defer util.SetURIModifier(nil)
	open := func(secret string, stable bool) *officialaccount.OfficialAccount {
		return officialaccount.NewOfficialAccount(&config.Config{AppID: appID, AppSecret: secret, Cache: cache.NewMemory(), UseStableAK: stable})
	}
	account := open(secret, false)
	m := account.GetMaterial()
	bad := open(secret, false)
	bad.SetAccessTokenHandle(badToken{})

	r.step("token", func() error {
		if token, err := account.GetAccessToken(); err != nil || len(token) < 100 {
			return fmt.Errorf("%q, %v", token, err)
		}
		_, err := open("wrong", false).GetAccessToken()
		return refused(err, 40125)
	})
	r.step("stable token", func() error {
		_, err := open(secret, true).GetMaterial().GetMaterialCount()
		return err
	})

	var imageID, voiceID, videoID, thumbID, inline string
	r.step("upload image", func() (err error) {
		var address string
		if imageID, address, err = m.AddMaterial(material.MediaTypeImage, r.image); err != nil {
			return err
		}
		return sameAt(address, r.image)
	})
	r.step("upload voice", func() (err error) {
		voiceID, _, err = m.AddMaterial(material.MediaTypeVoice, r.voice)
		return err
	})
	r.step("upload video", func() (err error) {
		videoID, _, err = m.AddVideo(r.video, "标题 <&>", "介绍")
		return err
	})
	r.step("upload thumb", func() (err error) {
		thumbID, _, err = m.AddMaterial(material.MediaTypeThumb, r.thumb)
		return err
	})
	r.step("uploadimg", func() (err error) {
		if inline, err = m.ImageUpload(r.image); err != nil {
			return err
		}
		return sameAt(inline, r.image)
	})
	r.step("temporary media", func() error {
		temporary, err := m.MediaUpload(material.MediaTypeImage, r.image)
		if err != nil {
			return err
		}
		address, err := m.GetMediaURL(temporary.MediaID)
		if err != nil {
			return err
		}
		got, err := util.HTTPGet(address)
		if err != nil || temporary.CreatedAt == 0 {
			return fmt.Errorf("%+v, %v", temporary, err)
		}
		return same(got, r.image)
	})

	article := &material.Article{Title: "标题", Content: `<p>正文</p><img src="` + inline + `">`, ThumbMediaID: thumbID, Digest: "摘要", ShowCoverPic: 1}
	isArticle := func(got *material.Article) error {
		if got.Title != article.Title || got.Content != article.Content || got.ThumbMediaID != thumbID || got.Digest != "摘要" || got.ShowCoverPic != 1 || got.URL == "" {
			return fmt.Errorf("article %+v", got)
		}
		return nil
	}
	var newsID string
	getNews := func() error {
		news, err := m.GetNews(newsID)
		if err != nil || len(news) != 1 {
			return fmt.Errorf("%d articles, %v", len(news), err)
		}
		return isArticle(news[0])
	}
	r.step("add news", func() (err error) {
		if newsID, err = m.AddNews([]*material.Article{article}); err != nil {
			return err
		}
		return getNews()
	})
	r.step("update news", func() error {
		article.Title = "新标题"
		return m.UpdateNews(article, newsID, 0)
	})

	r.step("counts", func() error {
		n, err := m.GetMaterialCount()
		if err == nil && (n.ImageCount != 2 || n.VoiceCount != 1 || n.VideoCount != 1 || n.NewsCount != 1) {
			err = fmt.Errorf("%+v", n)
		}
		return err
	})
	list := func(typ material.PermanentMaterialType, ids ...string) (material.ArticleListItem, error) {
		page, err := m.BatchGetMaterial(typ, 0, 20)
		var got []string
		for _, it := range page.Item {
			got = append(got, it.MediaID)
		}
		if err != nil || strings.Join(got, " ") != strings.Join(ids, " ") || page.TotalCount != int64(len(ids)) || page.ItemCount != page.TotalCount {
			return material.ArticleListItem{}, fmt.Errorf("%+v, %v", page, err)
		}
		return page.Item[0], nil
	}
	r.step("list images", func() error {
		it, err := list(material.PermanentMaterialTypeImage, thumbID, imageID)
		if err != nil {
			return err
		}
		return sameAt(it.URL, r.thumb)
	})
	r.step("list voices", func() error {
		_, err := list(material.PermanentMaterialTypeVoice, voiceID)
		return err
	})
	r.step("list videos", func() error {
		it, err := list(material.PermanentMaterialTypeVideo, videoID)
		if err == nil && it.Name != "标题 <&>" {
			err = fmt.Errorf("%+v", it)
		}
		return err
	})
	r.step("list news", func() error {
		it, err := list(material.PermanentMaterialTypeNews, newsID)
		if err != nil || len(it.Content.NewsItem) != 1 {
			return fmt.Errorf("%+v, %v", it, err)
		}
		return isArticle(&it.Content.NewsItem[0])
	})

	get := func(account *officialaccount.OfficialAccount, id string) ([]byte, error) {
		token, err := account.GetAccessToken()
		if err != nil {
			return nil, err
		}
		body, err := util.PostJSON("https://api.weixin.qq.com/cgi-bin/material/get_material?access_token="+token, map[string]string{"media_id": id})
		if err != nil {
			return nil, err
		}
		var answer util.CommonError
		if json.Unmarshal(body, &answer) == nil && answer.ErrCode != 0 {
			return nil, errors.New(string(body))
		}
		return body, nil
	}
	getSame := func(id, file string) error {
		got, err := get(account, id)
		if err != nil {
			return err
		}
		return same(got, file)
	}
	r.step("get image", func() error { return errors.Join(getSame(imageID, r.image), getSame(thumbID, r.thumb)) })
	r.step("get voice", func() error { return getSame(voiceID, r.voice) })
	r.step("get video", func() error {
		body, err := get(account, videoID)
		if err != nil {
			return err
		}
		var v struct {
			Title, Description string
			DownURL            string `json:"down_url"`
		}
		if err := json.Unmarshal(body, &v); err != nil || v.Title != "标题 <&>" || v.Description != "介绍" {
			return fmt.Errorf("%s, %v", body, err)
		}
		return sameAt(v.DownURL, r.video)
	})
	r.step("get news", getNews)

	r.step("invalid id: 40007", func() error {
		_, err := get(account, "nothing")
		return errors.Join(refused(err, 40007), refused(m.DeleteMaterial("nothing"), 40007))
	})
	r.step("bad type: 40004", func() error {
		_, err := m.BatchGetMaterial("thumb", 0, 20)
		return refused(err, 40004)
	})
	r.step("bad token: 40001", func() error {
		_, counts := bad.GetMaterial().GetMaterialCount()
		_, bytes := get(bad, imageID)
		_, _, upload := bad.GetMaterial().AddMaterial(material.MediaTypeImage, r.image)
		return errors.Join(refused(counts, 40001), refused(bytes, 40001), refused(upload, 40001))
	})
	r.lacks("token refresh") // it keeps a token until 1,500 seconds before its end, whatever the server says
	r.step("delete", func() error {
		var all []error
		for _, id := range []string{imageID, voiceID, videoID, thumbID, newsID} {
			all = append(all, m.DeleteMaterial(id), refused(m.DeleteMaterial(id), 40007))
		}
		return errors.Join(all...)
	})
}
