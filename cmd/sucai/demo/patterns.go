package demo

import "math"

// paperCut is a window flower: one piece of red paper, folded eight times and cut.
func paperCut(c *canvas) {
	c.wash(around(320, 200, 420, hex(0xfdf6e6), hex(0xf6e6c6)))
	const x, y, n = 320., 200., 8
	red, ground := hex(0xc4211d), hex(0xfcf3e0)
	for i := range 6 {
		c.fill(circle(x+3+float64(i), y+4+float64(i), 186), hex(0x5a1a10).alpha(.03))
	}
	var disc path
	disc = append(disc, circle(x, y, 174)...)
	for i := range 4 * n {
		a := 2 * math.Pi * float64(i) / (4 * n)
		disc = append(disc, circle(x+174*math.Cos(a), y+174*math.Sin(a), 15)...)
	}
	c.fill(disc, red)
	each := func(count int, phase float64, p path) {
		var all path
		for i := range count {
			all = append(all, p.turn(2*math.Pi*(float64(i)+phase)/float64(count)).move(x, y)...)
		}
		c.fill(unite(all), ground)
	}
	each(4*n, 0, circle(0, -176, 5.5))
	each(4*n, .5, blob(-4, -162, 0, -172, 4, -162, 0, -158))
	c.fill(ring(x, y, 151, 4), ground)
	// Eight fish swim around the rim, eight lotus buds stand between them.
	fish := blob(-38, -132, -20, -147, 6, -144, 26, -128, 44, -142, 40, -124, 44, -110, 24, -120, 4, -113, -22, -116)
	each(n, 0, fish)
	var eyes path
	for i := range n {
		a := 2 * math.Pi * float64(i) / n
		eyes = append(eyes, circle(-23, -131, 3.6).turn(a).move(x, y)...)
		for k := range 4 {
			d := float64(k) * 8
			eyes = append(eyes, swell(curve(-8+d, -139+d*.1, -2+d, -130, -8+d, -119), 2.6).turn(a).move(x, y)...)
		}
	}
	c.fill(unite(eyes), red)
	each(n, .5, blob(0, -142, 8, -128, 5, -112, 0, -106, -5, -112, -8, -128))
	each(n, .5, unite(swell(curve(10, -136, 17, -122, 12, -106), 4), swell(curve(-10, -136, -17, -122, -12, -106), 4)))
	c.fill(ring(x, y, 99, 3), ground)
	each(2*n, .5, blob(0, -95, 7, -84, 0, -72, -7, -84))
	each(2*n, 0, circle(0, -90, 3))
	each(n, 0, blob(0, -70, 13, -52, 10, -36, 0, -28, -10, -36, -13, -52))
	var hearts path
	for i := range n {
		hearts = append(hearts, blob(0, -62, 7, -50, 5, -41, 0, -37, -5, -41, -7, -50).turn(2*math.Pi*float64(i)/n).move(x, y)...)
	}
	c.fill(unite(hearts), red)
	each(n, .5, swell(curve(-8, -56, 0, -64, 8, -56), 3.4))
	c.fill(circle(x, y, 20), ground)
	c.fill(circle(x, y, 15), red)
	c.fill(carve(su, x-10, y-10, 20, 20, 1.7), ground)
	// A spray of clouds in the corners, cut from the same sheet.
	for _, q := range points(70, 56, 570, 56, 70, 352, 570, 352) {
		c.cloud(q.x, q.y, 20, ground, red)
	}
}

func tangram(c *canvas) {
	c.wash(upright(0, c.h, hex(0xf4efe2), hex(0xe6dcc6)))
	red, orange, yellow := hex(0xc8402f), hex(0xe58a35), hex(0xeec04a)
	green, blue, violet, teal := hex(0x5a9a6a), hex(0x2f6f9a), hex(0x7a4f8a), hex(0x3f9a9a)
	put := func(x, y, s float64, t tint, xy ...float64) {
		p := poly(xy...).size(s, s).move(x, y)
		c.fill(p.move(4, 6), hex(0x3a2a1a).alpha(.2))
		c.fill(p, linear{x, y, x + 2*s, y + 4*s, evenly(mix(t, white, .16), t)})
		c.fill(p.edges(1.6), hex(0xfdf9ee))
	}
	// The seven pieces as they lie in their square of four by four.
	const s = 62.
	x, y := 44., 76.
	put(x, y, s, red, 0, 0, 4, 0, 2, 2)
	put(x, y, s, blue, 0, 0, 2, 2, 0, 4)
	put(x, y, s, yellow, 2, 4, 4, 4, 4, 2)
	put(x, y, s, green, 4, 0, 4, 2, 3, 1)
	put(x, y, s, orange, 2, 2, 3, 1, 4, 2, 3, 3)
	put(x, y, s, violet, 1, 3, 2, 2, 3, 3)
	put(x, y, s, teal, 0, 4, 1, 3, 3, 3, 2, 4)
	// And the same seven as a boat under sail; the legs of the small triangles are the square root of two.
	const k, r = 46., math.Sqrt2
	x, y = 466., 272.
	put(x, y-4, k, red, .06, 0, .06, -2*r, 2*r+.06, 0)
	put(x, y-4, k, blue, -.06, 0, -.06, -2*r, -2*r-.06, 0)
	put(x, y-8, k, yellow, 0, -2*r, 0, -2*r-2, 2, -2*r)
	put(x-2*r*k, y, k, green, 0, 0, r, 0, r, r)
	put(x-r*k, y, k, orange, 0, 0, r, 0, r, r, 0, r)
	put(x, y, k, violet, 0, 0, r, 0, 0, r)
	put(x, y, k, teal, r, 0, 2*r, 0, r, r, 0, r)
	for i := range 3 {
		yy := 354 + 11*float64(i)
		c.fill(swell(curve(300+20*float64(i), yy, 380, yy-5, 460, yy+4, 540, yy-4, 628-14*float64(i), yy+2), 3.4), blue.alpha(.5))
	}
	c.fill(circle(350, 62, 22), hex(0xe8694a))
}

// icePlum is the pattern of plum blossoms on cracked ice, white on blue.
func icePlum(c *canvas) {
	c.wash(linear{0, 0, c.w, c.h, evenly(hex(0x3a66b4), hex(0x244a94), hex(0x17357a))})
	r := seeded(2)
	for range 80 {
		c.glow(r.Float64()*c.w, r.Float64()*c.h, 40+40*r.Float64(), mix(hex(0x12296a), hex(0x5f8ad0), r.Float64()), .4)
	}
	c.crackle(hex(0x0f2560), 44, 3.4, 5)
	c.crackle(hex(0x7aa0dc).alpha(.5), 44, 1.1, 5)
	var done []pt
	for len(done) < 26 {
		q := pt{r.Float64() * c.w, r.Float64() * c.h}
		free := true
		for _, d := range done {
			free = free && math.Hypot(d.x-q.x, d.y-q.y) > 74
		}
		if !free {
			if r.IntN(900) == 0 {
				break
			}
			continue
		}
		done = append(done, q)
		s, turn := 20+12*r.Float64(), r.Float64()*6
		for i := range 5 {
			a := turn + float64(i)*2*math.Pi/5
			c.fill(circle(q.x+math.Cos(a)*s*.62, q.y+math.Sin(a)*s*.62, s*.56), hex(0x12296a))
		}
		c.blossom(q.x, q.y, s, turn, hex(0xeaf1fb), hex(0x4a78c4))
	}
}

func luckyClouds(c *canvas) {
	c.wash(upright(0, c.h, hex(0x7f1f24), hex(0xa8302c), hex(0xc8543c)))
	gold, cream := hex(0xe2b45c), hex(0xf7e6c0)
	c.disc(320, 176, 74, hex(0xfbe6b0), hex(0xffd27a))
	for i := range 40 {
		a := 2 * math.Pi * float64(i) / 40
		c.fill(taper(points(320+88*math.Cos(a), 176+88*math.Sin(a), 320+(108+10*float64(i%2))*math.Cos(a), 176+(108+10*float64(i%2))*math.Sin(a)), 3, 1), gold.alpha(.7))
	}
	for i, q := range [][3]float64{{90, 92, 28}, {548, 84, 30}, {200, 226, 36}, {470, 240, 40}, {60, 290, 34}, {600, 320, 36}, {330, 322, 52}, {150, 384, 46}, {500, 396, 48}} {
		c.cloud(q[0], q[1], q[2], mix(cream, hex(0xe9a07a), .12*float64(i%4)), hex(0xb9822f))
	}
	c.crane(236, 120, 70, -.12)
	c.crane(420, 166, 52, -.2)
}
