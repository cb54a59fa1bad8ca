package demo

import "math"

// Scenes that move take the time as a part of their round, 0 to 1, and look the same at 0 and 1 unless they say otherwise.

// rise is where a thing among n in a column stands after a part of the round: when all have moved up one place, the round is closed.
func rise(i, n int, at float64) float64 { return math.Mod(float64(i)/float64(n)+at/float64(n), 1) }

func skyLanterns(c *canvas, at float64) {
	const shore = 312
	c.wash(upright(0, shore, hex(0x0d1536), hex(0x23285c), hex(0x5a3f74), hex(0xb56a6c)))
	c.stars(90, 220, 5)
	for i, t := range []tint{hex(0x4a3a66), hex(0x2c2648), hex(0x191730)} {
		k := float64(i)
		top := skyline(c.w, shore-18+10*k, 92-18*k, 150, uint32(i*4+71))
		c.hills(top, 90, t, mix(t, hex(0xb56a6c), .35-.1*k))
	}
	for col := range 13 {
		near := lattice(int32(col), 1, 8)
		x := 24 + 49.5*float64(col) + 22*(lattice(int32(col), 2, 8)-.5)
		size := 6 + 15*near*near
		n := 3 + int(2*(1-near))
		start := lattice(int32(col), 3, 8)
		for i := range n {
			up := math.Mod(rise(i, n, at)+start, 1)
			y := shore - 4 - up*(shore+50)
			sway := 5 * math.Sin(2*math.Pi*(up*2+start))
			glow := min(1, 2.4*math.Sin(math.Pi*min(up*1.04, 1))+.2)
			// Over the far bank a lantern is just being lit: it grows out of nothing.
			c.skyLantern(x+sway, y-size, size*min(1, up/.12), .03*sway, glow)
		}
	}
	c.flip(shore, c.h-shore, 5, hex(0x1a1a3c), .3, .72)
	c.fill(rect(0, shore-.6, c.w, 1.2), hex(0xe9a98a).alpha(.5))
	c.ripples(shore+4, c.h, 60, hex(0xffc890).alpha(.35), 4)
	ground := skyline(c.w, c.h-2, 34, 260, 23)
	c.hills(ground, 30, hex(0x0d0d20), hex(0x080814))
	c.pavilion(540, ground(540)+4, 50, hex(0x0c0c1e), hex(0x0c0c1e))
	// Two people have just let one go.
	for _, x := range []float64{150, 172} {
		y := ground(x) + 2
		c.fill(blob(x-6, y, x-5, y-18, x, y-24, x+5, y-18, x+6, y), hex(0x0c0c1e))
		c.fill(circle(x, y-27, 4.4), hex(0x0c0c1e))
		c.fill(taper(points(x, y-18, 161, y-34), 3, 2), hex(0x0c0c1e))
	}
	c.skyLantern(161, ground(161)-44-3*math.Sin(2*math.Pi*at), 15, 0, 1)
}

func (c *canvas) skyLantern(x, y, s, turn, glow float64) {
	c.glow(x, y, s*3.2, hex(0xff9a3c), .5*glow)
	body := blob(-.62, .8, -.86, -.3, -.7, -1, 0, -1.2, .7, -1, .86, -.3, .62, .8, 0, .86).size(s, s*1.1).turn(turn).move(x, y)
	c.fill(body, upright(y-s*1.2, y+s, hex(0xd9622c), hex(0xf58a35), hex(0xffc560), hex(0xfff0b8)))
	if s > 9 {
		c.fill(unite(taper(curve(-.3, -1, -.42, -.2, -.3, .8), .04, .04), taper(curve(.3, -1, .42, -.2, .3, .8), .04, .04)).size(s, s*1.1).turn(turn).move(x, y), hex(0xb8501f).alpha(.5))
	}
	c.fill(oval(x, y+s*.86, s*.52, s*.12, 0), hex(0xfffbe0))
}

func snowNight(c *canvas, at float64) {
	c.wash(upright(0, 300, hex(0x18233f), hex(0x33456b), hex(0x7a86a6)))
	c.disc(120, 84, 30, hex(0xf9f3dc), hex(0xd5def6))
	for i, t := range []tint{hex(0x6d7da3), hex(0x8f9dbd), hex(0xb5c0d9)} {
		k := float64(i)
		top := skyline(c.w, 230+28*k, 110-20*k, 150, uint32(i*4+15))
		c.hills(top, 100, mix(t, white, .35), t)
		c.firs(top, 26, 12, 22+14*k, mix(hex(0x3a4a70), t, .3), uint64(i+1))
	}
	floor := sampled(c.w, func(x float64) float64 { return 322 + 12*math.Sin(x/90+.5) })
	c.hills(floor, 80, hex(0xf7f9fd), hex(0xc3cde3))
	// The house, its roof under a quilt of snow, and its light on the ground.
	x, y := 410., 330.
	c.fill(rect(x-84, y-78, 168, 78), upright(y-78, y, hex(0x7a5a4a), hex(0x54392f)))
	for i := range 12 {
		c.fill(rect(x-84+14*float64(i), y-78, 1.4, 78), hex(0x3a2620).alpha(.6))
	}
	for _, wx := range []float64{x - 58, x + 22} {
		c.glow(wx+18, y-38, 66, hex(0xffb04a), .65)
		c.fill(rect(wx, y-56, 36, 34), upright(y-56, y-22, hex(0xffe7a8), hex(0xf7ac4c)))
		c.fill(unite(rect(wx+11, y-56, 2, 34), rect(wx+23, y-56, 2, 34), rect(wx, y-45, 36, 2), rect(wx, y-34, 36, 2)), hex(0x4a3024))
	}
	c.fill(path{append(curve(x-116, y-70, x-60, y-98, x, y-138, x+60, y-98, x+116, y-70), pt{x + 96, y - 68}, pt{x - 96, y - 68})}, hex(0x3a3340))
	c.fill(blob(x-118, y-72, x-60, y-106, x-20, y-132, x, y-146, x+24, y-130, x+62, y-106, x+118, y-72, x+92, y-76, x+60, y-84, x+34, y-92, x, y-100, x-34, y-90, x-62, y-84, x-92, y-76), upright(y-146, y-70, white, hex(0xccd6ea)))
	c.fill(rect(x+52, y-150, 18, 40), hex(0x5a4038))
	c.fill(oval(x+61, y-150, 12, 5, 0), white)
	for i := range 4 {
		k := math.Mod(float64(i)/4+at/4, 1)
		c.fill(circle(x+62+18*k+4*math.Sin(k*9), y-158-60*k, 5+12*k), hex(0xdfe6f2).alpha(.4*(1-k)))
	}
	c.fill(oval(x-40, y+16, 60, 8, 0), hex(0xffd890).alpha(.4))
	c.fill(oval(x+40, y+18, 60, 8, 0), hex(0xffd890).alpha(.4))
	r := seeded(4)
	for i, q := range points(60, 372, 150, 352, 250, 366, 560, 356, 610, 376) {
		h := 96 + 30*float64(i%3)
		c.fill(fir(q.x, q.y, h, r.Float64), hex(0x1f3350))
		c.fill(fir(q.x-2, q.y-h*.16, h*.86, r.Float64).size(.86, 1).move(q.x*.14, 0), white.alpha(.35))
	}
	lantern := [2]float64{x + 4, y - 66}
	c.lantern(lantern[0], lantern[1], 9, .06*math.Sin(2*math.Pi*at), .7)
	for col := range 64 {
		u, v, z := lattice(int32(col), 1, 3), lattice(int32(col), 2, 3), lattice(int32(col), 3, 3)
		for i := range 2 {
			down := math.Mod(rise(i, 2, at)+v, 1)
			c.fill(circle(u*c.w+10*math.Sin(2*math.Pi*(down*2+z)), down*(c.h+20)-10, 1.6+3.2*z*z), white.alpha(.5+.5*z))
		}
	}
}

func fireworks(c *canvas, at float64) {
	const shore = 300
	c.wash(upright(0, shore, hex(0x0a1030), hex(0x1a1f4f), hex(0x43306a)))
	c.stars(70, 240, 6)
	far := skyline(c.w, 292, 60, 160, 44)
	c.hills(far, 60, hex(0x1c1b42), hex(0x2c2452))
	bursts := []struct {
		x, y, r, phase float64
		t              tint
	}{{170, 120, 104, 0, hex(0xff6a5a)}, {430, 92, 120, .34, hex(0xffd25a)}, {300, 170, 84, .62, hex(0x6ad0c0)}, {552, 168, 76, .8, hex(0xf07ac0)}, {70, 190, 64, .5, hex(0x8ab4ff)}}
	for n, b := range bursts {
		p := math.Mod(at+1-b.phase, 1)
		if p < .16 {
			y := shore - (shore-b.y)*(p/.16)
			c.fill(taper(points(b.x, y+46, b.x, y), .4, 2.6), hex(0xffe2a8))
			continue
		}
		p = (p - .16) / .84
		grow, fade := 1-math.Pow(1-p, 3), math.Pow(1-p, .7)
		c.glow(b.x, b.y, b.r*1.5, b.t, .5*fade)
		for ring := range 3 {
			count := 12 + 8*ring
			for i := range count {
				a := 2*math.Pi*float64(i)/float64(count) + .13*float64(ring) + float64(n)
				d := b.r * grow * (.4 + .3*float64(ring)) * (.94 + .12*lattice(int32(i), int32(ring), uint32(n)))
				from := d * (.62 + .3*p)
				drop := 26 * p * p
				t := mix(b.t, []tint{white, hex(0xfff0b0), b.t}[ring], .45)
				c.fill(taper(points(b.x+from*math.Cos(a), b.y+from*math.Sin(a)+drop*.7, b.x+d*math.Cos(a), b.y+d*math.Sin(a)+drop), .5, 3.4), t.alpha(fade))
				c.fill(circle(b.x+d*math.Cos(a), b.y+d*math.Sin(a)+drop, 2.5), white.alpha(fade*.9))
			}
		}
	}
	// The gate tower on the far bank.
	x, t := 320., hex(0x120f2a)
	c.fill(poly(x-130, shore, x-118, shore-46, x+118, shore-46, x+130, shore), t)
	c.fill(path{append(arc(x, shore-14, 20, 20, math.Pi, 2*math.Pi), pt{x + 20, shore}, pt{x - 20, shore})}, hex(0xffb45a))
	for i, w := range []float64{96, 70} {
		y := shore - 46 - 34*float64(i)
		c.fill(rect(x-w*.8, y-22, w*1.6, 22), hex(0x1d1738))
		for k := range 7 {
			c.fill(rect(x-w*.7+w*.22*float64(k), y-18, w*.1, 13), hex(0xffc46a))
		}
		c.fill(path{append(curve(x-w*.86, y-36, x-w*.96, y-26, x-w*1.2, y-20), append(curve(x+w*1.2, y-20, x+w*.96, y-26, x+w*.86, y-36), pt{x - w*.86, y - 36})...)}, t)
	}
	c.fill(rect(0, shore-2, c.w, 4), hex(0x0b0a1c))
	c.flip(shore, c.h-shore, 6, hex(0x0c1030), .3, .75)
	c.ripples(shore+4, c.h, 60, hex(0xffd9a0).alpha(.3), 7)
	c.boat(500, 366, 52, hex(0x07060f), tint{})
	c.lantern(526, 346, 4, 0, .9)
}

func fireflies(c *canvas, at float64) {
	c.wash(upright(0, c.h, hex(0x0c1c30), hex(0x173a48), hex(0x24564e), hex(0x10302c)))
	c.stars(60, 150, 15)
	c.disc(500, 84, 34, hex(0xf6efcf), hex(0xcfe6d6))
	for i, t := range []tint{hex(0x1f4a52), hex(0x173a40)} {
		top := skyline(c.w, 236+12*float64(i), 90-10*float64(i), 150, uint32(i+61))
		c.hills(top, 70, t, mix(t, hex(0x5f8f84), .4))
	}
	c.mist(238, 46, hex(0x9fc4b4), .4, 4)
	c.band(246, c.h, upright(246, c.h, hex(0x3a6a66), hex(0x0c2426)))
	c.flip(246, 90, 5, hex(0x153a3c), .3, .85)
	c.ripples(250, c.h, 60, hex(0xd9efd8).alpha(.3), 12)
	for i, l := range [][4]float64{{120, 344, 60, 1}, {230, 372, 72, 2}, {420, 356, 64, 3}, {540, 384, 76, 4}, {330, 330, 40, 5}} {
		c.lotusLeaf(l[0], l[1], l[2], .3, hex(0x24604a), uint64(i+1))
	}
	c.lotus(250, 350, 40)
	c.reeds(-10, 130, c.h+6, 44, hex(0x081a1a), 3)
	c.reeds(520, 650, c.h+6, 44, hex(0x081a1a), 4)
	for i := range 26 {
		u, v, w := lattice(int32(i), 1, 6), lattice(int32(i), 2, 6), lattice(int32(i), 3, 6)
		a := 2 * math.Pi * (at + w)
		x := u*c.w + 22*math.Sin(a) + 8*math.Sin(2*a+u*9)
		y := 150 + 210*v + 14*math.Cos(a+v*5)
		lit := .35 + .65*math.Pow(math.Sin(math.Pi*(at+w+u)), 2)
		c.glow(x, y, 13+9*v, hex(0xd9f56a), .75*lit)
		c.fill(circle(x, y, 2+1.4*v), hex(0xfbffcf).alpha(lit))
	}
}
