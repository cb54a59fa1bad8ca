package demo

import (
	"math"
	"math/rand/v2"
)

// seeded is a source of chance that is the same at every call.
func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, 0x5ca1)) }

// lattice is a fixed number between 0 and 1 for every whole point.
func lattice(x, y int32, seed uint32) float64 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77 ^ seed*0xc2b2ae3d
	h = (h ^ h>>15) * 0x2c1b3c6d
	h = (h ^ h>>12) * 0x297a2d39
	return float64(h^h>>15) / (1 << 32)
}

// noise is a smooth surface between 0 and 1 with hills about one unit wide.
func noise(x, y float64, seed uint32) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int32(fx), int32(fy)
	tx, ty := x-fx, y-fy
	tx, ty = tx*tx*(3-2*tx), ty*ty*(3-2*ty)
	a := lattice(ix, iy, seed)
	a += (lattice(ix+1, iy, seed) - a) * tx
	b := lattice(ix, iy+1, seed)
	b += (lattice(ix+1, iy+1, seed) - b) * tx
	return a + (b-a)*ty
}

// rough is noise in several sizes on top of one another, between 0 and 1.
func rough(x, y float64, layers int, seed uint32) float64 {
	sum, weight, total := 0., 1., 0.
	for i := range layers {
		sum += weight * noise(x, y, seed+uint32(i)*101)
		total += weight
		x, y, weight = x*2.03, y*2.03, weight/2
	}
	return sum / total
}

// sampled keeps a costly line as a table of one value a unit, from 0 to w.
func sampled(w float64, f func(x float64) float64) func(x float64) float64 {
	const margin = 8
	table := make([]float64, int(w)+2*margin+2)
	for i := range table {
		table[i] = f(float64(i - margin))
	}
	return func(x float64) float64 {
		x = min(max(x+margin, 0), float64(len(table)-2))
		i := int(x)
		return table[i] + (table[i+1]-table[i])*(x-float64(i))
	}
}

// grain roughens the picture like paper. It is for pictures kept as JPEG: noise does not pack.
func (c *canvas) grain(strength float64, seed uint64) {
	state := seed*0x9e3779b97f4a7c15 | 1
	amount := int32(strength * 256)
	for i := 0; i < len(c.img.Pix); i += 4 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		d := (int32(state&0xff) + int32(state>>8&0xff) - 255) * amount >> 16
		for k, v := range c.img.Pix[i : i+3] {
			c.img.Pix[i+k] = uint8(min(max(int32(v)+d, 0), 255))
		}
	}
}

// mist is a drifting band of the tint, thickest in the middle.
func (c *canvas) mist(y, depth float64, t tint, strength float64, seed uint32) {
	y0 := y - depth/2
	c.band(max(y0, 0), min(y0+depth, c.h), drift{y0, depth, strength, t, seed})
}

type drift struct {
	y, depth, strength float64
	tint
	seed uint32
}

func (d drift) span(x, y, step float64, dst []tint) {
	// The noise is wide, so one sample for a few pixels is enough.
	const stride = 4
	thick := d.strength * math.Sin(math.Pi*min(max((y-d.y)/d.depth, 0), 1))
	at := func(x float64) float64 {
		return thick * min(max(rough(x/170, y/34, 2, d.seed)*2.2-.45, 0), 1)
	}
	a := at(x)
	for i := 0; i < len(dst); i += stride {
		x += stride * step
		b := at(x)
		for k := range min(stride, len(dst)-i) {
			dst[i+k] = d.alpha(a + (b-a)*float64(k)/stride)
		}
		a = b
	}
}

// vignette darkens the corners.
func (c *canvas) vignette(t tint, strength float64) {
	var fall ramp
	for i := range fall {
		d := max(float64(i)/255-.45, 0) / .55
		fall[i] = t.alpha(strength * d * d)
	}
	c.wash(radial{c.w / 2, c.h / 2, math.Hypot(c.w, c.h) / 2, 1, &fall})
}
