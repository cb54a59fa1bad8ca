package demo

import (
	"fmt"
	"image"
	"path/filepath"
)

// picture is an image of the library: a scene, and how large it is drawn. A scene is written for its own size in units; small pictures
// (an animation, or a format that does not pack) show the same scene at a smaller scale.
type picture struct {
	name   string
	w, h   float64 // in units
	scale  float64
	frames int
	plain  bool // all colours kept, where the format also allows a palette
	scene  func(c *canvas, at float64)
}

func still(name string, w, h float64, draw func(*canvas)) picture {
	return picture{name: name, w: w, h: h, scale: 1, frames: 1, scene: func(c *canvas, _ float64) { draw(c) }}
}

// moment is a moving scene held at one time.
func moment(scene func(*canvas, float64), at float64) func(*canvas) {
	return func(c *canvas) { scene(c, at) }
}

func moving(name string, frames int, scene func(*canvas, float64)) picture {
	return picture{name: name, w: 640, h: 400, scale: .3125, frames: frames, scene: scene}
}

func small(name string, plain bool, draw func(*canvas)) picture {
	p := still(name, 640, 400, draw).at(.375)
	p.plain = plain
	return p
}

// at is the picture at another scale.
func (p picture) at(scale float64) picture {
	p.scale = scale
	return p
}

// pixels is the size of the picture as a client sees it.
func (p picture) pixels() (w, h int) {
	return int(p.w*p.scale + .5), int(p.h*p.scale + .5)
}

// format is the name that the standard library, and WeChat's articles, give the picture's format.
func (p picture) format() string {
	if ext := filepath.Ext(p.name); ext != ".jpg" {
		return ext[1:]
	}
	return "jpeg"
}

func (p picture) bytes() ([]byte, error) {
	frames := make([]*image.RGBA, p.frames)
	for i := range frames {
		c := newCanvas(p.w, p.h, p.scale)
		p.scene(c, float64(i)/float64(p.frames))
		frames[i] = c.img
	}
	switch f := p.format(); f {
	case "png":
		return encodePNG(frames[0])
	case "jpeg":
		return encodeJPEG(frames[0])
	case "gif":
		return encodeGIF(frames, 12)
	case "bmp":
		if p.plain {
			return encodeBMP(frames[0])
		}
		return encodeBMP(indexed(frames, 256)[0])
	default:
		return nil, fmt.Errorf("demo: no encoder for %s", f)
	}
}
