package demo

import (
	"math"
)

// table is a room's wall and a table top in front of it.
func (c *canvas) table(edge float64, wallTop, wallLow, top, front tint) {
	c.band(0, edge, upright(0, edge, wallTop, wallLow))
	c.band(edge, c.h, upright(edge, c.h, top, front))
	c.band(edge-14, edge+14, upright(edge-14, edge+14, soot.alpha(0), soot.alpha(.12), soot.alpha(0)))
}

// shadow is the soft shadow of a thing that stands at (x, y).
func (c *canvas) shadow(x, y, rx, ry, strength float64) {
	var fall ramp
	for i := range fall {
		d := 1 - float64(i)/255
		fall[i] = hex(0x2a1d14).alpha(strength * d * d * (3 - 2*d))
	}
	c.fill(oval(x, y, rx, ry, 0), radial{x, y, rx, ry / rx, &fall})
}

// profile is a turned vessel: half its width at heights from the top down.
func profile(x float64, heightAndHalf ...float64) (path, func(y float64) float64) {
	var right []float64
	for i := 0; i < len(heightAndHalf); i += 2 {
		right = append(right, heightAndHalf[i+1], heightAndHalf[i])
	}
	line := curve(right...)
	out := make([]pt, 0, 2*len(line))
	for _, q := range line {
		out = append(out, pt{x + q.x, q.y})
	}
	for i := len(line) - 1; i >= 0; i-- {
		out = append(out, pt{x - line[i].x, line[i].y})
	}
	half := func(y float64) float64 {
		for i := 1; i < len(line); i++ {
			if line[i].y >= y {
				a, b := line[i-1], line[i]
				return a.x + (b.x-a.x)*(y-a.y)/max(b.y-a.y, 1e-6)
			}
		}
		return line[len(line)-1].x
	}
	return path{out}, half
}

// glaze is the light on a turned vessel: a bright streak on the left, shade on the right.
func glaze(x float64, half func(float64) float64, deep tint) paint {
	return shade(func(px, py float64) tint {
		u := (px - x) / max(half(py), 1)
		lit := math.Exp(-math.Pow((u+.42)/.16, 2)) * .55
		dark := max(u*.62+.1, 0)
		dark += math.Pow(math.Abs(u), 8) * .3
		if lit > dark {
			return white.alpha(lit - dark*.4)
		}
		return deep.alpha(min(dark*.75, .8))
	})
}

// meander is the key pattern as one band of hooks.
func meander(x0, x1, y, s float64) path {
	var out path
	for x := x0; x < x1; x += s * 1.25 {
		hook := points(x, y+s, x, y, x+s, y, x+s, y+s*.76, x+s*.3, y+s*.76, x+s*.3, y+s*.34, x+s*.68, y+s*.34)
		for i := range len(hook) - 1 {
			out = append(out, stroke(hook[i:i+2], s*.13)...)
		}
		out = append(out, stroke(points(x, y+s, x+s*1.25, y+s), s*.13)...)
	}
	return unite(out)
}

func blueAndWhite(c *canvas) {
	c.table(500, hex(0xe9e2d3), hex(0xd8cdb8), hex(0x8a5f42), hex(0x5f3d2a))
	c.glow(130, 120, 320, hex(0xfffaf0), .9)
	const x = 240.
	body, half := profile(x, 104, 44, 110, 40, 150, 32, 186, 38, 220, 84, 262, 118, 310, 128, 370, 112, 440, 76, 500, 56, 534, 58, 540, 60)
	c.shadow(x+46, 540, 150, 26, .6)
	// The decoration is painted flat and wrapped around the body.
	flat := newCanvas(800, 560, 1)
	flat.wash(hex(0xf3f5f2))
	blue, light := hex(0x1d3f86), hex(0x6f8fc4)
	band := func(y, h float64) {
		flat.fill(unite(rect(0, y, 800, 2.4), rect(0, y+h, 800, 1.6)), blue)
	}
	flat.fill(meander(0, 800, 116, 18), blue)
	band(108, 34)
	for i := range 40 {
		px := float64(i) * 20
		flat.fill(append(unite(blade(px, 184, 36, 18, -math.Pi/2)), unite(blade(px+10, 184, 24, 10, -math.Pi/2))...), mix(blue, light, float64(i%2)))
	}
	band(188, 12)
	for i := range 20 {
		flat.fill(stroke(arc(float64(i)*40, 216, 19, 16, 0, math.Pi), 2.4), blue)
		flat.fill(circle(float64(i)*40, 216, 6), light)
	}
	band(238, 4)
	// Peonies on a running vine.
	var vine []pt
	for px := -20.; px <= 820; px += 6 {
		vine = append(vine, pt{px, 320 + 34*math.Sin(px*2*math.Pi/200)})
	}
	flat.fill(stroke(vine, 4), blue)
	for i := range 9 {
		fx := float64(i)*100 - 50
		fy := 320 + 12*float64(i%2*2-1)
		for layer := range 4 {
			d := 36 - 9*float64(layer)
			for k := range 9 - layer {
				a := float64(k)*2*math.Pi/float64(9-layer) + float64(layer)*.4
				flat.fill(circle(fx+d*.66*math.Cos(a), fy+d*.6*math.Sin(a), d*.38), blue)
				flat.fill(circle(fx+d*.66*math.Cos(a), fy+d*.6*math.Sin(a), d*.3), mix(light, hex(0xdfe8f4), float64(layer)/3))
			}
		}
		flat.fill(circle(fx, fy, 5), blue)
		for k := range 5 {
			a := float64(i%2)*math.Pi + (float64(k)-2)*.5 + math.Pi/2
			lx, ly := fx+50+8*float64(k-2), 320-6*float64(i%2*2-1)
			flat.fill(blade(lx, ly, 34, 13, a), mix(blue, light, float64(k%2)*.6))
		}
	}
	band(388, 5)
	flat.fill(meander(0, 800, 400, 16), light)
	band(420, 5)
	for i := range 22 {
		px := float64(i) * 37
		flat.fill(path{append(curve(px-16, 532, -17+px, 470, px, 436), curve(px, 436, px+17, 470, px+16, 532)...)}.edges(3), blue)
		flat.fill(blob(px-6, 520, px-6, 484, px, 462, px+6, 484, px+6, 520), light)
	}
	c.fill(body, shade(func(px, py float64) tint {
		u := min(max((px-x)/max(half(py), 1), -1), 1)
		return flat.pixel(400+math.Asin(u)*118, py)
	}))
	c.fill(body, glaze(x, half, hex(0x3a4a6a)))
	c.fill(oval(x, 105, 44, 9, 0), hex(0xe6ebee))
	c.fill(oval(x, 107, 37, 6.4, 0), upright(100, 114, hex(0x55607a), hex(0xaab4c6)))
	c.fill(oval(x, 105, 44, 9, 0).edges(1.6), hex(0x2a4a90))
	// A spray of wintersweet in its mouth.
	r := seeded(9)
	for _, b := range [][]pt{curve(236, 108, 220, 70, 170, 40, 110, 36), curve(244, 108, 262, 60, 320, 30, 380, 46), curve(240, 108, 246, 60, 232, 20, 250, -10)} {
		c.fill(taper(b, 5, 1.6), hex(0x5a4034))
		for k := range 9 {
			q, _ := along(b, .3+.085*float64(k))
			c.blossom(q.x+(r.Float64()-.5)*14, q.y+(r.Float64()-.5)*14, 8+4*r.Float64(), r.Float64()*6, hex(0xf2c94c), hex(0xb0562a))
		}
	}
	c.seal(424, 440, 22)
	c.grain(.04, 6)
}

// steam rises from (x, y).
func (c *canvas) steam(x, y, h float64, seed uint64) {
	r := seeded(seed)
	for i := range 5 {
		d := (float64(i) - 2) * h * .11
		s := h * (.06 + .05*r.Float64())
		line := curve(x+d, y, x+d+s, y-h*.25, x+d-s*1.2, y-h*.5, x+d+s, y-h*.78, x+d-s*.4, y-h)
		for k := range 3 {
			c.fill(swell(line, h*(.11-.035*float64(k))), white.alpha(.07+.05*float64(k)))
		}
	}
}

func teaBowl(c *canvas) {
	c.table(250, hex(0x3f5a55), hex(0x6d8a7c), hex(0xb98f63), hex(0x7f5a3c))
	// A round paper window, with the shadow of bamboo on it.
	c.glow(320, 120, 250, hex(0xfdf3d2), .6)
	c.fill(circle(320, 112, 132), hex(0x2f3f3a))
	moon := newCanvas(640, 400, 1)
	moon.wash(around(320, 110, 150, hex(0xfdf6df), hex(0xf0e2b8)))
	for i, b := range [][4]float64{{226, 150, 8, 20}, {390, 170, 10, -16}, {436, 120, 7, 4}} {
		moon.bamboo(b[0], 260, 190+b[1]*.5, b[2], b[3], hex(0x9db08c), uint64(i+5))
	}
	c.fill(circle(320, 112, 124), moon)
	c.band(250, c.h, upright(250, c.h, hex(0xb98f63), hex(0x7f5a3c)))
	for i := range 26 {
		y := 256 + float64(i*i)*.23
		c.fill(stroke(curve(0, y, 200, y+2*math.Sin(float64(i)), 430, y-2, 640, y+1), 1), hex(0x5f3f28).alpha(.16))
	}
	c.shadow(336, 352, 190, 26, .65)
	saucer, _ := profile(320, 336, 150, 342, 146, 352, 92, 358, 70)
	c.fill(saucer, across(170, 470, hex(0xcfe0d0), hex(0x9dbca8), hex(0x5f8274)))
	c.fill(oval(320, 337, 150, 16, 0), across(170, 470, hex(0xe3eee0), hex(0xb9d0bc), hex(0x86a897)))
	c.fill(oval(320, 339, 96, 9, 0), hex(0x5f8274).alpha(.5))
	bowl, half := profile(320, 214, 122, 222, 120, 260, 108, 300, 76, 326, 46, 340, 44, 344, 46)
	c.fill(bowl, upright(214, 344, hex(0xbcd6c4), hex(0x9cc0ac), hex(0x84ac98)))
	cracks := newCanvas(640, 400, 1)
	cracks.wash(upright(214, 344, hex(0xc6ddcb), hex(0xa4c6b2), hex(0x86ae9a)))
	cracks.crackle(hex(0x5f8876).alpha(.5), 24, 1, 9)
	c.fill(bowl, cracks)
	c.fill(bowl, glaze(320, half, hex(0x2a4a40)))
	c.fill(oval(320, 214, 122, 24, 0), across(198, 442, hex(0xe6f2e6), hex(0xa9c8b4)))
	c.fill(oval(320, 216, 115, 20.5, 0), across(198, 442, hex(0x7f9f8c), hex(0xc6dccb)))
	c.fill(oval(320, 221, 103, 15.5, 0), radial{300, 217, 110, .2, evenly(hex(0xd9c24a), hex(0xb9932c), hex(0x86661f))})
	for i, q := range points(286, 219, 348, 224, 318, 216, 368, 218) {
		c.fill(blade(q.x, q.y, 20, 7, float64(i)*1.9), hex(0x5f7a34))
	}
	c.fill(swell(arc(320, 221, 90, 12, 3.4, 4.6), 2), white.alpha(.7))
	c.steam(320, 206, 150, 4)
	for i, q := range points(96, 332, 130, 350, 112, 358, 540, 340, 520, 356, 560, 360) {
		c.shadow(q.x+12, q.y+4, 18, 5, .4)
		c.fill(blade(q.x, q.y, 30, 11, .3*float64(i%3)-.4), mix(hex(0x3f5f34), hex(0x7fa04f), float64(i)/5))
	}
	c.seal(596, 340, 18)
}

// crackle is the net of cracks in a glaze, or of ice: the edges of cells about s wide.
func (c *canvas) crackle(t tint, s, w float64, seed uint32) {
	cols, rows := int(c.w/s)+3, int(c.h/s)+3
	at := func(i, j int) pt {
		return pt{(float64(i) - .8 + .8*lattice(int32(i), int32(j), seed)) * s, (float64(j) - .8 + .8*lattice(int32(i), int32(j), seed+1)) * s}
	}
	var net path
	for j := range rows {
		for i := range cols {
			p := at(i, j)
			if n := lattice(int32(i), int32(j), seed+2); n < .82 {
				net = append(net, stroke([]pt{p, at(i+1, j)}, w*(.6+n))...)
			}
			if n := lattice(int32(i), int32(j), seed+3); n < .82 {
				net = append(net, stroke([]pt{p, at(i, j+1)}, w*(.6+n))...)
			}
			if n := lattice(int32(i), int32(j), seed+4); n < .3 {
				net = append(net, stroke([]pt{p, at(i+1, j+1)}, w*.8)...)
			}
		}
	}
	c.fill(unite(net), t)
}

func roundFan(c *canvas) {
	c.wash(around(240, 230, 460, hex(0xb9cdb8), hex(0x8fae9a), hex(0x5f8576)))
	for y := 0.; y < c.h+40; y += 40 {
		for x := 0.; x < c.w+40; x += 40 {
			c.fill(unite(ring(x, y, 27, 1)), white.alpha(.1))
		}
	}
	c.shadow(262, 300, 230, 230, .35)
	c.fill(stroke(points(240, 360, 240, 610), 13), across(233, 247, hex(0x6a4028), hex(0xc08a5a), hex(0x5a3422)))
	c.fill(rounded(230, 596, 20, 26, 6), hex(0xe6d9b8))
	c.fill(stroke(curve(240, 622, 246, 634, 238, 646), 2), cinnabar)
	for i := range 9 {
		c.fill(taper(curve(240, 644, 236+float64(i), 660, 232+2*float64(i), 690), 2.2, 1.4), cinnabar)
	}
	face := newCanvas(480, 640, 1)
	face.wash(around(240, 230, 220, hex(0xfbf5e3), hex(0xf4e8c8), hex(0xe6d2a4)))
	for i := range 60 {
		x := 20 + float64(i)*7.6
		face.fill(rect(x, 0, .7, 480), hex(0xb99a5f).alpha(.16))
		face.fill(rect(0, x, 480, .7), hex(0xb99a5f).alpha(.12))
	}
	r := seeded(5)
	line := curve(20, 330, 90, 300, 150, 250, 220, 240, 300, 180, 370, 170, 430, 120)
	twigs := face.bough(line, 15, 3, hex(0x5f4438), r)
	for _, tw := range twigs {
		for k := range 4 {
			q, a := along(tw, .3+.22*float64(k))
			if k%2 == 0 {
				face.fill(blade(q.x, q.y, 26, 9, a+.9), hex(0x6f9a5a))
				face.fill(blade(q.x, q.y, 22, 8, a-.9), hex(0x8fb46a))
			}
			face.blossom(q.x+(r.Float64()-.5)*10, q.y+(r.Float64()-.5)*10, 12+6*r.Float64(), r.Float64()*6, hex(0xee9fb0), hex(0xb83a5a))
		}
	}
	face.sparrow(232, 222, 40, -1)
	face.butterfly(330, 330, 40, .4, hex(0xf0b94a), hex(0x3b2c2a))
	face.butterfly(140, 130, 26, -.5, hex(0xa9c9dc), hex(0x2f4a5f))
	face.seal(272, 366, 18)
	c.fill(circle(240, 230, 196), face)
	c.fill(ring(240, 230, 197, 10), linear{60, 60, 420, 420, evenly(hex(0xc08a5a), hex(0x6a4028), hex(0xa9764a))})
	c.fill(ring(240, 230, 190, 1.6), hex(0x8a5a3a))
	c.fill(blob(214, 420, 240, 404, 266, 420, 256, 436, 224, 436), hex(0x7a4a2e))
}

func foldingFan(c *canvas) {
	c.wash(linear{0, 0, c.w, c.h, evenly(hex(0x7a2a2a), hex(0x5a1c22), hex(0x3f1219))})
	for y := -20.; y < c.h+40; y += 46 {
		for x := -20.; x < c.w+60; x += 92 {
			c.cloudKnot(x+46*math.Mod(math.Round(y/46), 2), y, 13, hex(0xd9a85a).alpha(.1))
		}
	}
	const x, y, folds = 350., 372., 26
	from, to := math.Pi*1.09, math.Pi*1.91
	for i := range 10 {
		c.fill(sector(x, y+6+float64(i), 40, 322, from, to), hex(0x1a0508).alpha(.07))
	}
	// The sticks.
	for i := range folds/2 + 1 {
		a := from + (to-from)*float64(i)/(folds/2)
		px, py := math.Cos(a), math.Sin(a)
		c.fill(taper(points(x-px*24, y-py*24, x+px*160, y+py*160), 8, 12), linear{x - py*7, y + px*7, x + py*7, y - px*7, evenly(hex(0x5a3a24), hex(0xc99a66), hex(0x6a4428))})
	}
	leaf := newCanvas(700, 400, 1)
	leaf.wash(around(x, y, 330, hex(0xf0e2bf), hex(0xf8efd8), hex(0xf3e6c4)))
	for i, t := range []tint{hex(0xa9c4c4), hex(0x6d9c9c), hex(0x3a6d74)} {
		k := float64(i)
		top := massif(700, 226+24*k, .55, uint32(20+i), peak{160 + 60*k, 80 - 10*k, 50, 1.4}, peak{290 - 40*k, 110 - 10*k, 46, 1.5}, peak{450 + 30*k, 120 - 20*k, 54, 1.4}, peak{570 - 20*k, 70, 40, 1.5})
		leaf.hills(top, 110, t, mix(t, hex(0xf6ecd2), .6), hex(0xf6ecd2).alpha(.8), hex(0xf6ecd2).alpha(0))
		leaf.creases(top, 240, 90, 60, soot.alpha(.22), uint64(i))
		leaf.mist(230+24*k, 50, hex(0xfaf3e0), .8, uint32(i+3))
	}
	leaf.fill(circle(236, 122, 20), hex(0xd9503a))
	leaf.boat(372, 238, 34, hex(0x3f2a22), hex(0xf9f1dc))
	leaf.flock(420, 92, 6, 6, soot.alpha(.7), 4)
	leaf.blossoming(176, 262, 60, hex(0x4a3833), []tint{hex(0xb83a4a), hex(0xd9606a), hex(0xee9aa0)}, 5)
	leaf.blossoming(520, 258, 52, hex(0x4a3833), []tint{hex(0xb83a4a), hex(0xd9606a), hex(0xee9aa0)}, 6)
	leaf.pavilion(312, 222, 24, hex(0x3a4a50), hex(0x6a4a38))
	leaf.seal(470, 132, 12)
	c.fill(sector(x, y, 138, 318, from, to), leaf)
	for i := range folds {
		a, b := from+(to-from)*float64(i)/folds, from+(to-from)*float64(i+1)/folds
		t := white.alpha(.1)
		if i%2 == 1 {
			t = hex(0x3a2412).alpha(.14)
		}
		c.fill(sector(x, y, 138, 318, a, b), t)
	}
	c.fill(sector(x, y, 136, 141, from, to), hex(0xc99a4a))
	c.fill(sector(x, y, 314, 319, from, to), hex(0xc99a4a))
	for _, a := range []float64{from - .012, to + .012} {
		px, py := math.Cos(a), math.Sin(a)
		c.fill(taper(points(x-px*26, y-py*26, x+px*322, y+py*322), 12, 19), linear{x - py*9, y + px*9, x + py*9, y - px*9, evenly(hex(0x4a2a18), hex(0xb07a4a), hex(0x4a2a18))})
	}
	c.fill(circle(x, y, 9), around(x-3, y-3, 12, hex(0xffe9b0), hex(0xc9973f), hex(0x7a5a20)))
	c.grain(.05, 7)
}

// cloudKnot is a small ornament: three rings and a tail.
func (c *canvas) cloudKnot(x, y, s float64, t tint) {
	c.fill(unite(ring(x-s, y, s*.7, s*.2), ring(x+s, y, s*.7, s*.2), ring(x, y-s*.8, s*.8, s*.2), stroke(curve(x-s*2.4, y+s*.9, x, y+s*.6, x+s*2.4, y+s*.9), s*.2)), t)
}

func houseSeal(c *canvas) {
	c.wash(hex(0xf3ead6))
	c.fill(rect(0, 0, c.w, c.h).cut(rect(16, 16, c.w-32, c.h-32)), hex(0xe9dcc0))
	frame := meander(26, c.w-40, 24, 12)
	c.fill(unite(frame, frame.size(1, -1).move(0, c.h)), hex(0xc9b48a))
	x, y, s := 92., 76., 216.
	for i := range 6 {
		c.fill(rounded(x+float64(i), y+2+float64(i), s, s, 14), cinnabar.alpha(.05))
	}
	c.fill(rounded(x, y, s, s, 13), hex(0xbf3326))
	c.fill(rounded(x+9, y+9, s-18, s-18, 7).cut(rounded(x+13, y+13, s-26, s-26, 5)), hex(0xf6e7d2))
	// Read from the right: 素, then 材.
	c.fill(carve(su, x+s*.53, y+s*.12, s*.33, s*.76, 9.5), hex(0xf6e7d2))
	c.fill(carve(cai, x+s*.13, y+s*.12, s*.34, s*.76, 9.5), hex(0xf6e7d2))
	// The bite of the stone: specks where no paste took, and a worn rim.
	r := seeded(77)
	for range 190 {
		px, py := x+s*r.Float64(), y+s*r.Float64()
		q := .5 + 1.5*r.Float64()*r.Float64()
		c.fill(blob(px-q, py, px, py-q*.7, px+q, py+q*.3, px, py+q), hex(0xf3ead6).alpha(.75))
	}
	for range 60 {
		k, side := r.Float64(), r.IntN(4)
		q := pt{x + s*k, y}
		switch side {
		case 1:
			q = pt{x + s*k, y + s}
		case 2:
			q = pt{x, y + s*k}
		case 3:
			q = pt{x + s, y + s*k}
		}
		c.fill(circle(q.x, q.y, 1+2.2*r.Float64()), hex(0xf3ead6))
	}
	for i, d := range []float64{0, 74, 148} {
		c.cloud(126+d, 346-4*float64(i%2), 15, hex(0xf3ead6), hex(0xc08a5a))
	}
}

func weiqi(c *canvas) {
	c.wash(linear{0, 0, c.w, c.h, evenly(hex(0x6f8577), hex(0x4f685c))})
	c.shadow(268, 276, 330, 300, .5)
	c.fill(rounded(28, 28, 424, 424, 6), hex(0x8a5a2c))
	c.fill(rounded(28, 22, 424, 420, 6), linear{28, 22, 452, 442, evenly(hex(0xeec882), hex(0xe3b569), hex(0xd9a658))})
	for i := range 30 {
		x := 34 + 14*float64(i)
		c.fill(swell(curve(x, 26, x+6*math.Sin(float64(i)), 150, x-5*math.Cos(float64(i)*2), 300, x+3, 438), 3), hex(0xb98540).alpha(.22))
	}
	const n, x0, y0, d = 13, 60., 54., 30.
	for i := range n {
		k := float64(i) * d
		c.fill(unite(rect(x0-.6, y0+k-.6, d*(n-1)+1.2, 1.2), rect(x0+k-.6, y0-.6, 1.2, d*(n-1)+1.2)), hex(0x4a3018))
	}
	for _, i := range []float64{3, 6, 9} {
		for _, j := range []float64{3, 6, 9} {
			c.fill(circle(x0+i*d, y0+j*d, 3), hex(0x4a3018))
		}
	}
	moves := [][2]int{{9, 3}, {3, 9}, {9, 9}, {3, 3}, {10, 6}, {5, 10}, {2, 6}, {6, 3}, {3, 6}, {8, 2}, {9, 2}, {7, 2}, {8, 10}, {7, 10}, {8, 11}, {7, 9}, {8, 8},
		{2, 5}, {3, 5}, {2, 4}, {1, 5}, {1, 4}, {4, 4}, {3, 4}, {5, 6}, {6, 6}, {5, 5}, {6, 7}, {8, 4}, {10, 8}, {10, 9}, {11, 9}}
	for i, m := range moves {
		x, y := x0+float64(m[0])*d, y0+float64(m[1])*d
		c.shadow(x+3.5, y+5, 17, 17, .6)
		body, light := []tint{hex(0x1c2022), hex(0xf4f1e8)}[i%2], []tint{hex(0x8a9496), white}[i%2]
		edge := []tint{hex(0x0c0f10), hex(0xc4bda8)}[i%2]
		c.fill(circle(x, y, 13.6), around(x-4.5, y-5.5, 21, light, mix(light, body, .7), body, body, edge))
	}
	last := moves[len(moves)-1]
	c.fill(circle(x0+float64(last[0])*d, y0+float64(last[1])*d, 4), cinnabar)
}

func studio(c *canvas) {
	c.wash(linear{0, 0, c.w, c.h, evenly(hex(0xb48a63), hex(0x9a6f4c), hex(0x7f5738))})
	for i := range 34 {
		y := float64(i) * 12
		c.fill(swell(curve(-20, y, 160, y+5*math.Sin(float64(i)*1.3), 400, y-5*math.Cos(float64(i)), 670, y+3), 3), hex(0x5a3a22).alpha(.2))
	}
	// The sheet, held by two weights, with mountains just painted.
	c.shadow(248, 226, 260, 190, .45)
	c.fill(poly(30, 36, 436, 22, 450, 348, 44, 366), hex(0xfaf5e8))
	sheet := newCanvas(640, 400, 1)
	sheet.wash(hex(0xfaf5e8))
	for i, t := range []tint{hex(0xb9c2c4), hex(0x7f8c90), hex(0x3f4a50)} {
		k := float64(i)
		top := massif(640, 236+26*k, .6, uint32(i+70), peak{120 + 50*k, 100 - 14*k, 50, 1.4}, peak{250 - 30*k, 130 - 20*k, 46, 1.5}, peak{360 + 20*k, 90 - 10*k, 40, 1.4})
		sheet.hills(top, 100, t, mix(t, hex(0xfaf5e8), .6), hex(0xfaf5e8).alpha(.8), hex(0xfaf5e8).alpha(0), hex(0xfaf5e8).alpha(0))
		sheet.creases(top, 250, 60, 60, soot.alpha(.3), uint64(i+2))
	}
	sheet.flock(150, 80, 7, 5, soot, 8)
	sheet.fill(circle(330, 92, 20), hex(0xd9503a))
	sheet.boat(150, 320, 30, soot, hex(0xe9e4d6))
	sheet.seal(380, 280, 17)
	c.fill(poly(38, 44, 428, 30, 441, 340, 52, 357), sheet)
	for _, y := range []float64{50, 350} {
		c.shadow(246, y+5, 90, 12, .5)
		c.fill(rounded(170, y-9, 150, 17, 4).turn(0), upright(y-9, y+8, hex(0x8f7a5f), hex(0x5a4632), hex(0x3a2a1c)))
		c.fill(rounded(178, y-6, 134, 4, 2), white.alpha(.18))
	}
	// The inkstone with its pool.
	c.shadow(552, 136, 96, 104, .55)
	c.fill(rounded(474, 40, 144, 176, 26), linear{474, 40, 618, 216, evenly(hex(0x5f666a), hex(0x3a4044), hex(0x24292c))})
	c.fill(rounded(486, 52, 120, 152, 20), linear{486, 52, 606, 204, evenly(hex(0x23282b), hex(0x3f464a))})
	c.fill(oval(546, 88, 50, 28, 0), around(534, 82, 54, hex(0x3a4347), hex(0x0c0f11)))
	c.fill(swell(arc(546, 88, 38, 18, 3.5, 4.9), 3), white.alpha(.45))
	c.fill(oval(546, 152, 46, 42, 0), around(536, 146, 56, hex(0x2b3033), hex(0x181c1e)))
	// The stick of ink leans across it, gilt at one end.
	stick := func(p path) path { return p.turn(.5).move(588, 168) }
	c.fill(stick(rounded(-13, -52, 30, 112, 3)).move(6, 8), hex(0x1a0f08).alpha(.35))
	c.fill(stick(rounded(-15, -56, 30, 112, 3)), across(570, 610, hex(0x3a3f44), hex(0x16191c)))
	c.fill(stick(rounded(-10, -46, 20, 46, 2).cut(rounded(-8, -44, 16, 42, 2))), gamboge)
	c.fill(stick(carve(su, -7, -42, 14, 18, 1.5)), gamboge)
	c.fill(stick(carve(cai, -7, -22, 14, 17, 1.5)), gamboge)
	// Two brushes on a rest of blue and white.
	c.shadow(548, 300, 100, 18, .5)
	for i, q := range []struct{ y0, y1 float64 }{{270, 250}, {306, 292}} {
		a := math.Atan2(q.y1-q.y0, 200)
		at := func(p path) path { return p.turn(a).move(418, q.y0) }
		c.fill(at(stroke(points(44, 6, 210, 6), 9)).move(3, 6), hex(0x1a0f08).alpha(.3))
		c.fill(at(stroke(points(40, 0, 206, 0), 9)), upright(q.y1-6, q.y0+6, hex(0xe0b884), hex(0xa97a48)))
		c.fill(at(rect(40, -5.5, 12, 11)), hex(0xf3ead2))
		c.fill(at(blob(42, -6, 22, -8, 4, -3, -12, 2, 6, 5, 24, 8, 42, 6)), across(408, 460, soot, hex(0x3a3633), []tint{hex(0xe9dcc4), hex(0x8a6a4a)}[i]))
	}
	for _, x := range []float64{500, 520, 540} {
		c.fill(circle(x, 318, 15), around(x-4, 312, 20, white, hex(0xe6ecf2), hex(0x8fa4c4)))
		c.fill(ring(x, 318, 9, 2), hex(0x2a4f9a))
	}
	c.grain(.06, 28)
}

func hangingScroll(c *canvas) {
	c.wash(upright(0, c.h, hex(0xdcd6c6), hex(0xc9c1ac)))
	c.glow(90, 60, 420, hex(0xfff8e6), .8)
	c.fill(stroke(points(150, 70, 200, 22, 250, 70), 2), hex(0x6a4a30))
	c.fill(circle(200, 22, 4), hex(0x4a3020))
	for i := range 8 {
		c.fill(rounded(84+float64(i)*.8, 74+float64(i)*1.1, 240, 462, 2), hex(0x3a2a1a).alpha(.05))
	}
	c.fill(rect(80, 70, 240, 462), across(80, 320, hex(0x6d8478), hex(0x8aa090), hex(0x64796d)))
	for y := 84.; y < 526; y += 24 {
		for x := 92.; x < 318; x += 24 {
			c.cloudKnot(x+12*math.Mod(math.Round(y/24), 2), y, 3.4, hex(0xe3d9b8).alpha(.3))
		}
	}
	hung := newCanvas(400, 640, .56)
	inkRanges(hung)
	c.fill(rect(102, 128, 196, 332), hex(0xe3d6b0))
	c.fill(rect(108, 134, 184, 320), shade(func(x, y float64) tint {
		return hung.pixel((x-108)/184*hung.w, (y-134)/320*hung.h)
	}))
	c.fill(unite(rect(142, 76, 10, 50), rect(248, 76, 10, 50)), hex(0xd9cba0))
	for _, y := range []float64{66, 526} {
		d := 8 + (y-66)/115
		c.fill(rounded(70, y-d*.2, 260, d*1.4, d*.6), upright(y-d, y+d*1.3, hex(0xc9a06a), hex(0x7a5030), hex(0x4a2c1a)))
		for _, x := range []float64{60, 326} {
			c.fill(rounded(x, y-d*.5, 14, d*2, 4), upright(y-d*.5, y+d*1.5, hex(0xf3ead2), hex(0xc4b48a)))
		}
	}
	// A low table with a potted pine under it.
	c.fill(unite(rect(20, 604, 360, 12), rect(44, 614, 14, 40), rect(342, 614, 14, 40)), upright(604, 640, hex(0x8a5a3a), hex(0x54321f)))
	c.shadow(310, 604, 60, 8, .5)
	pot, half := profile(306, 572, 44, 578, 42, 596, 32, 604, 34)
	c.fill(pot, hex(0x4a7a8c))
	c.fill(pot, glaze(306, half, hex(0x1a3a4a)))
	c.fill(taper(curve(306, 574, 296, 556, 316, 540, 300, 520), 9, 4), hex(0x5a4034))
	r := seeded(3)
	for _, n := range [][3]float64{{284, 536, 20}, {330, 540, 24}, {300, 518, 26}} {
		c.needles(n[0], n[1], n[2], hex(0x2f5f4a), r)
	}
	c.shadow(110, 604, 46, 7, .5)
	censer, half2 := profile(104, 570, 26, 576, 24, 584, 34, 596, 30, 602, 18)
	c.fill(censer, hex(0x8a6a3a))
	c.fill(censer, glaze(104, half2, hex(0x2a1a0a)))
	c.fill(taper(points(104, 570, 107, 544), 2, 1.4), hex(0x6a4a30))
	c.fill(swell(curve(107, 544, 100, 520, 116, 500, 104, 474, 122, 446), 7), white.alpha(.35))
}
