package demo

import "math"

// scallops is the old pattern of waves: overlapping fans of rings.
func (c *canvas) scallops(top func(x float64) float64, s float64, tints ...tint) {
	rows := int((c.h+2*s)/(s*.5)) + 1
	for row := range rows {
		y := float64(row) * s * .5
		for x := -float64(row%2) * s; x < c.w+s*2; x += s * 2 {
			if y < top(x) {
				continue
			}
			for k, t := range tints {
				c.fill(circle(x, y+s*.5, s*(1-float64(k)/float64(len(tints)))), t)
			}
		}
	}
}

func seaWaves(c *canvas) {
	c.wash(upright(0, c.h, hex(0xf5e9cf), hex(0xf3dcb4)))
	c.fill(circle(420, 128, 74), upright(54, 202, hex(0xd9442f), hex(0xe9764a)))
	c.cloud(300, 124, 26, hex(0xfbf4e2), hex(0xc9a25a))
	c.cloud(516, 170, 30, hex(0xfbf4e2), hex(0xc9a25a))
	c.cloud(96, 78, 30, hex(0xfbf4e2), hex(0xc9a25a))
	line := func(x float64) float64 { return 226 - 34*math.Sin(x/100+.6) }
	c.scallops(line, 32, hex(0xf4ead2), hex(0x1d4f73), hex(0xf4ead2), hex(0x2b7290), hex(0xf4ead2), hex(0x6aa6ad))
	// Two breakers with curled crests rise out of the pattern.
	for _, b := range [][3]float64{{150, 318, 1}, {470, 352, 1.15}} {
		c.breaker(b[0], b[1], b[2])
	}
	gold := hex(0xc9a25a)
	c.fill(rect(0, 0, c.w, c.h).cut(rect(10, 10, c.w-20, c.h-20)), hex(0x1d4f73))
	c.fill(rect(14, 14, c.w-28, c.h-28).cut(rect(16, 16, c.w-32, c.h-32)), gold)
}

func (c *canvas) breaker(x, y, s float64) {
	body := append(curve(-140, 90, -110, 30, -70, -20, -20, -64, 40, -80, 84, -58, 96, -22, 80, 6, 56, 10),
		curve(56, 10, 66, -14, 54, -32, 30, -30, 12, -6, 20, 40, 60, 70, 120, 90)...)
	c.fill(path{body}.size(s, s).move(x, y), linear{x, y - 80*s, x, y + 90*s, evenly(hex(0x2f7d9b), hex(0x1d4f73), hex(0x163c5c))})
	for i := range 4 {
		k := float64(i) * 13
		c.fill(swell(curve(-118+k, 84, -92+k, 34, -56+k, -8, -10+k*.9, -42+k*.7, 30+k*.5, -56+k*.8, 62+k*.2, -46+k*.7), 3.4).size(s, s).move(x, y), hex(0xbfdcd8))
	}
	var foam path
	r := seeded(uint64(x))
	for i := range 22 {
		q, _ := along(curve(-60, -34, -20, -66, 40, -84, 88, -60, 100, -22, 82, 10, 56, 14), float64(i)/21)
		foam = append(foam, circle(x+q.x*s, y+q.y*s, s*(6+4*r.Float64()))...)
	}
	c.fill(foam, hex(0xf9f3e3))
	for range 14 {
		c.fill(circle(x+s*(60+90*r.Float64()), y-s*(20+80*r.Float64()), s*(1.4+2.4*r.Float64())), hex(0xf9f3e3))
	}
}

// cloud is an auspicious cloud: lobes with curls inside and a tail to either side.
func (c *canvas) cloud(x, y, s float64, body, line tint) {
	lobes := [][3]float64{{-1.1, 0, .55}, {-.35, -.38, .72}, {.55, -.2, .6}, {1.25, .08, .42}}
	tail := unite(swell(curve(-3, .5, -1.6, .52, 0, .42, 1.6, .5, 3.1, .44), .3), rounded(-1.62, .1, 3.3, .46, .23))
	shape := tail
	for _, l := range lobes {
		shape = append(shape, circle(l[0], l[1], l[2])...)
	}
	c.fill(shape.edges(.12).size(s, s).move(x, y), line)
	c.fill(unite(shape).size(s, s).move(x, y), body)
	for i, l := range lobes[:3] {
		var curl []pt
		for k := range 26 {
			a := -2.6 + float64(k)*.34
			d := l[2] * (.76 - .024*float64(k))
			if i == 2 {
				a = -a + math.Pi
			}
			curl = append(curl, pt{l[0] + d*math.Cos(a), l[1] + d*math.Sin(a)})
		}
		c.fill(taper(curl, .09, .05).size(s, s).move(x, y), line)
	}
}

func riverSails(c *canvas) {
	c.wash(upright(0, 300, hex(0xa7c4cf), hex(0xdbe3da), hex(0xf6e7c9)))
	c.disc(150, 150, 28, hex(0xfff6dd), hex(0xffe2a4))
	for i, t := range []tint{hex(0xa9c0c4), hex(0x7d9fa6)} {
		top := skyline(c.w, 236+8*float64(i), 76-10*float64(i), 130, uint32(4+i*6))
		c.hills(top, 60, t, mix(t, hex(0xf3e9d2), .7))
	}
	c.mist(232, 44, hex(0xf8f0dd), .9, 2)
	c.band(240, c.h, upright(240, c.h, hex(0xf1e6cb), hex(0xa7c3c2), hex(0x5f8f99), hex(0x3c6b7c)))
	sail := hex(0xf6ead0)
	for i, b := range [][3]float64{{90, 256, 40}, {520, 262, 54}, {300, 300, 120}} {
		c.boat(b[0], b[1], b[2], hex(0x3b2a22), sail)
		r := seeded(uint64(i))
		for y := 2.; y < b[2]*.9; y += 2.2 {
			w := b[2] * (.3 - .2*y/b[2]) * (.7 + .6*r.Float64())
			c.fill(swell(points(b[0]-w+4*r.Float64(), b[1]+y+4, b[0], b[1]+y+4, b[0]+w, b[1]+y+4), 1.9), mix(sail, hex(0x7ba4a8), y/b[2]).alpha(.7-.5*y/b[2]))
		}
	}
	c.ripples(250, c.h, 150, hex(0xfbf4df).alpha(.6), 3)
	c.ripples(280, c.h, 80, hex(0x2f5d6c).alpha(.4), 4)
	for i := range 5 {
		c.bird(430+34*float64(i), 100+22*math.Sin(float64(i)*1.7), 11, hex(0xfafaf4))
	}
	c.reeds(-20, 120, c.h, 26, hex(0x47583c), 4)
	c.reeds(560, 660, c.h, 22, hex(0x47583c), 5)
	c.seal(604, 22, 20)
	c.grain(.05, 33)
}

// lotusLeaf is a floating leaf seen from the side: flat shows how far it is turned away.
func (c *canvas) lotusLeaf(x, y, r, flat float64, t tint, seed uint64) {
	g := seeded(seed)
	var rim []pt
	const n = 40
	for i := range n {
		a := 2 * math.Pi * float64(i) / n
		d := r * (1 + .05*math.Sin(a*7+float64(seed)) + .02*g.Float64())
		rim = append(rim, pt{d * math.Cos(a), d * math.Sin(a) * flat})
	}
	leaf := path{rim}.move(x, y)
	c.fill(leaf.move(0, r*.06), mix(t, hex(0x0e2f2a), .6))
	c.fill(leaf, radial{x - r*.2, y - r*flat*.3, r * 1.3, flat, evenly(mix(t, hex(0xd7ecb0), .5), t, mix(t, hex(0x123c30), .45))})
	for i := range 11 {
		a := 2*math.Pi*float64(i)/11 + .2
		q := pt{x + r*.9*math.Cos(a), y + r*.9*math.Sin(a)*flat}
		c.fill(taper(curve(x, y, (x+q.x)/2+2*math.Sin(a*3), (y+q.y)/2, q.x, q.y), 1.4, .4), mix(t, hex(0xe8f4c8), .5).alpha(.7))
	}
	c.fill(oval(x, y, r*.07, r*.07*flat, 0), hex(0xdfeab4))
}

// lotus is a flower in bloom; (x, y) is the top of its stalk.
func (c *canvas) lotus(x, y, s float64) {
	petal := func(angle, long, wide float64, t tint) {
		p := path{append(curve(0, 0, -wide, -long*.45, -wide*.62, -long*.82, 0, -long), curve(0, -long, wide*.62, -long*.82, wide, -long*.45, 0, 0)...)}
		p = p.turn(angle).move(x, y)
		tip := pt{x + math.Sin(angle)*long, y - math.Cos(angle)*long}
		c.fill(p, linear{x, y, tip.x, tip.y, evenly(hex(0xfdf3e4), mix(t, white, .55), t)})
		for _, d := range []float64{-.35, 0, .35} {
			c.fill(taper(path{curve(0, -long*.2, wide*d*1.2, -long*.55, wide*d*.5, -long*.88)}.turn(angle).move(x, y)[0], .9, .2), hex(0xb84a6c).alpha(.3))
		}
	}
	back, front := hex(0xd9708f), hex(0xe98ba5)
	for _, a := range []float64{-1.25, 1.25, -.95, .95} {
		petal(a, s*.92, s*.24, back)
	}
	for _, a := range []float64{-.55, .55, 0} {
		petal(a, s*1.05, s*.28, back)
	}
	for k := range 9 {
		c.fill(taper(points(x, y-s*.1, x+s*(.05*float64(k)-.2), y-s*.5), 1.2, 1.2), gamboge)
	}
	for _, a := range []float64{-.82, .82, -.3, .3} {
		petal(a, s*.74, s*.26, front)
	}
	petal(-1.45, s*.6, s*.18, front)
	petal(1.45, s*.6, s*.18, front)
}

func lotusPond(c *canvas) {
	c.wash(upright(0, c.h, hex(0xcfe3d8), hex(0x8fbfb0), hex(0x3f7f7c), hex(0x1f5558)))
	c.glow(470, 60, 190, hex(0xfff3d0), .8)
	c.ripples(120, c.h, 110, hex(0xe9f5ea).alpha(.35), 5)
	leaves := [][5]float64{{70, 190, 60, .3, 0}, {210, 170, 44, .26, 1}, {560, 180, 66, .3, 1}, {400, 206, 58, .3, 0}, {150, 262, 84, .36, 2},
		{500, 276, 96, .38, 0}, {330, 300, 78, .36, 1}, {30, 352, 96, .4, 0}, {610, 372, 104, .42, 2}, {240, 388, 92, .42, 0}, {436, 402, 80, .42, 1}}
	greens := []tint{hex(0x3f8f62), hex(0x2f7a5c), hex(0x5aa06a)}
	stalk := func(x0, y0, x, y float64) {
		c.fill(taper(curve(x0, y0, (x0+x)/2+8, (y0+y)/2, x, y), 4, 3), upright(y, y0, hex(0x6ba86b), hex(0x23594a)))
	}
	flowers := [][5]float64{{300, 196, 300, 130, 58}, {466, 250, 452, 160, 80}, {128, 300, 116, 196, 66}}
	for i, l := range leaves {
		c.lotusLeaf(l[0], l[1], l[2], l[3], greens[int(l[4])], uint64(i+1))
		for k, f := range flowers {
			if i == []int{3, 5, 7}[k] {
				stalk(f[0], f[1], f[2], f[3])
				c.lotus(f[2], f[3], f[4])
			}
		}
	}
	stalk(372, 330, 384, 246)
	c.fill(blob(384, 250, 370, 226, 378, 200, 386, 186, 394, 202, 400, 226), upright(186, 250, hex(0xd9607f), hex(0xf6c8cf), hex(0xa8c48a)))
	c.fill(swell(curve(384, 248, 378, 222, 386, 190), 1.4), hex(0xb84a6c).alpha(.6))
	c.dragonfly(392, 176, 34)
	c.seal(24, 22, 22)
}

func (c *canvas) dragonfly(x, y, s float64) {
	for _, a := range []float64{-.35, .12} {
		for _, side := range []float64{-1, 1} {
			w := oval(side*s*.52, -s*.02, s*.5, s*.09, a*side).move(x, y-s*.1)
			c.fill(w, hex(0xf4fbff).alpha(.75))
			c.fill(w.edges(.8), hex(0x47616a).alpha(.7))
		}
	}
	c.fill(taper(curve(x, y-s*.2, x+s*.1, y+s*.3, x+s*.34, y+s*.75), s*.09, s*.04), hex(0xb8392e))
	c.fill(oval(x, y-s*.16, s*.08, s*.13, 0), hex(0x7c2a24))
	c.fill(unite(circle(x-s*.05, y-s*.3, s*.06), circle(x+s*.05, y-s*.3, s*.06)), hex(0x2c3a3a))
}

func koiPond(c *canvas) {
	c.wash(around(250, 200, 420, hex(0x4f9a94), hex(0x2b6f74), hex(0x123f4c)))
	r := seeded(3)
	for range 70 {
		x, y := r.Float64()*c.w, r.Float64()*c.h
		c.fill(oval(x, y, 6+14*r.Float64(), 4+8*r.Float64(), r.Float64()*3), mix(hex(0x1b4a50), hex(0x5aa39a), r.Float64()).alpha(.18))
	}
	red, gold, black := hex(0xd8432a), hex(0xe8a02c), hex(0x22282e)
	c.koi(180, 200, 150, -.5, 1, white, red, red, 4)
	c.koi(330, 300, 160, 2.5, 1, white, red, black, 11)
	c.koi(380, 120, 110, 1.9, -1, hex(0xf2b53a), gold, gold, 6)
	c.koi(120, 390, 120, -1.9, -1, white, black, red, 14)
	c.koi(420, 430, 96, -2.8, 1, hex(0xe4532f), red, red, 16)
	for i, q := range points(250, 90, 70, 110, 290, 440) {
		for k := range 4 {
			c.fill(ring(q.x, q.y, 16+18*float64(k)+6*float64(i), 1.4), white.alpha(.38-.08*float64(k)))
		}
	}
	for i, l := range [][3]float64{{440, 40, 62}, {484, 128, 40}, {34, 478, 66}, {118, 492, 40}, {20, 30, 46}} {
		a := float64(i) * 1.3
		leaf := path{append(arc(l[0], l[1], l[2], l[2], a+.16, a+2*math.Pi-.16), pt{l[0], l[1]})}
		c.fill(leaf.move(7, 12), hex(0x0c2a30).alpha(.4))
		c.fill(leaf, radial{l[0], l[1], l[2], 1, evenly(hex(0xa5cf82), hex(0x5d9f62), hex(0x3d8055))})
		for k := range 12 {
			b := a + .4 + float64(k)*.46
			c.fill(taper(points(l[0], l[1], l[0]+l[2]*.92*math.Cos(b), l[1]+l[2]*.92*math.Sin(b)), 1.3, .3), hex(0xcfe6a6).alpha(.6))
		}
	}
	for i := range 8 {
		a := float64(i) * math.Pi / 4
		c.fill(oval(0, -15, 7, 16, 0).turn(a).move(462, 62), linear{462, 62, 462 + 30*math.Sin(a), 62 - 30*math.Cos(a), evenly(hex(0xfdeef0), hex(0xee9db2))})
	}
	c.fill(circle(462, 62, 6), gamboge)
	c.grain(.04, 12)
}

// koi is a carp seen from above, l long, swimming towards the angle (0 is up), bent to one side.
func (c *canvas) koi(x, y, l, angle, bend float64, body, spot, other tint, seed uint64) {
	spine := curve(0, -.5, .015*bend, -.3, .05*bend, 0, .01*bend, .28, -.09*bend, .46)
	at := func(p path) path { return p.size(l, l).turn(angle).move(x, y) }
	girth := func(t float64) float64 {
		return .21 * math.Pow(math.Sin(math.Pi*min(.09+t*.86, 1)), .75) * (1 - .5*t*t)
	}
	tail := unite(path{append(curve(-.08*bend, .42, -.2*bend-.05, .56, -.2*bend-.1, .7), curve(-.14*bend, .64, -.06*bend, .6, -.06*bend, .44)...)},
		path{append(curve(-.1*bend, .42, -.02*bend, .6, -.02*bend+.06, .72), curve(-.08*bend, .62, -.1*bend, .52, -.12*bend, .44)...)})
	fins := unite(blob(.07, -.24, .2, -.2, .25, -.08, .16, -.1), blob(-.05, -.24, -.18, -.2, -.23, -.08, -.14, -.1), blob(.09, .1, .16, .14, .17, .22, .1, .18), blob(-.02, .1, -.09, .15, -.1, .22, -.03, .18))
	shape := brush(spine, girth)
	c.fill(at(unite(shape, tail, fins)).move(8, 14), hex(0x08242c).alpha(.38))
	pale := mix(body, hex(0xffe9d6), .4)
	c.fill(at(tail), pale.alpha(.85))
	c.fill(at(fins), pale.alpha(.8))
	c.fill(at(shape), body)
	r := seeded(seed)
	for i := range 6 {
		t := .12 + .15*float64(i) + .06*r.Float64()
		q, _ := along(spine, t)
		side := (r.Float64() - .5) * girth(t)
		s := girth(t) * (.28 + .24*r.Float64())
		k := spot
		if i%3 == 2 {
			k = other
		}
		// A spot must not stick out of the fish.
		side = min(max(side, -(girth(t)/2-s*.8)), girth(t)/2-s*.8)
		c.fill(at(blob(q.x+side-s, q.y, q.x+side-s*.4, q.y-s*1.1, q.x+side+s*.7, q.y-s*.8, q.x+side+s, q.y+s*.3, q.x+side, q.y+s*1.2)), k)
	}
	c.fill(at(swell(spine[4:len(spine)-4], .03)), mix(body, soot, .25).alpha(.4))
	c.fill(at(unite(circle(-.045, -.42, .016), circle(.06, -.42, .016))), soot)
	c.fill(at(unite(taper(curve(-.05, -.47, -.1, -.52, -.11, -.57), .014, .004), taper(curve(.05, -.47, .1, -.52, .11, -.57), .014, .004))), pale)
}

func stoneBridge(c *canvas) {
	c.wash(upright(0, 280, hex(0xf6e3cf), hex(0xf3ead9), hex(0xd9e6dc)))
	for i, t := range []tint{hex(0xc4d6cc), hex(0x9fbfb2)} {
		top := skyline(c.w, 240+10*float64(i), 90, 160, uint32(12+i*4))
		c.hills(top, 70, t, mix(t, hex(0xf3ecdc), .7))
	}
	c.mist(234, 50, hex(0xfaf3e2), .9, 6)
	// White houses with black roofs on either bank.
	for _, h := range [][4]float64{{-20, 250, 96, 62}, {58, 250, 62, 46}, {530, 250, 80, 66}, {592, 250, 70, 44}} {
		c.whiteHouse(h[0], h[1], h[2], h[3])
	}
	stone := upright(150, 256, hex(0xbfb7a6), hex(0x948c7e))
	deck := append(curve(112, 256, 200, 206, 320, 168, 440, 206, 528, 256), pt{528, 268}, pt{112, 268})
	hole := path{append(arc(320, 262, 76, 76, math.Pi, 2*math.Pi), pt{396, 268}, pt{244, 268})}
	c.fill(path{deck}.cut(hole), stone)
	for i := range 17 {
		a := math.Pi + float64(i)*math.Pi/16
		c.fill(stroke(points(320+76*math.Cos(a), 262+76*math.Sin(a), 320+88*math.Cos(a), 262+88*math.Sin(a)), 1), hex(0x6f6759).alpha(.7))
	}
	c.fill(stroke(arc(320, 262, 88, 88, math.Pi, 2*math.Pi), 1.1), hex(0x6f6759).alpha(.7))
	rail := curve(112, 244, 200, 194, 320, 156, 440, 194, 528, 244)
	c.fill(stroke(rail, 3.4), hex(0xa79e8e))
	for i := range 19 {
		q, _ := along(rail, float64(i)/18)
		c.fill(rect(q.x-2, q.y-5, 4, 19), hex(0x8b8374))
	}
	c.person(322, 167, 30, cinnabar)
	c.flip(262, c.h-262, 5, hex(0x8db3a6), .22, .6)
	c.ripples(264, c.h, 90, hex(0xf7f4e4).alpha(.6), 8)
	c.boat(200, 340, 66, hex(0x33302b), tint{})
	c.fill(blob(500, 420, 530, 356, 590, 330, 680, 318, 700, 420), upright(320, 400, hex(0x8fa56a), hex(0x5f7a4c)))
	c.willow(604, 344, 300, hex(0x5a4a3a), hex(0x7fa650), 4)
	c.flock(190, 92, 8, 5, hex(0x5a6a66), 5)
	c.seal(22, 22, 22)
}

// person is a small figure under an oiled-paper umbrella.
func (c *canvas) person(x, y, h float64, umbrella tint) {
	c.fill(blob(x-h*.2, y, x-h*.16, y-h*.5, x, y-h*.66, x+h*.16, y-h*.5, x+h*.22, y), hex(0x35505e))
	c.fill(circle(x, y-h*.72, h*.1), hex(0x2a2422))
	c.fill(stroke(points(x+h*.05, y-h*.3, x+h*.02, y-h*1.15), h*.04), hex(0x5a4030))
	c.fill(path{append(curve(x-h*.62, y-h*.78, x-h*.3, y-h*1.06, x, y-h*1.18, x+h*.34, y-h*1.06, x+h*.64, y-h*.78), curve(x+h*.64, y-h*.78, x, y-h*.86, x-h*.62, y-h*.78)...)}, umbrella)
	for _, d := range []float64{-.3, 0, .3} {
		c.fill(taper(curve(x, y-h*1.17, x+d*h*.7, y-h*1.04, x+d*h*1.1, y-h*.83), .9, .6), mix(umbrella, soot, .35))
	}
}

// whiteHouse is a house of the river towns: white walls, a stepped black gable.
func (c *canvas) whiteHouse(x, y, w, h float64) {
	c.fill(rect(x, y-h, w, h), upright(y-h, y, hex(0xfaf7ee), hex(0xe3dfd2)))
	for _, dx := range []float64{.2, .62} {
		c.fill(rect(x+w*dx, y-h*.62, w*.16, h*.24), hex(0x4a4f50))
		c.fill(unite(rect(x+w*dx+w*.075, y-h*.62, w*.012, h*.24), rect(x+w*dx, y-h*.51, w*.16, h*.014)), hex(0xd9d3c4))
	}
	c.fill(path{append(curve(x-w*.09, y-h*.97, x+w*.1, y-h*1.06, x+w*.5, y-h*1.28, x+w*.9, y-h*1.06, x+w*1.09, y-h*.97), pt{x + w, y - h*.92}, pt{x, y - h*.92})}, hex(0x3d4447))
	c.fill(path{append(curve(x-w*.09, y-h*.97, x+w*.5, y-h*.99, x+w*1.09, y-h*.97), pt{x + w, y - h*.9}, pt{x, y - h*.9})}, hex(0x2a3033))
}

// willow is a tree of hanging branches; (x, y) is its foot.
func (c *canvas) willow(x, y, h float64, trunk, leaf tint, seed uint64) {
	r := seeded(seed)
	stem := curve(x, y, x-h*.05, y-h*.35, x+h*.02, y-h*.66, x-h*.1, y-h*.95)
	c.fill(taper(stem, h*.085, h*.03), trunk)
	boughs := [][]pt{
		curve(x, y-h*.6, x-h*.2, y-h*.84, x-h*.46, y-h*.9), curve(x-h*.04, y-h*.8, x+h*.1, y-h*1.0, x+h*.34, y-h*.98),
		curve(x-h*.08, y-h*.9, x-h*.26, y-h*1.06, x-h*.5, y-h*1.02), stem[len(stem)/2:],
	}
	for _, b := range boughs {
		c.fill(taper(b, h*.035, h*.008), trunk)
		for range 15 {
			q, _ := along(b, .15+.85*r.Float64())
			l := h * (.25 + .5*r.Float64())
			sway := h * (.03 + .05*r.Float64())
			strand := curve(q.x, q.y, q.x-sway*.7, q.y+l*.15, q.x-sway, q.y+l*.5, q.x-sway*.5, q.y+l)
			t := mix(leaf, hex(0xd8e08a), r.Float64()*.6)
			c.fill(taper(strand, 1.2, .5), t.alpha(.8))
			var blades path
			for k := 2.; k < l/5; k++ {
				p, a := along(strand, k*5/l)
				for _, side := range []float64{-.5, .5} {
					blades = append(blades, path{append(curve(0, 0, 4, -1.2, 8, 0), curve(8, 0, 4, 1.2, 0, 0)...)}.turn(a+side).move(p.x, p.y)...)
				}
			}
			c.fill(unite(blades), t.alpha(.85))
		}
	}
}

// rainNight is a street of white walls in the rain; at goes from 0 to 1 and round again.
func rainNight(c *canvas, at float64) {
	c.wash(upright(0, 300, hex(0x0f1c2c), hex(0x1e3448), hex(0x34526a)))
	far := skyline(c.w, 236, 90, 150, 18)
	c.hills(far, 90, hex(0x1c3347), hex(0x35546b))
	wall := func(x, y, w, h float64, lit bool) {
		c.fill(rect(x, y-h, w, h), upright(y-h, y, hex(0x5d7484), hex(0x3b5163)))
		c.fill(path{append(curve(x-w*.09, y-h*.97, x+w*.1, y-h*1.06, x+w*.5, y-h*1.28, x+w*.9, y-h*1.06, x+w*1.09, y-h*.97), pt{x + w, y - h*.9}, pt{x, y - h*.9})}, hex(0x131e2a))
		for i, dx := range []float64{.16, .6} {
			wx, wy := x+w*dx, y-h*.64
			if lit && i == 0 || !lit && i == 1 {
				c.glow(wx+w*.11, wy+h*.15, w*.5, hex(0xffb04a), .6)
				c.fill(rect(wx, wy, w*.22, h*.3), upright(wy, wy+h*.3, hex(0xffe2a0), hex(0xf3a94c)))
			} else {
				c.fill(rect(wx, wy, w*.22, h*.3), hex(0x223443))
			}
			for _, k := range []float64{1. / 3, 2. / 3} {
				c.fill(unite(rect(wx+w*.22*k-1, wy, 2, h*.3), rect(wx, wy+h*.3*k-1, w*.22, 2)), hex(0x2a2421))
			}
		}
	}
	wall(-30, 292, 170, 120, false)
	wall(470, 292, 190, 132, true)
	wall(126, 292, 120, 86, true)
	wall(360, 292, 116, 80, false)
	c.band(292, c.h, upright(292, c.h, hex(0x2a4356), hex(0x152636)))
	c.flip(292, 100, 8, hex(0x1a2c3c), .35, .9)
	sway := 3 * math.Sin(2*math.Pi*at)
	c.fill(stroke(curve(96, 168, 190, 150, 300, 142, 410, 150, 520, 166), 1.8), hex(0x131e2a))
	for i, x := range []float64{300, 222, 378} {
		c.lantern(x, 152-6*float64(min(i, 1)), 26-8*float64(min(i, 1)), sway*.02*float64(1-2*(i&1)), .9)
	}
	for i := range 7 {
		y := 300 + float64(i)*13
		w := 34 - float64(i)*3 + 6*math.Sin(2*math.Pi*at+float64(i)*2)
		c.fill(swell(points(300-w, y, 300, y, 300+w, y), 4), hex(0xff8a3c).alpha(.5-.06*float64(i)))
	}
	// Drops fall a whole number of times their distance in a round, so that the round closes.
	r := seeded(2)
	for range 150 {
		x, y0, z := r.Float64()*(c.w+80), r.Float64(), r.Float64()
		fall := 1 + math.Floor(z*2)
		y := math.Mod(y0+fall*at, 1) * (c.h + 60)
		l := 16 + 20*z
		c.fill(taper(points(x-y*.12, y-30, x-y*.12-l*.12, y-30+l), .6, .7+z), hex(0xcfe4f2).alpha(.22+.35*z))
	}
	for range 26 {
		x, y, phase := r.Float64()*c.w, 306+86*r.Float64(), r.Float64()
		p := math.Mod(phase+at, 1)
		c.fill(oval(x, y, 3+14*p, 1+4.4*p, 0).edges(1), hex(0xcfe4f2).alpha(.55*(1-p)))
	}
}

// lantern is a red paper lantern hung at (x, y), swung by an angle.
func (c *canvas) lantern(x, y, r, swing, light float64) {
	at := func(p path) path { return p.turn(swing).move(x, y) }
	mid := r * 1.5
	cx, cy := x-mid*math.Sin(swing), y+mid*math.Cos(swing)
	c.glow(cx, cy, r*3.4, hex(0xff9a3c), .55*light)
	c.fill(at(rect(-.8, -r*.5, 1.6, r*1.2)), hex(0x7a2a1e))
	c.fill(at(oval(0, mid, r, r*.84, 0)), radial{cx, cy, r * 1.05, 1, evenly(hex(0xffd27a), hex(0xf2703a), hex(0xd0301f), hex(0xa61f1a))})
	for _, k := range []float64{.32, .68} {
		c.fill(at(oval(0, mid, r*k, r*.84, 0)).edges(1.1), hex(0x8a1a14).alpha(.55))
	}
	c.fill(at(unite(rect(-r*.42, mid-r*.93, r*.84, r*.17), rect(-r*.42, mid+r*.76, r*.84, r*.17))), hex(0xd9a441))
	for i := range 7 {
		d := (float64(i) - 3) * r * .1
		c.fill(at(taper(points(d*.7, mid+r*.9, d*1.2, mid+r*1.7), 1.6, .8)), gamboge)
	}
}

// seaSunrise is the sun coming up over the sea while at goes from 0 to 1.
func seaSunrise(c *canvas, at float64) {
	up := .5 - .5*math.Cos(math.Pi*at)
	night, day := []tint{hex(0x1d2b53), hex(0x5a4a7d), hex(0xc9707a), hex(0xf2a878)}, []tint{hex(0x5fa3cf), hex(0xa9cfe0), hex(0xf9dfae), hex(0xffc988)}
	sky := make([]tint, 4)
	for i := range sky {
		sky[i] = mix(night[i], day[i], up)
	}
	const line = 238
	c.wash(upright(0, line, sky...))
	sun := pt{330, 262 - 130*up}
	c.glow(sun.x, sun.y, 330, mix(hex(0xff8a5a), hex(0xffe3a0), up), .75)
	c.glow(sun.x, sun.y, 110, mix(hex(0xffb070), hex(0xfff0c0), up), .5)
	// The disc stays brighter than its own light all the way up.
	c.fill(circle(sun.x, sun.y, 40), evenly(hex(0xff7044), hex(0xffa65a), hex(0xffd68a), hex(0xfff1c2), hex(0xfff8e2), hex(0xfffbee)).at(up))
	c.mist(110, 60, mix(hex(0xe58a86), hex(0xfff2dc), up), .55, 41)
	c.mist(176, 40, mix(hex(0xf09a7c), hex(0xfff6e6), up), .5, 12)
	for i, t := range []tint{mix(hex(0x6d4a74), hex(0x8fb3bd), up), mix(hex(0x40345e), hex(0x5f8c9c), up)} {
		k := float64(i)
		isle := massif(c.w, line+2, .5, uint32(31+i), peak{70 - 30*k, 62 - 14*k, 60, 1.5}, peak{150 - 10*k, 34, 50, 1.6}, peak{560 + 40*k, 72 - 18*k, 70, 1.4})
		c.hills(isle, 60, t, mix(t, sky[3], .45))
	}
	c.band(line, c.h, upright(line, c.h, mix(sky[3], sky[1], .35), mix(hex(0x3a4a80), hex(0x3f8fa8), up), mix(hex(0x16224a), hex(0x1f5f80), up)))
	// The path of light, and swell that rolls towards us once a round.
	r := seeded(9)
	for range 150 {
		d := r.Float64()
		p := math.Mod(d+at*.5, 1)
		y := line + 3 + (c.h-line)*p*p
		w := (10 + 60*r.Float64()) * (.25 + p)
		x := sun.x + (r.Float64()-.5)*(50+200*p)
		c.fill(swell(points(x-w, y, x, y, x+w, y), .8+2.6*p), mix(hex(0xff9a6a), hex(0xfff3c8), up).alpha((.2+.5*r.Float64())*(1-.4*p)))
	}
	for i := range 9 {
		p := math.Mod(float64(i)/9+at*.5, 1)
		y := line + 8 + (c.h-line)*p*p
		var crest []pt
		for x := -20.; x <= c.w+20; x += 10 {
			crest = append(crest, pt{x, y + (2+9*p)*math.Sin(x/(40+80*p)+float64(i)*2+at*2*math.Pi)})
		}
		c.fill(stroke(crest, .6+1.8*p), mix(hex(0xc98aa0), white, up).alpha(.4*p))
	}
	bob := 2.5 * math.Sin(at*4*math.Pi)
	c.boat(190+26*at, 302+bob, 56, hex(0x2a2030), mix(hex(0xe9a98a), hex(0xf9efd9), up))
	for i := range 6 {
		k := float64(i)
		flap := math.Sin(at*6*math.Pi + k)
		c.fill(unite(taper(curve(0, 0, -6, -5-2*flap, -12, -2-5*flap), 2, .3), taper(curve(0, 0, 6, -5-2*flap, 12, -2-5*flap), 2, .3)).move(420+26*k-60*at, 92+16*math.Sin(k*1.8)-20*at), hex(0x3a3048).alpha(.85))
	}
}
