package demo

import "math"

func latticeWindow(c *canvas) {
	c.wash(linear{0, 0, c.w, c.h, evenly(hex(0xf6f3ea), hex(0xebe6d8), hex(0xdcd6c4))})
	c.bamboo(462, c.h+20, 420, 9, -16, hex(0xb9c4b0), 44)
	r := seeded(4)
	octagon := func(d float64) path {
		var out []pt
		for i := range 8 {
			a := math.Pi/8 + float64(i)*math.Pi/4
			out = append(out, pt{c.w/2 + (206+d)*math.Cos(a)*1.04, c.h/2 - 8 + (206+d)*math.Sin(a)})
		}
		return path{out}
	}
	garden := newCanvas(c.w, c.h, 1)
	garden.wash(upright(40, 420, hex(0xcfe6e6), hex(0xe9f1de), hex(0xd3e2b8)))
	for i, t := range []tint{hex(0xb4d0c0), hex(0x8fb59c)} {
		top := skyline(c.w, 290+24*float64(i), 90, 140, uint32(i+50))
		garden.hills(top, 80, t, mix(t, hex(0xf0f3e0), .7))
	}
	for i, b := range [][3]float64{{110, 13, 10}, {150, 9, -8}, {360, 15, -16}, {402, 9, 6}} {
		garden.bamboo(b[0], 470, 460, b[1], b[2], mix(hex(0x3f8f5c), hex(0x7fb374), .3*float64(i%3)), uint64(i+8))
	}
	rock := blob(180, 470, 186, 380, 214, 330, 246, 300, 282, 330, 276, 372, 312, 392, 318, 470)
	garden.fill(rock, linear{180, 300, 320, 470, evenly(hex(0xb9c0bc), hex(0x7a8684), hex(0x55605f))})
	garden.fill(unite(oval(240, 350, 10, 15, .3), oval(264, 400, 15, 10, .2), oval(214, 404, 9, 13, 0)), hex(0x4f5c5a))
	garden.blossoming(300, 440, 120, hex(0x5f4636), []tint{hex(0xc9607a), hex(0xe58fa0), hex(0xf6c4cc)}, 3)
	c.fill(octagon(26), hex(0x4a4f50))
	c.fill(octagon(22), linear{0, 20, c.w, c.h, evenly(hex(0x8a9092), hex(0x5f6668))})
	c.fill(octagon(4), hex(0x3a2a20))
	c.fill(octagon(0), garden)
	// The lattice of cracked ice leaves the middle open.
	var bars path
	ring0, ring1, ring2 := octagon(-2)[0], octagon(-66)[0], octagon(-112)[0]
	for i := range 8 {
		a, b := ring0[i], ring0[(i+1)%8]
		p, q := ring1[i], ring1[(i+1)%8]
		s, t := ring2[i], ring2[(i+1)%8]
		mid := func(u, v pt, k float64) pt { return pt{u.x + (v.x-u.x)*k, u.y + (v.y-u.y)*k} }
		k := .36 + .28*r.Float64()
		m := mid(p, q, k)
		for _, l := range [][2]pt{{mid(a, b, .3), m}, {mid(a, b, .72), m}, {mid(a, b, .3), mid(a, p, .55)}, {mid(a, p, .55), p}, {p, m}, {m, q}, {mid(a, b, .72), mid(b, q, .5)}, {m, mid(s, t, .5)}, {s, t}, {p, s}, {a, mid(a, p, .55)}, {mid(p, m, .5), mid(s, t, .2)}, {mid(m, q, .5), mid(s, t, .82)}} {
			bars = append(bars, stroke(l[:], 6)...)
		}
	}
	c.fill(unite(bars).move(1.5, 2.5), soot.alpha(.3))
	c.fill(unite(bars), hex(0x5a3a28))
	c.fill(octagon(3).cut(octagon(-6)), hex(0x5a3a28))
	c.reeds(0, 90, c.h+10, 20, hex(0x6f8f5c).alpha(.5), 3)
	c.seal(22, 24, 20)
}

// tiles is a roof's edge of round tiles: end discs over drip tiles, with rows above them.
func (c *canvas) tiles(x0, x1, y, h, s float64, t, end tint) {
	c.fill(rect(x0, y-h, x1-x0, h), upright(y-h, y, mix(t, soot, .35), mix(t, soot, .1)))
	for x := x0; x <= x1; x += s {
		c.fill(rect(x-s*.26, y-h, s*.52, h), across(x-s*.26, x+s*.26, mix(t, white, .18), t, mix(t, soot, .4)))
	}
	for k := 1.; k*s*.8 < h; k++ {
		c.fill(rect(x0, y-k*s*.8, x1-x0, 1.2), mix(t, soot, .5).alpha(.6))
	}
	for x := x0 - s/2; x <= x1; x += s {
		c.fill(path{append(arc(x, y-1, s*.36, s*.46, 0, math.Pi), pt{x, y - 2})}, mix(t, soot, .15))
	}
	for x := x0; x <= x1; x += s {
		c.fill(circle(x, y, s*.3), mix(t, soot, .45))
		c.fill(circle(x, y, s*.22), end)
	}
}

func moonGate(c *canvas) {
	c.wash(upright(0, c.h, hex(0xf4f0e4), hex(0xe6dfcd)))
	c.tiles(-10, c.w+10, 62, 70, 26, hex(0x565e60), hex(0x7a8486))
	c.band(74, 104, upright(74, 104, soot.alpha(.28), soot.alpha(0)))
	c.band(400, c.h, upright(400, c.h, hex(0xb4ab98), hex(0x8d8472)))
	for i := range 7 {
		x := float64(i)*120 - 60
		c.fill(stroke(points(320+(x-320)*.8, 400, 320+(x-320)*1.3, c.h), 1.6), hex(0x6d6555).alpha(.6))
	}
	c.fill(rect(0, 414, c.w, 1.6), hex(0x6d6555).alpha(.6))
	view := newCanvas(640, 440, 1)
	view.wash(upright(80, 330, hex(0xbfe0e4), hex(0xe9f3e4), hex(0xf6eed2)))
	for i, t := range []tint{hex(0xb2d0c4), hex(0x8fb8a0)} {
		top := skyline(640, 260+20*float64(i), 100, 120, uint32(i+20))
		view.hills(top, 80, t, mix(t, hex(0xf3f3de), .7))
	}
	view.band(290, 440, upright(290, 440, hex(0xa9c4b4), hex(0x6f9f94)))
	view.pavilion(390, 304, 74, hex(0x4a5a5e), hex(0x8a4a34))
	view.flip(308, 130, 4, hex(0x86ab9c), .25, .7)
	view.ripples(310, 400, 40, hex(0xf6f8e8).alpha(.6), 4)
	view.fill(blob(100, 460, 150, 372, 240, 352, 330, 366, 420, 396, 520, 380, 560, 460), upright(350, 440, hex(0x9fbc6a), hex(0x6f9450)))
	view.blossoming(222, 372, 150, hex(0x5a4034), []tint{hex(0xc9607a), hex(0xe58fa0), hex(0xf6c4cc), hex(0xfdeaea)}, 8)
	path2 := path{append(curve(300, 440, 316, 410, 330, 390, 326, 372), curve(340, 372, 352, 392, 350, 412, 372, 440)...)}
	view.fill(path2, upright(372, 440, hex(0xdcd3bc), hex(0xbfb49a)))
	view.fill(blob(424, 420, 430, 360, 452, 332, 474, 350, 480, 380, 500, 420), linear{424, 332, 500, 420, evenly(hex(0xc4cac4), hex(0x77837f))})
	view.fill(unite(oval(452, 366, 6, 9, 0), oval(470, 394, 8, 6, 0)), hex(0x55625f))
	c.fill(circle(320, 256, 172), hex(0x6d7476))
	c.fill(circle(320, 256, 164), linear{150, 90, 490, 420, evenly(hex(0xa3a9a8), hex(0x7a8182))})
	c.fill(circle(320, 256, 152), view)
	c.fill(path{append(arc(320, 256, 152, 152, math.Pi*1.02, math.Pi*1.98), reversed(arc(330, 268, 152, 152, math.Pi*1.02, math.Pi*1.98))...)}, soot.alpha(.25))
	c.fill(rect(210, 404, 220, 12), hex(0x8d8472))
	for i, x := range []float64{40, 84, 566, 606} {
		c.bamboo(x, c.h+6, 330-30*float64(i%2), 9-2*float64(i%2), 10-8*float64(i%3), mix(hex(0x4a8a5c), hex(0x86b07a), .4*float64(i%2)), uint64(i+60))
	}
	c.seal(500, 110, 18)
	c.grain(.05, 26)
}

func blackRoofs(c *canvas) {
	c.wash(upright(0, 300, hex(0xc4d3d6), hex(0xe3e6de), hex(0xefe9da)))
	for i, t := range []tint{hex(0xbccbcc), hex(0x9db3b4), hex(0x7f9a9c)} {
		top := skyline(c.w, 190+26*float64(i), 120-20*float64(i), 160, uint32(i*2+6))
		c.hills(top, 90, t, mix(t, hex(0xeeeadd), .75))
		c.mist(190+26*float64(i), 44, hex(0xf3f0e6), .8, uint32(i))
	}
	// Stepped gables, the horse-head walls, one house behind the other.
	gable := func(x, y, w, h float64, steps int, wall tint) {
		c.fill(rect(x, y-h, w, h+c.h), upright(y-h, y+80, wall, mix(wall, hex(0xb4b2a6), .5)))
		for s := range steps {
			k := float64(s)
			sw := w / float64(2*steps-1)
			for _, px := range []float64{x + k*sw, x + w - (k+1)*sw} {
				top := y - h - (k+1)*h*.16
				c.fill(rect(px, top, sw+.6, h*.16*(k+1)+1), upright(y-h*1.6, y+80, wall, mix(wall, hex(0xb4b2a6), .5)))
				c.fill(path{append(curve(px-sw*.14, top-3, px+sw*.1, top-6, px+sw*.5, top-8, px+sw*.9, top-6, px+sw*1.14, top-5-4), pt{px + sw*1.06, top + 3}, pt{px - sw*.06, top + 3})}, hex(0x33393c))
				c.fill(rect(px-sw*.02, top+3, sw*1.04, 2), hex(0x7a7f7c))
			}
		}
		for i := range 2 {
			wx := x + w*(.22+.42*float64(i))
			c.fill(rect(wx-3, y-h*.66, w*.14+6, 4), hex(0x3f4548))
			c.fill(rect(wx, y-h*.66+4, w*.14, h*.2), hex(0x4a5254))
			c.fill(rect(wx+w*.07-.6, y-h*.66+4, 1.2, h*.2), wall)
		}
	}
	gable(30, 280, 150, 96, 2, hex(0xeceae0))
	gable(250, 272, 170, 110, 3, hex(0xf0eee4))
	gable(480, 284, 150, 92, 2, hex(0xecebe2))
	gable(-60, 330, 170, 84, 2, hex(0xf7f5ec))
	gable(132, 336, 180, 104, 2, hex(0xf9f7ef))
	gable(372, 330, 168, 88, 2, hex(0xf7f5ec))
	gable(536, 340, 170, 110, 2, hex(0xf9f7ef))
	c.blossoming(336, 342, 110, hex(0x4a3a34), []tint{hex(0xc9607a), hex(0xe58fa0), hex(0xf6c4cc), hex(0xfdeaea)}, 3)
	c.blossoming(110, 340, 80, hex(0x4a3a34), []tint{hex(0xd9a02a), hex(0xeec04a), hex(0xf6dc86)}, 5)
	c.band(340, c.h, upright(340, c.h, hex(0xc9d6cc), hex(0x8fada8)))
	c.flip(340, 60, 4, hex(0xa9c0b8), .2, .55)
	c.fill(rect(0, 337, c.w, 5), hex(0x7d8480))
	c.ripples(344, c.h, 60, white.alpha(.6), 4)
	for i := range 5 {
		c.fill(oval(430+24*float64(i), 372+4*math.Sin(float64(i)*2), 8, 3.4, 0), hex(0xfaf8f0))
		c.fill(circle(437+24*float64(i), 367+4*math.Sin(float64(i)*2), 2.4), hex(0xfaf8f0))
		c.fill(taper(points(439+24*float64(i), 367+4*math.Sin(float64(i)*2), 443+24*float64(i), 368+4*math.Sin(float64(i)*2)), 2, .4), hex(0xe0912a))
	}
	c.flock(520, 70, 8, 5, hex(0x55686a), 4)
}

func pagodaDusk(c *canvas) {
	c.wash(upright(0, c.h, hex(0x2f2b57), hex(0x7a4a78), hex(0xd9707a), hex(0xf7b07a), hex(0xfbd9a0)))
	c.stars(60, 220, 9)
	c.disc(286, 350, 60, hex(0xffe9c0), hex(0xffb46a))
	c.mist(300, 60, hex(0xffc9a0), .5, 3)
	c.mist(210, 50, hex(0xc9708a), .45, 8)
	for i, t := range []tint{hex(0xb86a80), hex(0x7a4668), hex(0x452c50)} {
		k := float64(i)
		top := skyline(c.w, 470+40*k, 110-16*k, 120, uint32(i*5+2))
		c.hills(top, 110, t, mix(t, hex(0xf9c08a), .45-.1*k))
		c.mist(500+40*k, 50, hex(0xf9c9a4), .5-.1*k, uint32(i+30))
	}
	base := hex(0x241a36)
	c.pagoda(140, 606, 420, 7, base, hex(0xffc46a))
	ground := skyline(c.w, 622, 34, 160, 33)
	c.hills(ground, 60, base, hex(0x160f24))
	c.firs(ground, 46, 12, 60, base, 6)
	c.flock(300, 170, 8, 7, base, 2)
	c.lantern(60, 0, 17, .05, .7)
	c.lantern(352, -6, 21, -.04, .7)
	c.grain(.05, 31)
}

// pagoda is a tower h tall of some storeys with lit windows; (x, y) is the middle of its foot.
func (c *canvas) pagoda(x, y, h float64, storeys int, t, lamp tint) {
	step := h * .82 / float64(storeys)
	for i := range storeys {
		k := float64(i) / float64(storeys)
		w := h * .19 * (1 - .5*k)
		top := y - step*float64(i+1)
		c.fill(rect(x-w*.62, top, w*1.24, step), across(x-w*.62, x+w*.62, mix(t, hex(0xc9707a), .35), t, mix(t, soot, .5)))
		for _, d := range []float64{-.38, 0, .38} {
			c.glow(x+d*w, top+step*.62, step*.4, lamp, .5)
			c.fill(path{append(arc(x+d*w, top+step*.56, w*.1, w*.12, math.Pi, 2*math.Pi), pt{x + d*w + w*.1, top + step*.84}, pt{x + d*w - w*.1, top + step*.84})}, lamp)
		}
		c.fill(rect(x-w*.8, top+step*.86, w*1.6, step*.1), mix(t, hex(0xc9707a), .25))
		roof := append(curve(x-w*.5, top-step*.14, x-w*.7, top+step*.06, x-w*1.22, top+step*.12), curve(x+w*1.22, top+step*.12, x+w*.7, top+step*.06, x+w*.5, top-step*.14)...)
		c.fill(path{roof}, mix(t, soot, .4))
		c.fill(path{append(curve(x-w*1.22, top+step*.12, x-w*.6, top+step*.26, x, top+step*.28, x+w*.6, top+step*.26, x+w*1.22, top+step*.12), pt{x, top})}, mix(t, soot, .4))
	}
	top := y - step*float64(storeys)
	w := h * .1
	c.fill(path{append(curve(x-w*1.1, top, x-w*.4, top-step*.3, x, top-step*.9), curve(x, top-step*.9, x+w*.4, top-step*.3, x+w*1.1, top)...)}, mix(t, soot, .4))
	c.fill(taper(points(x, top-step*.7, x, top-step*2), 5, 1), t)
	for k := range 4 {
		c.fill(oval(x, top-step*(.95+.2*float64(k)), 6-float64(k), 2.4, 0), t)
	}
}

func palaceWall(c *canvas) {
	c.wash(upright(0, 150, hex(0x6fa9c9), hex(0xb9d9e0)))
	c.band(120, c.h, upright(120, c.h, hex(0xb83a2c), hex(0xa32f26), hex(0x86241f)))
	r := seeded(13)
	for range 40 {
		x, y := r.Float64()*c.w, 190+200*r.Float64()
		c.fill(oval(x, y, 30+50*r.Float64(), 8+16*r.Float64(), 0), hex(0xcf5a44).alpha(.07))
	}
	c.band(150, 190, upright(150, 190, hex(0x3a0c0a).alpha(.5), hex(0x3a0c0a).alpha(0)))
	c.tiles(-10, c.w+10, 146, 66, 24, hex(0xd99a2c), hex(0xf3cf6a))
	c.fill(rounded(-10, 70, c.w+20, 14, 6), upright(70, 84, hex(0xf3c95a), hex(0xa86a1c)))
	c.band(362, c.h, upright(362, c.h, hex(0x9a958c), hex(0x78736b)))
	c.fill(rect(0, 358, c.w, 6), hex(0x5f1814))
	// The shadow of the tree on the wall, then the tree itself.
	line := curve(700, 20, 600, 66, 520, 60, 430, 104, 330, 110)
	twig := curve(540, 62, 500, 120, 440, 170, 400, 230)
	for _, l := range [][]pt{line, twig} {
		c.fill(taper(path{l}.move(-36, 44)[0], 11, 3), hex(0x4a100e).alpha(.35))
		for range 36 {
			q, _ := along(l, .1+.9*r.Float64())
			c.fill(ginkgoLeaf(17, math.Pi+(r.Float64()-.5)*2, q.x-36+(r.Float64()-.5)*60, q.y+54+30*r.Float64()), hex(0x4a100e).alpha(.25))
		}
	}
	for _, l := range [][]pt{line, twig} {
		c.fill(taper(l, 13, 3), hex(0x4a3a30))
		for range 46 {
			q, _ := along(l, .05+.95*r.Float64())
			c.ginkgo(q.x+(r.Float64()-.5)*64, q.y+4+36*r.Float64(), 17+8*r.Float64(), math.Pi+(r.Float64()-.5)*1.8, mix(hex(0xe3a51e), hex(0xf9d95c), r.Float64()))
		}
	}
	for range 70 {
		x, y := r.Float64()*c.w, 364+34*r.Float64()
		c.fill(ginkgoLeaf(9+4*r.Float64(), r.Float64()*6.3, x, y).size(1, .6).move(0, y*.4), mix(hex(0xd9971c), hex(0xf3c94a), r.Float64()))
	}
	c.cat(150, 74, 52)
	c.seal(26, 300, 22)
}

// cat is a ginger cat asleep on a wall.
func (c *canvas) cat(x, y, s float64) {
	at := func(p path) path { return p.size(s, s).move(x, y) }
	coat, dark := hex(0xf0a24a), hex(0xb8651f)
	c.fill(at(taper(curve(.8, -.2, 1.2, -.02, 1.3, .36, 1.1, .6), .2, .12)), dark)
	c.fill(at(blob(-.8, .02, -.84, -.3, -.4, -.62, .2, -.7, .8, -.5, 1, -.1, .9, .04)), upright(y-s*.7, y, hex(0xf9bd6a), coat))
	for _, k := range []float64{-.05, .22, .48} {
		c.fill(at(taper(curve(k, -.68, k+.06, -.45, k, -.28), .1, .02)), dark)
	}
	c.fill(at(unite(poly(-1.16, -.5, -1.1, -.86, -.86, -.62), poly(-.74, -.64, -.52, -.88, -.46, -.52))), coat)
	c.fill(at(oval(-.8, -.36, .42, .33, 0)), hex(0xf6b05a))
	c.fill(at(oval(-.86, -.2, .2, .13, 0)), hex(0xfff3de))
	for _, d := range []float64{-1.02, -.68} {
		c.fill(at(stroke(arc(d, -.38, .08, .05, 0, math.Pi), .03)), hex(0x4a2c1a))
	}
	c.fill(at(poly(-.9, -.27, -.8, -.27, -.85, -.21)), hex(0xd9707a))
	for _, k := range []float64{-.06, .02} {
		c.fill(at(unite(taper(points(-1, -.2+k, -1.34, -.22+k*2), .016, .006), taper(points(-.7, -.2+k, -.36, -.22+k*2), .016, .006))), white)
	}
	c.fill(at(unite(oval(-.6, .02, .2, .09, 0), oval(-1, .02, .18, .08, 0))), hex(0xfff3de))
}
