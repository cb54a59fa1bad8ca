// Package demo is a library to look at and to try things on: pictures, sounds, films and news, all of its own making. The pictures are
// drawn by this package whenever they are asked for.
package demo

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"time"
)

// Material is one material of the demo library.
type Material struct {
	MediaID      string                 // fixed, so that documents can name it
	Type         string                 // "image", "voice", "video" or "news"
	Name         string                 // file name of an image or voice; title of a video
	Introduction string                 // video
	Created      time.Time              // fixed; ascending in the order of All
	Articles     []Article              // news
	File         func() ([]byte, error) // the bytes of an image, voice or video; nil for news; made afresh at each call
}

// Article is one article of a news. In its Content a picture of the library is written <img data-src="demo:MEDIA_ID">.
type Article struct {
	Title, Author, Digest, Content, ContentSourceURL string
	Cover                                            string // the media_id of an image above
	ShowCoverPic                                     bool
}

//go:embed files
var files embed.FS

// picked is the image whose media_id is the one in WeChat's own example of get_material, so that the example works as it stands.
const (
	picked   = "月出东山.png"
	pickedID = "61224425"
)

// mediaID is 64 characters like WeChat's: a start that the whole library shares, then what belongs to the material alone.
func mediaID(name string) string {
	if name == picked {
		return pickedID
	}
	sum := sha256.Sum256([]byte(name))
	// 33 bytes make 44 characters without padding; the sum has only 32.
	return "sucaiDemoLibrary2024" + base64.RawURLEncoding.EncodeToString(append(sum[:], sum[0]))
}

// All is the demo library, oldest first; everything that an article uses comes before it.
func All() []Material {
	china := time.FixedZone("UTC+8", 8*60*60)
	out := make([]Material, len(shelf))
	for i, item := range shelf {
		m := item()
		if m.Type == "news" {
			m.MediaID = mediaID(m.Articles[0].Title)
		} else {
			m.MediaID = mediaID(m.Name)
		}
		// The times come from the places on the shelf: a material put in the middle moves all that follow it.
		m.Created = time.Date(2024, time.January, 4+6*i, 9, 37*i%(9*60), 0, 0, china)
		out[i] = m
	}
	return out
}

func drawing(p picture) func() Material {
	drawn[p.name] = p
	return func() Material { return Material{Type: "image", Name: p.name, File: p.bytes} }
}

// drawn are the images by name, for the articles that show them.
var drawn = map[string]picture{}

func voice(name string, file func() ([]byte, error)) func() Material {
	return func() Material { return Material{Type: "voice", Name: name, File: file} }
}

func video(title, introduction string, file func() ([]byte, error)) func() Material {
	return func() Material {
		return Material{Type: "video", Name: title, Introduction: introduction, File: file}
	}
}

func news(articles func() []Article) func() Material {
	return func() Material { return Material{Type: "news", Articles: articles()} }
}

// embedded gives a copy, as the bytes of every material are the caller's own.
func embedded(name string) func() ([]byte, error) {
	return func() ([]byte, error) {
		b, err := files.ReadFile("files/" + name)
		return bytes.Clone(b), err
	}
}
