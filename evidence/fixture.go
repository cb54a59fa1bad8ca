package evidence

import (
	"bytes"
	"fmt"
	"strings"

	"sucai/wechat"
)

// fixture makes one or more variables over the wire, when a case first names one.
type fixture struct {
	writes bool
	make   func(r *runner) (map[string]string, error)
}

// fixtureNames are the variables that need not be bound by a case.
var fixtureNames = map[string]fixture{}

func init() {
	for names, f := range map[string]fixture{
		// The account's token, as anybody gets it.
		"TOKEN": {false, func(r *runner) (map[string]string, error) {
			t, err := r.client().StableToken(r.ctx, false)
			if err != nil {
				return nil, err
			}
			return map[string]string{"TOKEN": t.AccessToken}, nil
		}},
		// Materials of our own making.
		"IMAGE IMAGE_URL": upload("IMAGE", wechat.Upload{Type: wechat.Image, Name: "picture.png"}),
		"THUMB THUMB_URL": upload("THUMB", wechat.Upload{Type: wechat.Thumb, Name: "picture.jpg"}),
		"VOICE":           upload("VOICE", wechat.Upload{Type: wechat.Voice, Name: "bare.mp3"}),
		"VIDEO":           upload("VIDEO", wechat.Upload{Type: wechat.Video, Name: "front.mp4", Title: "标题", Introduction: "描述"}),
		"NEWS":            news("NEWS", 1),
		"NEWS2":           news("NEWS2", 2),
		"DELETED": {true, func(r *runner) (map[string]string, error) {
			v, err := upload("DELETED", wechat.Upload{Type: wechat.Image, Name: "picture.png"}).make(r)
			if err != nil {
				return nil, err
			}
			return v, r.client().DelMaterial(r.ctx, v["DELETED"])
		}},
		"TEMPORARY": temporary("TEMPORARY", wechat.Image, "picture.png"),
		"TEMPVIDEO": temporary("TEMPVIDEO", wechat.Video, "front.mp4"),
		"INLINE_URL": {true, func(r *runner) (map[string]string, error) {
			data, err := fileBytes("picture.png")
			if err != nil {
				return nil, err
			}
			url, err := r.client().UploadImg(r.ctx, wechat.Upload{Name: "picture.png", Body: bytes.NewReader(data)})
			return map[string]string{"INLINE_URL": url}, err
		}},
		// Whatever the library holds: for cases that only read.
		"ANY_IMAGE": any("ANY_IMAGE", wechat.Image, upload("ANY_IMAGE", wechat.Upload{Type: wechat.Image, Name: "picture.png"})),
		"ANY_VIDEO": any("ANY_VIDEO", wechat.Video, upload("ANY_VIDEO", wechat.Upload{Type: wechat.Video, Name: "front.mp4"})),
		"ANY_NEWS":  any("ANY_NEWS", wechat.News, news("ANY_NEWS", 1)),
		// Another account and what is its own.
		"FOREIGN FOREIGN_TOKEN FOREIGN_APPID": {true, func(r *runner) (map[string]string, error) {
			if r.t.Lab == nil {
				return nil, fmt.Errorf("only a test has another account")
			}
			other, err := r.apart()
			if err != nil {
				return nil, err
			}
			id, err := other.variable("IMAGE")
			if err != nil {
				return nil, err
			}
			token, err := other.variable("TOKEN")
			return map[string]string{"FOREIGN": id, "FOREIGN_TOKEN": token, "FOREIGN_APPID": other.t.AppID}, err
		}},
	} {
		for _, name := range strings.Fields(names) {
			fixtureNames[name] = f
		}
	}
}

// variable gives a variable's value, and makes its fixture where it has none yet.
func (r *runner) variable(name string) (string, error) {
	if v, ok := r.vars[name]; ok {
		return v, nil
	}
	f, ok := fixtureNames[name]
	if !ok {
		return "", fmt.Errorf("${%s} is not bound", name)
	}
	if err := r.failed[name]; err != nil {
		return "", err
	}
	vars, err := f.make(r)
	if err != nil {
		r.failed[name] = notRun{fmt.Errorf("no %s: %w", name, err)}
		return "", r.failed[name]
	}
	for k, v := range vars {
		r.vars[k] = v
	}
	return r.vars[name], nil
}

func upload(name string, up wechat.Upload) fixture {
	return fixture{true, func(r *runner) (map[string]string, error) {
		data, err := fileBytes(up.Name)
		if err != nil {
			return nil, err
		}
		up := up // runners may share a fixture, but no body
		up.Body = bytes.NewReader(data)
		a, err := r.client().AddMaterial(r.ctx, up)
		if err != nil {
			return nil, err
		}
		r.fixtures = append(r.fixtures, a.MediaID)
		return map[string]string{name: a.MediaID, name + "_URL": a.URL}, nil
	}}
}

func news(name string, articles int) fixture {
	return fixture{true, func(r *runner) (map[string]string, error) {
		cover, err := r.variable("IMAGE")
		if err != nil {
			return nil, err
		}
		list := make([]wechat.Article, articles)
		for i := range list {
			list[i] = wechat.Article{Title: "标题", Author: "作者", Digest: "摘要", Content: "<p>正文</p>", ThumbMediaID: cover,
				ShowCoverPic: 1, ContentSourceURL: "https://example.com/?a=1&b=2"}
		}
		id, err := r.client().AddNews(r.ctx, list)
		if err != nil {
			return nil, err
		}
		r.fixtures = append(r.fixtures, id)
		return map[string]string{name: id}, nil
	}}
}

func temporary(name string, t wechat.Type, file string) fixture {
	return fixture{true, func(r *runner) (map[string]string, error) {
		data, err := fileBytes(file)
		if err != nil {
			return nil, err
		}
		u, err := r.client().UploadMedia(r.ctx, wechat.Upload{Type: t, Name: file, Body: bytes.NewReader(data)})
		if err != nil {
			return nil, err
		}
		return map[string]string{name: u.MediaID}, nil
	}}
}

// any takes the newest of a type, and makes one only where there is none and it may.
func any(name string, t wechat.Type, or fixture) fixture {
	return fixture{false, func(r *runner) (map[string]string, error) {
		p, err := r.client().BatchGetMaterial(r.ctx, t, 0, 1)
		switch {
		case err != nil:
			return nil, err
		case len(p.Item) > 0:
			return map[string]string{name: p.Item[0].MediaID}, nil
		case !r.t.Write:
			return nil, fmt.Errorf("the library has no %s", t)
		}
		return or.make(r)
	}}
}
