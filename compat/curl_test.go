package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shell runs lines of WeChat's documents: of each only the host and the words in
// capitals are replaced.
type shell struct {
	t                    *testing.T
	dir, endpoint, token string
}

func (s *shell) run(line string, replace ...string) ([]byte, error) {
	line = strings.NewReplacer(append(replace, "https://api.weixin.qq.com", s.endpoint, "ACCESS_TOKEN", s.token)...).Replace(line)
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "no_proxy=*")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", line, err, &stderr)
	}
	return out, nil
}

// ask runs a line whose answer is JSON.
func (s *shell) ask(line string, replace ...string) (answer map[string]any, err error) {
	out, err := s.run(line, replace...)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, fmt.Errorf("%s: %w", out, err)
	}
	if code, ok := answer["errcode"].(float64); ok && code != 0 {
		return nil, errors.New(string(out))
	}
	return answer, nil
}

// login keeps the token that the line gives.
func (s *shell) login(id, key string) error {
	answer, err := s.ask(`curl "https://api.weixin.qq.com/cgi-bin/token?grant_type=client_credential&appid=APPID&secret=APPSECRET"`, "APPID", id, "APPSECRET", key)
	if err == nil {
		s.token = answer["access_token"].(string)
	}
	return err
}

// demoLine is the documents' own example of get_material, as it stands there.
const demoLine = `curl "https://api.weixin.qq.com/cgi-bin/material/get_material?access_token=ACCESS_TOKEN" -d '{"media_id":"61224425"}' > file`

// theDemoLine runs it on the demo library, which has a picture of that media_id.
func theDemoLine(r *run) error {
	s := &shell{t: r.T, dir: r.TempDir(), endpoint: serve(r.T, "--demo", "--wire", r.wire)}
	if err := s.login("wxdemo000000000000", "0123456789abcdef0123456789abcdef"); err != nil {
		return err
	}
	if _, err := s.run(demoLine); err != nil {
		return err
	}
	file := filepath.Join(s.dir, "file")
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := png.Decode(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("%.80q: %w", data, err)
	}
	a := &api{t: r.T, endpoint: s.endpoint, token: s.token}
	for offset := 0; ; offset += 20 {
		items := a.list("image", offset)
		if len(items) == 0 {
			return errors.New("61224425 is not in the list")
		}
		for _, it := range items {
			if it["media_id"] == "61224425" {
				return sameAt(it["url"].(string), file)
			}
		}
	}
}

func curl(r *run) {
	tool(r.T, "curl")
	s := &shell{t: r.T, dir: filepath.Dir(r.image), endpoint: r.endpoint}
	r.step("token", func() error {
		return errors.Join(s.login(appID, secret), refused((&shell{t: r.T, endpoint: r.endpoint}).login(appID, "wrong"), 40125))
	})
	r.step("stable token", func() error {
		_, err := s.ask(`curl "https://api.weixin.qq.com/cgi-bin/stable_token" -d '{"grant_type":"client_credential","appid":"APPID","secret":"APPSECRET"}'`,
			"APPID", appID, "APPSECRET", secret)
		return err
	})

	add := `curl "https://api.weixin.qq.com/cgi-bin/material/add_material?access_token=ACCESS_TOKEN&type=TYPE" -F media=@media.file`
	ids := map[string]string{}
	upload := func(line, typ, file string) (string, error) {
		answer, err := s.ask(line, "TYPE", typ, "media.file", file)
		if err != nil {
			return "", err
		}
		ids[typ], _ = answer["media_id"].(string)
		address, _ := answer["url"].(string)
		return address, nil
	}
	r.step("upload image", func() error {
		address, err := upload(add, "image", r.image)
		if err != nil {
			return err
		}
		return sameAt(address, r.image)
	})
	r.step("upload voice", func() error { _, err := upload(add, "voice", r.voice); return err })
	r.step("upload video", func() error {
		_, err := upload(add+` -F description='{"title":"标题 <&>", "introduction":"介绍"}'`, "video", r.video)
		return err
	})
	r.step("upload thumb", func() error { _, err := upload(add, "thumb", r.thumb); return err })
	var inline string
	r.step("uploadimg", func() error {
		answer, err := s.ask(`curl -F media=@test.jpg "https://api.weixin.qq.com/cgi-bin/media/uploadimg?access_token=ACCESS_TOKEN"`, "test.jpg", r.image)
		if err != nil {
			return err
		}
		inline = fmt.Sprint(answer["url"])
		return sameAt(inline, r.image)
	})
	r.step("temporary media", func() error {
		answer, err := s.ask(`curl -F media=@test.jpg "https://api.weixin.qq.com/cgi-bin/media/upload?access_token=ACCESS_TOKEN&type=TYPE"`, "test.jpg", r.image, "TYPE", "image")
		if err != nil {
			return err
		}
		got, err := s.run(`curl "https://api.weixin.qq.com/cgi-bin/media/get?access_token=ACCESS_TOKEN&media_id=MEDIA_ID"`, "MEDIA_ID", fmt.Sprint(answer["media_id"]))
		if err != nil {
			return err
		}
		return same(got, r.image)
	})

	post := func(endpoint, body string, replace ...string) (map[string]any, error) {
		return s.ask(`curl "https://api.weixin.qq.com/cgi-bin/material/`+endpoint+`?access_token=ACCESS_TOKEN" -d 'BODY'`, append(replace, "BODY", body)...)
	}
	article := func(title string) string {
		data, err := json.Marshal(map[string]any{"title": title, "content": `<p>正文</p><img src="` + inline + `">`, "thumb_media_id": ids["thumb"], "show_cover_pic": 1})
		if err != nil {
			r.Fatal(err)
		}
		return string(data)
	}
	isArticle := func(answer map[string]any, title string) error {
		if items, _ := answer["news_item"].([]any); len(items) == 1 {
			if a, _ := items[0].(map[string]any); a["title"] == title && a["content"] == `<p>正文</p><img src="`+inline+`">` && a["thumb_media_id"] == ids["thumb"] {
				return nil
			}
		}
		return fmt.Errorf("%v", answer)
	}
	getNews := func(title string) error {
		answer, err := post("get_material", `{"media_id":"`+ids["news"]+`"}`)
		if err != nil {
			return err
		}
		return isArticle(answer, title)
	}
	r.step("add news", func() error {
		answer, err := post("add_news", `{"articles":[`+article("标题")+`]}`)
		if err != nil {
			return err
		}
		ids["news"] = fmt.Sprint(answer["media_id"])
		return getNews("标题")
	})
	r.step("update news", func() error {
		_, err := post("update_news", `{"media_id":"`+ids["news"]+`","index":0,"articles":`+article("新标题")+`}`)
		return err
	})

	r.step("counts", func() error {
		got, err := s.run(`curl "https://api.weixin.qq.com/cgi-bin/material/get_materialcount?access_token=ACCESS_TOKEN"`)
		if want := `{"voice_count":1,"video_count":1,"image_count":2,"news_count":1}`; err == nil && string(got) != want {
			err = errors.New(string(got))
		}
		return err
	})
	list := func(typ string, ids ...string) (map[string]any, error) {
		page, err := post("batchget_material", `{"type":"`+typ+`","offset":0,"count":20}`)
		if err != nil {
			return nil, err
		}
		items, _ := page["item"].([]any)
		if len(items) != len(ids) || page["total_count"] != float64(len(ids)) || page["item_count"] != float64(len(ids)) {
			return nil, fmt.Errorf("%v", page)
		}
		for i, it := range items {
			if it.(map[string]any)["media_id"] != ids[i] {
				return nil, fmt.Errorf("%v", page)
			}
		}
		return items[0].(map[string]any), nil
	}
	r.step("list images", func() error { _, err := list("image", ids["thumb"], ids["image"]); return err })
	r.step("list voices", func() error { _, err := list("voice", ids["voice"]); return err })
	r.step("list videos", func() error {
		it, err := list("video", ids["video"])
		if err == nil && it["name"] != "标题 <&>" {
			err = fmt.Errorf("%v", it)
		}
		return err
	})
	r.step("list news", func() error {
		it, err := list("news", ids["news"])
		if err != nil {
			return err
		}
		content, _ := it["content"].(map[string]any)
		return isArticle(content, "新标题")
	})

	getSame := func(id, want string) error {
		if _, err := s.run(strings.Replace(demoLine, "61224425", id, 1)); err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(s.dir, "file"))
		if err != nil {
			return err
		}
		return same(got, want)
	}
	r.step("get image", func() error {
		return errors.Join(getSame(ids["image"], r.image), getSame(ids["thumb"], r.thumb), theDemoLine(r))
	})
	r.step("get voice", func() error { return getSame(ids["voice"], r.voice) })
	r.step("get video", func() error {
		v, err := post("get_material", `{"media_id":"`+ids["video"]+`"}`)
		if err != nil || v["title"] != "标题 <&>" || v["description"] != "介绍" {
			return fmt.Errorf("%v, %v", v, err)
		}
		return sameAt(fmt.Sprint(v["down_url"]), r.video)
	})
	r.step("get news", func() error { return getNews("新标题") })

	r.step("invalid id: 40007", func() error { _, err := post("get_material", `{"media_id":"nothing"}`); return refused(err, 40007) })
	r.step("bad type: 40004", func() error {
		_, err := post("batchget_material", `{"type":"thumb","offset":0,"count":20}`)
		return refused(err, 40004)
	})
	r.step("bad token: 40001", func() error {
		_, err := post("get_materialcount", "{}", "ACCESS_TOKEN", "nothing")
		_, err2 := s.ask(add, "ACCESS_TOKEN", "nothing", "TYPE", "image", "media.file", r.image)
		return errors.Join(refused(err, 40001), refused(err2, 40001))
	})
	r.lacks("token refresh")
	r.step("delete", func() error {
		var all []error
		for _, id := range ids {
			_, once := post("del_material", `{"media_id":"`+id+`"}`)
			_, twice := post("del_material", `{"media_id":"`+id+`"}`)
			all = append(all, once, refused(twice, 40007))
		}
		return errors.Join(all...)
	})
}
