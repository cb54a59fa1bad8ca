package demo

import (
	"math"
)

var (
	paper     = hex(0xf4ecdc)
	silk      = hex(0xc9a86a)
	soot      = hex(0x23262b)
	cinnabar  = hex(0xc23b2b)
	rouge     = hex(0x9d2933)
	azurite   = hex(0x1f6486)
	malachite = hex(0x4c9a7c)
	gamboge   = hex(0xe3a62f)
	ochre     = hex(0x9a5a38)
	white     = hex(0xffffff)
)

// skyline is a mountain line: base is its foot, tall its height, wide the size of its peaks.
func skyline(w, base, tall, wide float64, seed uint32) func(float64) float64 {
	return sampled(w, func(x float64) float64 {
		n := rough(x/wide, float64(seed), 6, seed)
		return base - tall*max(n*2.1-.62, -.2)
	})
}

// peak is one mountain of a massif; steep above 2 gives the pillars of limestone country, 1 the tents of the north.
type peak struct{ x, tall, wide, steep float64 }

func massif(w, base, rugged float64, seed uint32, peaks ...peak) func(float64) float64 {
	return sampled(w, func(x float64) float64 {
		top := 0.
		for _, p := range peaks {
			d := math.Abs(x+(rough(x/19, 3, 3, seed+7)-.5)*22*rugged-p.x) / p.wide
			top = max(top, p.tall*math.Exp(-math.Pow(d, p.steep)))
		}
		return base - top*(1+rugged*(rough(x/26, 1, 5, seed)-.5))
	})
}

// land is everything below a line.
func (c *canvas) land(top func(float64) float64) path {
	const step = 1.5
	out := []pt{{-4, c.h + 4}}
	for x := -4.; x <= c.w+4+step; x += step {
		out = append(out, pt{x, top(x)})
	}
	return path{append(out, pt{c.w + 8, c.h + 4})}
}

// hills fills the land below a line with tints that follow the line downwards; they follow it smoothed, or every notch would drip.
func (c *canvas) hills(top func(float64) float64, fade float64, tints ...tint) {
	soft := sampled(c.w, func(x float64) float64 {
		var sum float64
		for d := -24.; d <= 24; d += 4 {
			sum += top(x + d)
		}
		return sum / 13
	})
	c.fill(c.land(top), under{soft, fade, evenly(tints...)})
}

// creases draws the brush strokes that run down a mountain's side, where it stands above its foot.
func (c *canvas) creases(top func(float64) float64, foot float64, n int, long float64, t tint, seed uint64) {
	r := seeded(seed)
	for range n {
		x := r.Float64() * c.w
		y := top(x) + math.Pow(r.Float64(), 1.6)*long
		if y > foot {
			continue
		}
		slope := min(max((top(x+6)-top(x-6))/12, -1.6), 1.6)
		l := long * (.12 + .2*r.Float64())
		dx := l * slope * .55
		dx += (r.Float64() - .5) * l * .5
		bend := (r.Float64() - .5) * l * .35
		c.fill(taper(curve(x, y, x+dx*.5+bend, y+l*.5, x+dx, y+l), 1.5+r.Float64(), .2), t.alpha(float64(t.A)/255*(.4+.6*r.Float64())))
	}
}

func (c *canvas) bird(x, y, s float64, t tint) {
	c.fill(unite(
		taper(curve(x, y, x-s*.45, y-s*.34, x-s, y-s*.12), s*.16, .2),
		taper(curve(x, y, x+s*.5, y-s*.4, x+s, y-s*.26), s*.16, .2)), t)
}

func (c *canvas) flock(x, y, s float64, n int, t tint, seed uint64) {
	r := seeded(seed)
	for i := range n {
		side := float64(i%2*2 - 1)
		k := float64((i + 1) / 2)
		c.bird(x+side*k*s*1.9+r.Float64()*s*.5, y+k*s*.95+r.Float64()*s*.4, s*(.8+.3*r.Float64()), t)
	}
}

// disc is a sun or a moon with its light.
func (c *canvas) disc(x, y, r float64, t, light tint) {
	c.glow(x, y, r*4.2, light, .42)
	c.glow(x, y, r*2.1, light, .4)
	c.fill(circle(x, y, r), t)
}

func (c *canvas) stars(n int, bottom float64, seed uint64) {
	r := seeded(seed)
	for range n {
		x, y, m := r.Float64()*c.w, r.Float64()*bottom, r.Float64()
		s := .45 + .9*m*m*m
		t := mix(hex(0xcfe2ff), hex(0xfff2d0), r.Float64())
		if m > .93 {
			c.glow(x, y, s*6, t, .5)
		}
		c.fill(circle(x, y, s), t.alpha((1-y/bottom*.8)*(.35+.65*m)))
	}
}

// fir is a far tree of the mountains.
func fir(x, y, h float64, r func() float64) path {
	out := []pt{{x, y - h}}
	const tiers = 5
	for i := 1; i <= tiers; i++ {
		t := float64(i) / tiers
		w := h * .23 * t * (.8 + .4*r())
		out = append(out, pt{x + w, y - h*(1-t)*.92 - h*.05}, pt{x + w*.45, y - h*(1-t)*.92 - h*.07})
	}
	out = append(out, pt{x + h*.02, y}, pt{x - h*.02, y})
	for i := tiers; i >= 1; i-- {
		t := float64(i) / tiers
		w := h * .23 * t * (.8 + .4*r())
		out = append(out, pt{x - w*.45, y - h*(1-t)*.92 - h*.07}, pt{x - w, y - h*(1-t)*.92 - h*.05})
	}
	return path{out}
}

func (c *canvas) firs(top func(float64) float64, n int, small, tall float64, t tint, seed uint64) {
	r := seeded(seed)
	for range n {
		x := r.Float64() * c.w
		c.fill(fir(x, top(x)+3, small+(tall-small)*r.Float64()*r.Float64(), r.Float64), t)
	}
}

// blossoming is a tree whose crown is a cloud of petals.
func (c *canvas) blossoming(x, y, s float64, trunk tint, petals []tint, seed uint64) {
	r := seeded(seed)
	c.fill(taper(curve(x, y, x-s*.06, y-s*.35, x+s*.05, y-s*.75), s*.1, s*.04), trunk)
	c.fill(taper(curve(x-s*.02, y-s*.4, x-s*.25, y-s*.65, x-s*.35, y-s*.85), s*.05, s*.02), trunk)
	c.fill(taper(curve(x, y-s*.45, x+s*.22, y-s*.6, x+s*.38, y-s*.8), s*.05, s*.02), trunk)
	for k, t := range petals {
		var dots path
		for range 34 {
			a, d := r.Float64()*2*math.Pi, math.Sqrt(r.Float64())
			dots = append(dots, circle(x+math.Cos(a)*d*s*.55+s*.02, y-s*.9+math.Sin(a)*d*s*.36-float64(k)*s*.035, s*(.045+.06*r.Float64()))...)
		}
		c.fill(dots, t)
	}
}

// pavilion is a small roof with rising eaves on four posts; (x, y) is the middle of its floor.
func (c *canvas) pavilion(x, y, s float64, roof, wood tint) {
	for _, dx := range []float64{-.4, -.16, .16, .4} {
		c.fill(rect(x+dx*s-s*.025, y-s*.62, s*.05, s*.62), wood)
	}
	c.fill(rect(x-s*.52, y-s*.06, s*1.04, s*.1), wood)
	c.fill(rect(x-s*.44, y-s*.24, s*.88, s*.04), wood)
	left := curve(x, y-s*1.25, x-s*.16, y-s*.95, x-s*.45, y-s*.72, x-s*.78, y-s*.72)
	right := curve(x+s*.78, y-s*.72, x+s*.45, y-s*.72, x+s*.16, y-s*.95, x, y-s*1.25)
	eaves := curve(x-s*.78, y-s*.72, x-s*.4, y-s*.58, x, y-s*.56, x+s*.4, y-s*.58, x+s*.78, y-s*.72)
	c.fill(path{append(append(left, eaves...), right...)}, roof)
	c.fill(circle(x, y-s*1.27, s*.06), roof)
}

// boat is a flat river boat, with a sail when it has one; (x, y) is the middle of its waterline.
func (c *canvas) boat(x, y, s float64, hull, sail tint) {
	c.fill(blob(x-s*.62, y-s*.12, x-s*.3, y-s*.03, x+s*.3, y-s*.03, x+s*.66, y-s*.15, x+s*.42, y+s*.07, x-s*.4, y+s*.07), hull)
	if sail.A == 0 {
		c.fill(path{append(curve(x-s*.26, y-s*.05, x-s*.2, y-s*.2, x, y-s*.26, x+s*.2, y-s*.2, x+s*.26, y-s*.05), pt{x, y})}, hull)
		return
	}
	c.fill(rect(x-s*.012, y-s*1.12, s*.024, s*1.1), hull)
	leaf := append(curve(x-s*.02, y-s*1.08, x-s*.3, y-s*.6, x-s*.34, y-s*.16), curve(x+s*.22, y-s*.14, x+s*.22, y-s*.6, x+s*.1, y-s*1.08)...)
	c.fill(path{leaf}, sail)
	for k := 1.; k < 6; k++ {
		yy := y - s*(1.08-.155*k)
		c.fill(stroke(points(x-s*(.05+.06*k), yy, x+s*.2, yy), s*.012), hull.alpha(.5))
	}
}

// ripples are the short level strokes of still water.
func (c *canvas) ripples(y0, y1 float64, n int, t tint, seed uint64) {
	r := seeded(seed)
	for range n {
		d := r.Float64()
		y := y0 + (y1-y0)*d*d
		l := (8 + 46*r.Float64()) * (.3 + d)
		x := r.Float64()*(c.w+l) - l
		c.fill(swell(curve(x, y, x+l*.5, y+(r.Float64()-.5)*2, x+l, y), .6+1.2*d), t.alpha(float64(t.A)/255*(.3+.7*r.Float64())))
	}
}

func springHills(c *canvas) {
	c.wash(upright(0, 300, hex(0xcfe3e2), hex(0xeaf0df), hex(0xfaf0dc)))
	c.disc(470, 96, 30, hex(0xfff6df), hex(0xffe9b8))
	far := []tint{hex(0xb3cfcb), hex(0x94bcae), hex(0x74a48d), hex(0x568c70)}
	for i, t := range far {
		k := float64(i)
		top := skyline(c.w, 236+34*k, 150-14*k, 150+16*k, uint32(5+3*i))
		c.hills(top, 120, t, mix(t, paper, .55), mix(t, paper, .88))
	}
	c.flock(200, 84, 9, 7, hex(0x4f6a68), 3)
	near := skyline(c.w, 372, 60, 240, 43)
	c.hills(near, 90, hex(0x3f7a58), hex(0x79a873), hex(0xa9c88c))
	c.pavilion(148, near(148)+4, 34, hex(0x35505a), hex(0x6b4a3a))
	pink := []tint{hex(0xc9748a), hex(0xe7a0ae), hex(0xf7cdd2), hex(0xfdeaea)}
	for i, x := range []float64{60, 214, 256, 420, 496, 588} {
		s := 42 + 12*float64(i*i%3)
		c.blossoming(x, near(x)+6, s, hex(0x4a3833), pink, uint64(i+1))
	}
	c.seal(600, 30, 22)
}

func blueGreenHills(c *canvas) {
	c.wash(upright(0, c.h, hex(0xd8bd84), hex(0xceae72), hex(0xb9935a)))
	c.fill(rect(0, 196, c.w, 120), upright(196, c.h, hex(0x9db09a).alpha(0), hex(0x7da096).alpha(.55)))
	layer := func(base float64, seed uint32, strength float64, peaks ...peak) {
		top := massif(c.w, base, .5, seed, peaks...)
		// Each mountain runs through the whole scale from its own top to its foot, so low ground is all foot.
		stone := evenly(mix(silk, hex(0x164a72), strength), mix(silk, azurite, strength), mix(silk, malachite, strength),
			mix(silk, hex(0x8fb27e), strength), mix(silk, hex(0xc79a58), strength*.8), silk.alpha(.55), silk.alpha(0))
		soft := sampled(c.w, func(x float64) float64 { return (top(x-14) + top(x-7) + top(x) + top(x+7) + top(x+14)) / 5 })
		c.fill(c.land(top), shade(func(x, y float64) tint {
			tall := base - soft(x)
			return stone.at(max((y-soft(x))/(max(tall, 5)*1.25), .85-tall/40))
		}))
		c.creases(top, base-34, int(220*strength), 70, hex(0x17364a).alpha(.5*strength), uint64(seed))
		var rim path
		for x := 0.; x < c.w; x += 3 {
			rim = append(rim, stroke(points(x, top(x), x+3, top(x+3)), .9)...)
		}
		c.fill(unite(rim), hex(0x2a3f44).alpha(.5*strength))
	}
	layer(222, 11, .34, peak{90, 80, 60, 1.5}, peak{260, 120, 70, 1.4}, peak{380, 70, 60, 1.5}, peak{560, 128, 80, 1.4}, peak{760, 96, 70, 1.5}, peak{880, 110, 50, 1.4})
	layer(246, 23, .7, peak{30, 120, 46, 1.5}, peak{120, 74, 50, 1.6}, peak{330, 150, 60, 1.3}, peak{410, 96, 42, 1.6}, peak{640, 150, 56, 1.4}, peak{710, 98, 44, 1.7}, peak{850, 60, 60, 1.6})
	layer(280, 31, .95, peak{150, 92, 54, 1.5}, peak{210, 140, 40, 1.5}, peak{270, 72, 42, 1.7}, peak{500, 78, 40, 1.6}, peak{556, 118, 38, 1.4}, peak{800, 150, 52, 1.4}, peak{866, 90, 40, 1.7})
	c.ripples(236, 300, 130, hex(0xf2e3b4).alpha(.55), 5)
	c.ripples(236, 300, 70, hex(0x2f5f62).alpha(.35), 6)
	for _, b := range [][3]float64{{392, 268, 26}, {446, 282, 34}, {700, 276, 28}} {
		c.boat(b[0], b[1], b[2], hex(0x4a2f22), hex(0xefe0b8))
	}
	c.pavilion(352, 240, 20, hex(0x6d3a2a), hex(0x5a3323))
	c.pavilion(606, 262, 18, hex(0x6d3a2a), hex(0x5a3323))
	c.flock(474, 44, 6, 9, hex(0x4f3d2a), 9)
	c.seal(876, 14, 18)
	c.grain(.13, 2)
	c.vignette(hex(0x4a2f12), .35)
}

func inkRanges(c *canvas) {
	c.wash(upright(0, c.h, hex(0x8ea3b4), hex(0xc8d1d3), hex(0xe9e6da), hex(0xdfe0d8)))
	c.disc(276, 118, 34, hex(0xfdfaf0), hex(0xfff8e4))
	for i := range 7 {
		k := float64(i)
		t := mix(hex(0xa9b9c4), hex(0x28343f), k/6)
		top := skyline(c.w, 300+58*k, 190-12*k, 120+10*k, uint32(60+i*5))
		c.hills(top, 130, t, mix(t, hex(0xe4e5de), .6), hex(0xe4e5de).alpha(.75), hex(0xe4e5de).alpha(.1))
		if i > 2 {
			c.creases(top, c.h, 50, 60, mix(t, soot, .5).alpha(.22), uint64(i))
		}
		c.mist(332+58*k, 80, hex(0xeeeee6), .8, uint32(i))
		if i > 4 {
			c.firs(top, 40, 10, 26, mix(t, soot, .4), uint64(i))
		}
	}
	c.flock(120, 150, 8, 5, hex(0x4a5966), 12)
	c.seal(352, 582, 22)
	c.grain(.07, 7)
}

func snowPeaks(c *canvas) {
	c.wash(upright(0, 320, hex(0x0f1b3d), hex(0x25386b), hex(0x5c6fa3), hex(0xb2a9c9)))
	c.stars(150, 240, 4)
	c.disc(112, 78, 20, hex(0xfbf6e4), hex(0xc9d6ff))
	layers := []struct {
		base       float64
		lit, shade tint
		peaks      []peak
	}{
		{330, hex(0xa9b3d6), hex(0x7683b4), []peak{{60, 150, 150, 0}, {230, 200, 170, 0}, {400, 170, 150, 0}, {580, 210, 190, 0}}},
		{350, hex(0xd6ddf1), hex(0x7c8bbd), []peak{{130, 190, 160, 0}, {330, 245, 190, 0}, {500, 175, 150, 0}}},
		{390, hex(0xf4f6fc), hex(0x8b9acb), []peak{{30, 150, 150, 0}, {200, 130, 130, 0}, {450, 170, 170, 0}, {640, 150, 140, 0}}},
	}
	for i, l := range layers {
		for k, p := range l.peaks {
			c.facets(p.x, l.base, p.tall, p.wide, l.lit, l.shade, uint32(10*i+k))
		}
		c.mist(l.base-32, 90, hex(0xc3c6e2), .55, uint32(i+3))
	}
	floor := skyline(c.w, 372, 24, 200, 77)
	c.hills(floor, 60, hex(0xf7f8fd), hex(0xc8d0ea))
	c.firs(floor, 60, 14, 46, hex(0x24365c), 8)
	c.firs(floor, 26, 20, 66, hex(0x16233f), 9)
	r := seeded(5)
	for range 90 {
		c.fill(circle(r.Float64()*c.w, r.Float64()*c.h, .6+1.3*r.Float64()), white.alpha(.25+.5*r.Float64()))
	}
}

// facets is a mountain of snow with a lit and a shaded side that meet in a ragged crest.
func (c *canvas) facets(x, base, tall, wide float64, lit, dark tint, seed uint32) {
	side := func(to float64, k uint32) []pt {
		var out []pt
		const n = 26
		for i := 0; i <= n; i++ {
			t := float64(i) / n
			d := (rough(t*5, float64(k), 4, seed+k) - .5) * wide * .34 * math.Sin(math.Pi*min(t*1.15, 1))
			out = append(out, pt{x + (to-x)*math.Pow(t, 1.15) + d*.4, base - tall*(1-t) + d*.32})
		}
		return out
	}
	left, right := side(x-wide, 1), side(x+wide, 2)
	var crest []pt
	for i := 0; i <= 18; i++ {
		t := float64(i) / 18
		crest = append(crest, pt{x + wide*.18*t + (rough(t*7, 9, 3, seed)-.5)*wide*.5*math.Sqrt(t), base - tall*(1-t)})
	}
	fall := func(t tint) paint { return upright(base-tall, base, t, mix(t, hex(0xaab2d6), .6)) }
	c.fill(path{append(append([]pt{}, crest...), reversed(left)...)}, fall(lit))
	c.fill(path{append(append([]pt{}, crest...), reversed(right)...)}, fall(dark))
	for i := 3; i < 18; i += 2 {
		q := crest[i]
		l := tall * (.06 + .2*lattice(int32(i), 4, seed))
		c.fill(path{{q, {q.x - l*.5, q.y + l*1.1}, {q.x - l*.12, q.y + l*.5}, {q.x + l*.1, q.y + l*.25}}}, mix(lit, dark, .75).alpha(.8))
		c.fill(path{{q, {q.x + l*.7, q.y + l*1.2}, {q.x + l*.3, q.y + l*.5}}}, mix(lit, dark, .3).alpha(.7))
	}
}

func dawnMist(c *canvas) {
	c.wash(upright(0, c.h, hex(0xf0b98c), hex(0xf7d7ac), hex(0xf5e6cb), hex(0xd9dcc9)))
	c.disc(420, 150, 34, hex(0xfff3d6), hex(0xffdf9e))
	for i := range 5 {
		k := float64(i)
		t := mix(hex(0xd9b79a), hex(0x2b4442), math.Pow(k/4, .8))
		top := skyline(c.w, 250+46*k, 120, 190-12*k, uint32(7+9*i))
		c.hills(top, 110, t, mix(t, hex(0xf3e3c8), .55), hex(0xf3e3c8).alpha(.85), hex(0xf3e3c8).alpha(.3))
		if i > 1 {
			c.firs(top, 50, 10+4*k, 20+16*k, t, uint64(i+20))
		}
		c.mist(282+46*k, 84, hex(0xfbeed6), .95, uint32(i+40))
	}
	c.flock(210, 96, 9, 6, hex(0x7a5a4a), 31)
	c.seal(24, 24, 22)
	c.grain(.07, 3)
}

func autumnDusk(c *canvas) {
	c.wash(upright(0, 300, hex(0x7d4a63), hex(0xd8765a), hex(0xf3b268), hex(0xfbdc9b)))
	c.disc(470, 210, 58, hex(0xfff0c4), hex(0xffd27a))
	c.mist(70, 70, hex(0xffc890), .4, 140)
	c.mist(126, 50, hex(0xffd9a0), .4, 4)
	for i := range 5 {
		k := float64(i)
		t := mix(hex(0xe0875a), hex(0x471f2b), k/4)
		top := skyline(c.w, 262+22*k, 110-12*k, 150, uint32(81+4*i))
		c.hills(top, 90, t, mix(t, hex(0xf7c27a), .35), mix(t, hex(0xf7c27a), .5))
		c.mist(280+18*k, 36, hex(0xffd9a0), .4, uint32(i))
		if i == 4 {
			c.firs(top, 70, 7, 20, hex(0x3a1823), 5)
		}
	}
	c.flip(334, c.h-334, 5, hex(0x5a2a35), .25, .72)
	c.ripples(336, c.h, 60, hex(0xffdf9a).alpha(.5), 8)
	c.boat(250, 372, 38, hex(0x2a121a), tint{})
	c.flock(250, 84, 10, 9, hex(0x4a2233), 6)
	c.grain(.06, 9)
}

func moonLake(c *canvas) {
	c.wash(upright(0, 330, hex(0x16263a), hex(0x2c4a5d), hex(0x6d8f93), hex(0xb9c9b8)))
	c.stars(60, 180, 22)
	c.disc(312, 150, 66, hex(0xf9f1d2), hex(0xfff0c0))
	for _, s := range [][4]float64{{290, 130, 16, 10}, {330, 170, 20, 12}, {322, 128, 8, 6}, {296, 178, 9, 6}} {
		c.fill(oval(s[0], s[1], s[2], s[3], .4), hex(0xe6d9ae).alpha(.55))
	}
	for i, t := range []tint{hex(0x5d7f88), hex(0x3c5c69), hex(0x203b4a)} {
		k := float64(i)
		top := massif(c.w, 318+4*k, .55, uint32(i*7+2), peak{60 + 40*k, 130 - 20*k, 90, 1.3}, peak{240 - 60*k, 110 - 26*k, 80, 1.4}, peak{430 - 20*k, 150 - 28*k, 90, 1.3})
		c.hills(top, 110, t, mix(t, hex(0xa9c0b8), .5))
	}
	c.mist(312, 50, hex(0xdfe6d4), .7, 4)
	c.flip(326, c.h-326, 7, hex(0x14303f), .3, .8)
	c.fill(rect(0, 325, c.w, 1.2), hex(0xe8ecd8).alpha(.4))
	c.ripples(330, c.h, 70, hex(0xf6ecc4).alpha(.5), 3)
	shore := skyline(c.w, 474, 60, 300, 15)
	c.hills(shore, 40, hex(0x0e1f2a), hex(0x0b1820))
	c.pavilion(96, shore(96)+3, 56, hex(0x0d1a24), hex(0x0d1a24))
	c.glow(96, shore(96)-14, 26, hex(0xffb347), .8)
	c.reeds(300, 480, 470, 34, hex(0x0d1a22), 7)
}

// reeds are bent stalks along a shore.
func (c *canvas) reeds(x0, x1, y float64, n int, t tint, seed uint64) {
	r := seeded(seed)
	for range n {
		x, h := x0+(x1-x0)*r.Float64(), 24+50*r.Float64()
		lean := (r.Float64() - .3) * h * .5
		c.fill(taper(curve(x, y+10, x+lean*.2, y-h*.6, x+lean, y-h), 1.8, .3), t)
		if r.IntN(3) == 0 {
			c.fill(swell(curve(x+lean*.86, y-h*.86, x+lean, y-h, x+lean*1.25, y-h*1.12), 4), t)
		}
	}
}

func karstRiver(c *canvas) {
	c.wash(upright(0, 260, hex(0xdfe9e4), hex(0xf3efdd), hex(0xfbe9cf)))
	c.disc(210, 92, 22, hex(0xfff4dd), hex(0xffe3b0))
	for i := range 4 {
		k := float64(i)
		t := mix(hex(0xaec6c3), hex(0x2f5d5c), k/3)
		var peaks []peak
		r := seeded(uint64(40 + i))
		for x := -20 + 40*k; x < c.w+40; x += 70 + 40*r.Float64() {
			if i == 3 && x > 170 && x < 430 {
				continue
			}
			peaks = append(peaks, peak{x, 60 + 26*k + 90*r.Float64(), 24 + 20*r.Float64(), 2.4})
		}
		top := massif(c.w, 262, .35, uint32(i+50), peaks...)
		c.hills(top, 150, t, mix(t, hex(0xf2efdf), .25), mix(t, hex(0xf2efdf), .8))
		c.mist(252, 54, hex(0xf6f0e0), .8, uint32(i+9))
	}
	c.flip(262, c.h-262, 6, hex(0x86aaa4), .25, .55)
	c.fill(rect(0, 261, c.w, 1.5), hex(0xffffff).alpha(.5))
	c.ripples(266, c.h, 80, hex(0xf7f4e4).alpha(.5), 4)
	// The raft: a few poles, the fisherman in his straw hat, the lamp and the bird.
	x, y := 330., 332.
	for i := range 4 {
		d := float64(i) * 2.2
		c.fill(swell(curve(x-72+d*2, y+d, x, y+d+2, x+76-d, y+d-5), 3), hex(0x7a6a45))
	}
	c.fill(blob(x-6, y-2, x-10, y-18, x-4, y-32, x+4, y-32, x+9, y-16, x+6, y-2), hex(0x39474a))
	c.fill(path{append(curve(x-16, y-34, x-2, y-44, x+16, y-33), pt{x, y - 32})}, hex(0xb8924f))
	c.fill(stroke(curve(x-50, y+14, x+10, y-20, x+44, y-62), 1.4), hex(0x57492f))
	c.fill(taper(curve(x+62, y-5, x+62, y-22), 1.4, 1), hex(0x57492f))
	c.glow(x+62, y-24, 24, hex(0xffb84d), .8)
	c.fill(circle(x+62, y-24, 3.4), hex(0xffe3a0))
	c.fill(blob(x-44, y-2, x-48, y-9, x-43, y-18, x-40, y-20, x-38, y-12, x-38, y-3), hex(0x22302f))
	c.seal(598, 24, 22)
	c.grain(.06, 12)
}

func terraces(c *canvas) {
	c.wash(upright(0, 180, hex(0x87aec0), hex(0xe8d9b8), hex(0xfbdca4)))
	c.disc(470, 104, 22, hex(0xfff6dc), hex(0xffe2a0))
	for i, t := range []tint{hex(0xa8b9b4), hex(0x7f9d98)} {
		top := skyline(c.w, 150+20*float64(i), 80, 160, uint32(i+3))
		c.hills(top, 80, t, mix(t, hex(0xf4e6c8), .7))
	}
	c.mist(150, 60, hex(0xfff0d4), .8, 5)
	// Every step is a sheet of water that holds the sky, above a bank of earth and grass; the slope is a bowl, so the steps are bows.
	const steps = 17
	for i := range steps {
		t := float64(i) / (steps - 1)
		top := sampled(c.w, func(x float64) float64 {
			u := (x - 290 + 160*t) / c.w
			bowl := 150 - 210*t*(1-.4*t)
			y := 190 + 236*math.Pow(t, 1.2) - bowl*u*u*1.5
			return y + (10+22*t)*(noise(x/(70+60*t), t*5, 9)-.5)*2 + 6*t*(noise(x/26, t*9, 3)-.5)
		})
		sky := linear{60, 0, c.w, 90, evenly(hex(0x9fc0c4), hex(0xf9e3b2), hex(0xfff0cf), hex(0xf2c08a), hex(0xa9bfc0), hex(0xd8d6b8))}
		if i%5 == 2 || i == 0 {
			sky.ramp = evenly(hex(0x8fae58), hex(0xb4c56e), hex(0x93b35e), hex(0x7a9c50))
		}
		bank := 3 + 8*t
		for _, layer := range []struct {
			down float64
			src  paint
		}{{-.5, mix(hex(0x7d9a4c), hex(0x567a3a), t)}, {0, mix(hex(0x6b7d40), hex(0x3f5a2c), t)}, {.45, mix(hex(0x7a6238), hex(0x4d3d26), t)}, {1, sky}} {
			c.fill(c.land(func(x float64) float64 { return top(x) + bank*layer.down }), layer.src)
		}
	}
	r := seeded(6)
	for range 16 {
		x, y := r.Float64()*c.w, 250+140*r.Float64()
		s := 5 + (y-250)/14
		c.fill(blob(x-s, y, x-s*.7, y-s*1.1, x, y-s*1.5, x+s*.8, y-s, x+s, y), mix(hex(0x3e6a36), hex(0x5f8a45), r.Float64()))
	}
	c.grain(.05, 15)
}

func teaHills(c *canvas) {
	c.wash(upright(0, 220, hex(0xd6e6dc), hex(0xf1f2df), hex(0xf8efd6)))
	for i, t := range []tint{hex(0xb6cfc2), hex(0x93b8a4)} {
		top := skyline(c.w, 168+24*float64(i), 110, 150, uint32(i*5+31))
		c.hills(top, 100, t, mix(t, hex(0xf5f1df), .8))
	}
	c.mist(170, 60, hex(0xfbf7e8), .9, 3)
	r := seeded(14)
	for i := range 3 {
		k := float64(i)
		hill := sampled(c.w, func(x float64) float64 {
			return 208 + 66*k - (46+8*k)*math.Sin(x/c.w*(3.1+k*.8)+1.1+1.9*k)
		})
		base := mix(hex(0x8db57a), hex(0x3f7f4a), k/2)
		c.hills(hill, 160, base, mix(base, hex(0x2f5e3a), .4))
		// Rows of bushes: humps along lines that follow the hill.
		for row := range 8 {
			d := (6 + 3*k) + float64(row)*(9+4*k)*(1+.08*float64(row))
			var humps, lights path
			for x := -6.; x < c.w+8; x += 8 + 3*k {
				s := (5 + 2.2*k) * (.85 + .3*r.Float64())
				y := hill(x) + d
				humps = append(humps, oval(x, y, s, s*.66, 0)...)
				lights = append(lights, oval(x-s*.1, y-s*.26, s*.7, s*.32, 0)...)
			}
			c.fill(humps, mix(base, hex(0x1f4a2e), .55))
			c.fill(lights, mix(base, hex(0xcfe08a), .42))
		}
		if i == 0 {
			c.pavilion(486, hill(486)+2, 40, hex(0x47585a), hex(0x6a4a38))
		}
		c.mist(240+66*k, 40, hex(0xf6f6e0), .4, uint32(i))
	}
	// Pickers in straw hats between the rows.
	for i, q := range points(150, 316, 196, 330, 420, 352, 560, 310) {
		coat := []tint{cinnabar, hex(0x2d6a8c), hex(0xe8d9b0), hex(0x8a4a6a)}[i]
		c.fill(blob(q.x-8, q.y+14, q.x-7, q.y-2, q.x, q.y-8, q.x+7, q.y-2, q.x+8, q.y+14), coat)
		c.fill(path{append(curve(q.x-14, q.y-6, q.x-4, q.y-14, q.x+14, q.y-6), pt{q.x, q.y - 3})}, hex(0xe0bd74))
	}
	c.seal(24, 22, 22)
}

func milkyWay(c *canvas) {
	c.wash(upright(0, c.h, hex(0x070d22), hex(0x12224a), hex(0x2b3f74), hex(0x7a6a8f), hex(0xd79a7c)))
	c.wash(shade(func(x, y float64) tint {
		d := (x - 230 + (y-250)*.42) / 80
		band := math.Exp(-d * d)
		if band < .02 {
			return tint{}
		}
		n := rough(x/60, y/70, 4, 8)
		dust := rough(x/34+9, y/50, 3, 21)
		a := band * max(n*1.7-.35, 0) * (1 - .75*math.Exp(-d*d*9)*dust)
		return mix(hex(0x9fb4ff), hex(0xffdcc0), band*n).alpha(a * .7 * (1 - y/c.h*.7))
	}))
	c.stars(420, 520, 77)
	for i := range 3 {
		k := float64(i)
		top := skyline(c.w, 540+40*k, 120, 150, uint32(9*i+12))
		t := mix(hex(0x3a3358), hex(0x0b0f1f), k/2)
		c.hills(top, 90, t, mix(t, hex(0xb27a78), .3-.14*k))
		c.firs(top, int(20+30*k), 8, 20+12*k, t, uint64(i+2))
	}
	c.fill(swell(points(90, 96, 156, 146), 1.6), white.alpha(.8))
	// A hut with a lamp at its window, the only warm light.
	c.fill(poly(276, 590, 276, 566, 268, 566, 292, 548, 316, 566, 308, 566, 308, 592), hex(0x070a14))
	c.glow(292, 576, 40, hex(0xffb04a), .7)
	c.fill(rect(287, 570, 10, 10), hex(0xffd98a))
	c.grain(.04, 18)
}
