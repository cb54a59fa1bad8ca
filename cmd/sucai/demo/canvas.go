package demo

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// canvas is a picture being drawn. Scenes are written in units of their own; scale turns a unit into pixels, so that one scene serves
// a still, a small animation and a film.
type canvas struct {
	img   *image.RGBA
	w, h  float64 // in units
	scale float64
	ras   vector.Rasterizer
	mask  []uint8
	row   []tint
}

func newCanvas(w, h, scale float64) *canvas {
	r := image.Rect(0, 0, int(math.Round(w*scale)), int(math.Round(h*scale)))
	c := &canvas{img: image.NewRGBA(r), w: w, h: h, scale: scale}
	c.row = make([]tint, r.Dx())
	c.mask = make([]uint8, r.Dx()*r.Dy())
	for i := 3; i < len(c.img.Pix); i += 4 {
		c.img.Pix[i] = 0xff
	}
	return c
}

// tint is a colour with straight alpha, and the paint of that one colour.
type tint color.NRGBA

func hex(rgb uint32) tint { return tint{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 0xff} }

// alpha is the tint at an opacity of 0 to 1.
func (t tint) alpha(a float64) tint {
	t.A = uint8(math.Round(255 * min(max(a, 0), 1)))
	return t
}

func mix(a, b tint, t float64) tint {
	t = min(max(t, 0), 1)
	f := func(x, y uint8) uint8 { return uint8(math.Round(float64(x) + (float64(y)-float64(x))*t)) }
	return tint{f(a.R, b.R), f(a.G, b.G), f(a.B, b.B), f(a.A, b.A)}
}

// paint colours what a path covers: span fills dst with the colours from (x, y) to the right, step units apart.
type paint interface {
	span(x, y, step float64, dst []tint)
}

func (t tint) span(_, _, _ float64, dst []tint) {
	for i := range dst {
		dst[i] = t
	}
}

// ramp is a gradient looked up by 0 to 255.
type ramp [256]tint

// evenly is a ramp through the tints at equal distances.
func evenly(tints ...tint) *ramp {
	var r ramp
	for i := range r {
		at := float64(i) / 255 * float64(len(tints)-1)
		k := min(int(at), len(tints)-2)
		r[i] = mix(tints[k], tints[k+1], at-float64(k))
	}
	return &r
}

// at clamps after the conversion: min and max on floats must mind NaN, which costs more, and this runs for every pixel.
func (r *ramp) at(t float64) tint { return r[min(max(int(t*255), 0), 255)] }

// linear runs its ramp from one point to another.
type linear struct {
	x0, y0, x1, y1 float64
	*ramp
}

func upright(y0, y1 float64, tints ...tint) linear { return linear{0, y0, 0, y1, evenly(tints...)} }

func across(x0, x1 float64, tints ...tint) linear { return linear{x0, 0, x1, 0, evenly(tints...)} }

func (l linear) span(x, y, step float64, dst []tint) {
	dx, dy := l.x1-l.x0, l.y1-l.y0
	n := dx*dx + dy*dy
	t, d := ((x-l.x0)*dx+(y-l.y0)*dy)/n, step*dx/n
	if d == 0 {
		l.at(t).span(x, y, step, dst)
		return
	}
	for i := range dst {
		dst[i] = l.at(t)
		t += d
	}
}

// radial runs its ramp from a centre outwards; squash flattens the circles.
type radial struct {
	x, y, r, squash float64
	*ramp
}

func around(x, y, r float64, tints ...tint) radial { return radial{x, y, r, 1, evenly(tints...)} }

func (p radial) span(x, y, step float64, dst []tint) {
	dy := (y - p.y) / p.squash
	for i := range dst {
		dx := x - p.x
		dst[i] = p.at(math.Sqrt(dx*dx+dy*dy) / p.r)
		x += step
	}
}

// under runs its ramp downwards from a line given as a function of x: mist that follows a mountain.
type under struct {
	top  func(x float64) float64
	fade float64
	*ramp
}

func (u under) span(x, y, step float64, dst []tint) {
	for i := range dst {
		dst[i] = u.at((y - u.top(x)) / u.fade)
		x += step
	}
}

// shade is any other paint.
type shade func(x, y float64) tint

func (s shade) span(x, y, step float64, dst []tint) {
	for i := range dst {
		dst[i] = s(x, y)
		x += step
	}
}

// span makes a canvas the paint of another, in the units of the latter: a picture on a fan.
func (c *canvas) span(x, y, step float64, dst []tint) {
	for i := range dst {
		dst[i] = c.pixel(x, y)
		x += step
	}
}

// pixel is what is painted at a point; beyond the rim it is what the rim shows.
func (c *canvas) pixel(x, y float64) tint {
	b := c.img.Bounds()
	i := c.img.PixOffset(min(max(int(x*c.scale), 0), b.Dx()-1), min(max(int(y*c.scale), 0), b.Dy()-1))
	return tint{c.img.Pix[i], c.img.Pix[i+1], c.img.Pix[i+2], 0xff}
}

// wash paints everything.
func (c *canvas) wash(src paint) { c.band(0, c.h, src) }

// band paints the rows from y0 to y1.
func (c *canvas) band(y0, y1 float64, src paint) {
	step := 1 / c.scale
	b := c.img.Bounds()
	for y := max(int(y0*c.scale), 0); y < min(int(math.Ceil(y1*c.scale)), b.Dy()); y++ {
		src.span(step/2, (float64(y)+.5)*step, step, c.row)
		c.blend(y, 0, nil, c.row)
	}
}

// fill paints the inside of the path.
func (c *canvas) fill(p path, src paint) {
	x0, y0, x1, y1 := p.bounds()
	box := image.Rect(int(math.Floor(x0*c.scale)), int(math.Floor(y0*c.scale)), int(math.Ceil(x1*c.scale)), int(math.Ceil(y1*c.scale)))
	box = box.Intersect(c.img.Bounds())
	if box.Empty() {
		return
	}
	w, h := box.Dx(), box.Dy()
	c.ras.Reset(w, h)
	c.ras.DrawOp = draw.Src
	at := func(q pt) (float32, float32) {
		return float32(q.x*c.scale - float64(box.Min.X)), float32(q.y*c.scale - float64(box.Min.Y))
	}
	for _, part := range p {
		if len(part) < 3 {
			continue
		}
		c.ras.MoveTo(at(part[0]))
		for _, q := range part[1:] {
			c.ras.LineTo(at(q))
		}
		c.ras.ClosePath()
	}
	r := image.Rect(0, 0, w, h)
	c.ras.Draw(&image.Alpha{Pix: c.mask[:w*h], Stride: w, Rect: r}, r, image.Opaque, image.Point{})
	step := 1 / c.scale
	solid, flat := src.(tint)
	if flat {
		solid.span(0, 0, 0, c.row[:w])
	}
	for y := range h {
		m := c.mask[y*w : (y+1)*w]
		from, to := 0, w
		for from < to && m[from] == 0 {
			from++
		}
		for to > from && m[to-1] == 0 {
			to--
		}
		if from == to {
			continue
		}
		if !flat {
			src.span((float64(box.Min.X+from)+.5)*step, (float64(box.Min.Y+y)+.5)*step, step, c.row[from:to])
		}
		c.blend(box.Min.Y+y, box.Min.X+from, m[from:to], c.row[from:to])
	}
}

// blend lays a row of colours over the picture, as far as mask lets it (all of it where mask is nil).
func (c *canvas) blend(y, x int, mask []uint8, src []tint) {
	pix := c.img.Pix[y*c.img.Stride+4*x:]
	for i, s := range src {
		a := uint32(s.A) * 255
		if mask != nil {
			a = uint32(s.A) * uint32(mask[i])
		}
		p := pix[4*i : 4*i+4 : 4*i+4]
		switch a {
		case 0:
		case 255 * 255:
			p[0], p[1], p[2] = s.R, s.G, s.B
		default:
			n := 255*255 - a
			p[0] = uint8((uint32(p[0])*n + uint32(s.R)*a + 32512) / 65025)
			p[1] = uint8((uint32(p[1])*n + uint32(s.G)*a + 32512) / 65025)
			p[2] = uint8((uint32(p[2])*n + uint32(s.B)*a + 32512) / 65025)
		}
	}
}

// glow is a soft light around a point.
func (c *canvas) glow(x, y, r float64, t tint, strength float64) {
	var fall ramp
	for i := range fall {
		d := 1 - float64(i)/255
		fall[i] = t.alpha(strength * d * d * (3 - 2*d))
	}
	c.fill(circle(x, y, r), radial{x, y, r, 1, &fall})
}

// flip lays the rows above y upside down below it, as far as depth, wavering and fading into the tint: a reflection.
func (c *canvas) flip(y, depth, waver float64, t tint, from, to float64) {
	b := c.img.Bounds()
	line := int(y * c.scale)
	for i := range int(depth * c.scale) {
		src, dst := line-1-i, line+i
		if src < 0 || dst >= b.Dy() {
			break
		}
		d := float64(i) / c.scale
		shift := int(math.Round(waver * c.scale * d / depth * math.Sin(d*1.1+math.Sin(d*.31)*2)))
		cover := mix(t.alpha(from), t.alpha(to), d/depth)
		for x := range b.Dx() {
			sx := min(max(x+shift, 0), b.Dx()-1)
			p := c.img.Pix[src*c.img.Stride+4*sx:]
			c.row[x] = mixByte(tint{p[0], p[1], p[2], 255}, cover)
		}
		c.blend(dst, 0, nil, c.row)
	}
}

// mixByte lays a translucent tint over an opaque one.
func mixByte(under, over tint) tint {
	a := uint32(over.A)
	f := func(u, o uint8) uint8 { return uint8((uint32(u)*(255-a) + uint32(o)*a + 127) / 255) }
	return tint{f(under.R, over.R), f(under.G, over.G), f(under.B, over.B), 255}
}
