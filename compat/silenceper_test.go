package compat

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/cache"
	"github.com/silenceper/wechat/v2/officialaccount"
	"github.com/silenceper/wechat/v2/officialaccount/config"
	"github.com/silenceper/wechat/v2/officialaccount/material"
	"github.com/silenceper/wechat/v2/util"
)

// github.com/silenceper/wechat is pointed at another server by its own setting.
func TestSilenceper(t *testing.T) {
	endpoint := serve(t)
	util.SetURIModifier(func(uri string) string { return strings.Replace(uri, "https://api.weixin.qq.com", endpoint, 1) })
	defer util.SetURIModifier(nil)
	for _, stable := range []bool{false, true} {
		account := officialaccount.NewOfficialAccount(&config.Config{AppID: appID, AppSecret: secret, Cache: cache.NewMemory(), UseStableAK: stable})
		t.Run(map[bool]string{false: "token", true: "stable token"}[stable], func(t *testing.T) { silenceper(t, account) })
	}
	wrong := officialaccount.NewOfficialAccount(&config.Config{AppID: appID, AppSecret: "wrong", Cache: cache.NewMemory()})
	if _, err := wrong.GetAccessToken(); err == nil || !strings.Contains(err.Error(), "40125") {
		t.Errorf("a wrong secret: %v", err)
	}
}

func silenceper(t *testing.T, account *officialaccount.OfficialAccount) {
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	token, err := account.GetAccessToken()
	check(err)
	if len(token) < 100 {
		t.Errorf("token %q", token)
	}
	m := account.GetMaterial()
	before, err := m.GetMaterialCount()
	check(err)

	picture := filepath.Join(t.TempDir(), "图片.png")
	var data bytes.Buffer
	check(png.Encode(&data, image.NewGray(image.Rect(0, 0, 8, 8))))
	check(os.WriteFile(picture, data.Bytes(), 0o600))
	imageID, imageURL, err := m.AddMaterial(material.MediaTypeImage, picture)
	check(err)
	voiceID, _, err := m.AddMaterial(material.MediaTypeVoice, demoFile(t, "evening-ferry.mp3"))
	check(err)
	videoID, _, err := m.AddVideo(demoFile(t, "lanterns.mp4"), "标题 <&>", "介绍")
	check(err)
	inline, err := m.ImageUpload(picture)
	check(err)
	article := &material.Article{Title: "标题", Content: `<p>正文</p><img src="` + inline + `">`, ThumbMediaID: imageID, Digest: "摘要", ShowCoverPic: 1}
	newsID, err := m.AddNews([]*material.Article{article})
	check(err)

	news, err := m.GetNews(newsID)
	check(err)
	if len(news) != 1 || news[0].Title != "标题" || news[0].Content != article.Content || news[0].URL == "" || news[0].ShowCoverPic != 1 {
		t.Errorf("news: %+v", news)
	}
	article.Title = "新标题"
	check(m.UpdateNews(article, newsID, 0))
	after, err := m.GetMaterialCount()
	check(err)
	if after.ImageCount != before.ImageCount+1 || after.VoiceCount != before.VoiceCount+1 || after.VideoCount != before.VideoCount+1 || after.NewsCount != before.NewsCount+1 {
		t.Errorf("counts before %+v, after %+v", before, after)
	}
	for typ, id := range map[material.PermanentMaterialType]string{
		material.PermanentMaterialTypeImage: imageID, material.PermanentMaterialTypeVoice: voiceID,
		material.PermanentMaterialTypeVideo: videoID, material.PermanentMaterialTypeNews: newsID,
	} {
		list, err := m.BatchGetMaterial(typ, 0, 20)
		check(err)
		if len(list.Item) == 0 || list.Item[0].MediaID != id || list.TotalCount < 1 {
			t.Errorf("list of %s: %+v", typ, list)
		}
		if typ == material.PermanentMaterialTypeNews && (len(list.Item[0].Content.NewsItem) != 1 || list.Item[0].Content.NewsItem[0].Title != "新标题") {
			t.Errorf("list of news: %+v", list.Item[0])
		}
	}
	if _, err := m.BatchGetMaterial("thumb", 0, 20); err == nil || !strings.Contains(err.Error(), "40004") {
		t.Errorf("list of thumbs: %v", err)
	}

	res, err := http.Get(imageURL)
	check(err)
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, data.Bytes()) {
		t.Errorf("url of the image: %d bytes, %v", len(got), err)
	}
	temporary, err := m.MediaUpload(material.MediaTypeImage, picture)
	check(err)
	if temporary.MediaID == "" || temporary.CreatedAt == 0 {
		t.Errorf("temporary: %+v", temporary)
	}
	for _, id := range []string{imageID, voiceID, videoID, newsID} {
		check(m.DeleteMaterial(id))
		if err := m.DeleteMaterial(id); err == nil || !strings.Contains(err.Error(), "40007") {
			t.Errorf("deleted twice: %v", err)
		}
	}
}
