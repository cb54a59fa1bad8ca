package demo

import (
	"math"
	"math/rand/v2"
)

// blade is a pointed leaf that starts at (x, y) and points along the angle.
func blade(x, y, long, wide, angle float64) path {
	p := path{append(curve(0, 0, long*.3, -wide*.5, long*.62, -wide*.36, long, 0), curve(long, 0, long*.6, wide*.42, long*.28, wide*.46, 0, 0)...)}
	return p.turn(angle).move(x, y)
}

// bamboo is a stalk from its foot at (x, y) with twigs and leaves.
func (c *canvas) bamboo(x, y, h, thick, lean float64, t tint, seed uint64) {
	r := seeded(seed)
	stalk := curve(x, y, x+lean*.25, y-h*.4, x+lean, y-h)
	const joints = 9
	type node struct {
		pt
		angle float64
	}
	var nodes []node
	for i := range joints {
		a, b := float64(i)/joints, float64(i+1)/joints
		p, _ := along(stalk, a)
		q, angle := along(stalk, b)
		w := thick * (1 - .45*a)
		side := linear{p.x - w/2, 0, p.x + w/2, 0, evenly(mix(t, soot, .25), mix(t, white, .22), t, mix(t, soot, .3))}
		gap := .018 * h / float64(joints)
		c.fill(brush(points(p.x, p.y-gap, (p.x+q.x)/2, (p.y+q.y)/2, q.x, q.y+gap*2), func(k float64) float64 {
			return w * (1 + .22*math.Pow(math.Abs(2*k-1), 6))
		}), side)
		nodes = append(nodes, node{q, angle})
	}
	for i, n := range nodes[2:] {
		if r.Float64() < .2 {
			continue
		}
		side := float64(i%2*2 - 1)
		l := h * (.1 + .1*r.Float64())
		twig := curve(n.x, n.y, n.x+side*l*.5, n.y-l*.35, n.x+side*l, n.y-l*.3)
		c.fill(taper(twig, thick*.16, thick*.06), t)
		for k := range 4 {
			q, _ := along(twig, .35+.65*float64(k)/3)
			for m := range 2 + r.IntN(3) {
				a := math.Pi/2 - side*(.95-.42*float64(m)) + (r.Float64()-.5)*.3
				c.fill(blade(q.x, q.y, h*(.075+.06*r.Float64()), thick*(.5+.2*r.Float64()), a), mix(t, soot, r.Float64()*.3))
			}
		}
	}
}

func bambooMoon(c *canvas) {
	c.wash(upright(0, c.h, hex(0x2d5a63), hex(0x5f8f8c), hex(0xa9c7b4), hex(0xd9dfc4)))
	c.disc(150, 178, 84, hex(0xfaf3d4), hex(0xfff3c4))
	far := hex(0x7fae9c)
	for i, b := range [][3]float64{{40, 600, 24}, {214, 560, -14}, {296, 610, 20}} {
		c.bamboo(b[0], c.h+10, b[1], 9, b[2], mix(far, hex(0xb9d2bd), .3*float64(i%2)), uint64(i+3))
	}
	c.mist(470, 210, hex(0xdfe8cf), .85, 4)
	for i, b := range [][3]float64{{96, 640, -30}, {262, 660, 16}} {
		c.bamboo(b[0], c.h+10, b[1], 15, b[2], mix(hex(0x3f7f62), hex(0x2a5f50), float64(i)), uint64(i+14))
	}
	c.bamboo(330, c.h+20, 720, 24, 10, hex(0x1f4a42), 31)
	c.sparrow(176, 392, 26, 1)
	c.fill(taper(curve(96, 404, 150, 410, 216, 398), 4, 1.6), hex(0x2f6553))
	c.seal(24, 580, 20)
}

// sparrow is a small bird perched at (x, y), looking to the side given as 1 or -1.
func (c *canvas) sparrow(x, y, s, side float64) {
	at := func(p path) path { return p.size(s*side, s).move(x, y) }
	c.fill(at(blob(-.5, .2, -1.25, .52, -1.3, .36, -.6, -.1)), hex(0x5b4636))
	c.fill(at(blob(-.6, .1, -.4, -.3, 0, -.52, .42, -.3, .45, .12, .1, .42, -.4, .38)), upright(y-s*.5, y+s*.4, hex(0xb9906a), hex(0xf3e8d6)))
	c.fill(at(circle(.42, -.5, .3)), hex(0x9a6a48))
	c.fill(at(blob(.3, -.38, .44, -.46, .66, -.4, .5, -.24)), hex(0xfaf4e8))
	c.fill(at(poly(.68, -.56, .96, -.46, .68, -.4)), hex(0x3a322c))
	c.fill(at(circle(.52, -.56, .055)), hex(0x1c1a18))
	c.fill(at(blob(-.75, .16, -.3, -.22, .2, -.1, .1, .2, -.3, .3)), hex(0x6d4f3a))
	c.fill(at(unite(taper(points(0, .4, .02, .62), .06, .05), taper(points(.16, .38, .2, .6), .06, .05))), hex(0x3a322c))
}

// blossom is a five-petalled flower of plum or peach.
func (c *canvas) blossom(x, y, s, angle float64, petal, heart tint) {
	for i := range 5 {
		a := angle + float64(i)*2*math.Pi/5
		cx, cy := x+math.Cos(a)*s*.55, y+math.Sin(a)*s*.55
		c.fill(oval(cx, cy, s*.5, s*.46, a), radial{x, y, s * 1.1, 1, evenly(mix(petal, heart, .55), petal, mix(petal, white, .4))})
	}
	var dots, hairs path
	for i := range 9 {
		a := angle + .3 + float64(i)*2*math.Pi/9
		hairs = append(hairs, taper(points(x, y, x+math.Cos(a)*s*.5, y+math.Sin(a)*s*.5), s*.05, s*.03)...)
		dots = append(dots, circle(x+math.Cos(a)*s*.52, y+math.Sin(a)*s*.52, s*.07)...)
	}
	c.fill(unite(hairs), mix(heart, white, .5))
	c.fill(dots, gamboge)
	c.fill(circle(x, y, s*.13), heart)
}

// bough is a knotted branch along a line; it gives the twigs that grew from it.
func (c *canvas) bough(line []pt, from, to float64, bark tint, r *rand.Rand) [][]pt {
	knots := func(t float64) float64 { return (from + (to-from)*t) * (1 + .16*math.Sin(t*31) + .1*math.Sin(t*67)) }
	c.fill(brush(line, knots), bark)
	for i := range 26 {
		q, a := along(line, r.Float64()*.92)
		w := knots(float64(i) / 26)
		c.fill(swell(points(q.x+w*.2*math.Sin(a), q.y-w*.2*math.Cos(a), q.x+8*math.Cos(a), q.y-w*.12+8*math.Sin(a), q.x+18*math.Cos(a), q.y-w*.2+18*math.Sin(a)), 1.6), mix(bark, white, .3).alpha(.45))
	}
	var twigs [][]pt
	for i := range 9 {
		q, a := along(line, .2+.085*float64(i))
		side := float64(i%2*2 - 1)
		l := (60 + 50*r.Float64()) * (1.2 - .06*float64(i))
		a += side * (.7 + .35*r.Float64())
		twig := curve(q.x, q.y, q.x+l*.5*math.Cos(a), q.y+l*.5*math.Sin(a)-6, q.x+l*math.Cos(a-side*.25), q.y+l*math.Sin(a-side*.25))
		c.fill(taper(twig, to+2.2, 1), bark)
		twigs = append(twigs, twig)
	}
	return twigs
}

func winterPlum(c *canvas) {
	c.wash(upright(0, c.h, hex(0xe3e6e4), hex(0xf2efe6), hex(0xe6e3da)))
	c.fill(circle(340, 150, 96), around(340, 150, 96, hex(0xfbf7ea), hex(0xf7efd8)))
	r := seeded(12)
	line := curve(-20, 470, 70, 390, 130, 380, 190, 300, 262, 282, 320, 200, 420, 150, 470, 60)
	twigs := c.bough(line, 34, 5, hex(0x3f332e), r)
	twigs = append(twigs, c.bough(curve(120, 384, 220, 410, 300, 396, 380, 430, 470, 420), 15, 3, hex(0x3f332e), r)...)
	// Snow lies on the upper side of the wood.
	for i := range 30 {
		q, a := along(line, float64(i)/30)
		if lattice(int32(i), 2, 9) > .45 {
			w := 12 - 8*float64(i)/30
			c.fill(swell(curve(q.x-14*math.Cos(a), q.y-14*math.Sin(a)-w, q.x, q.y-w-5, q.x+15*math.Cos(a), q.y+15*math.Sin(a)-w+1), w*.8), white.alpha(.95))
		}
	}
	for _, tw := range twigs {
		for k := range 4 {
			q, _ := along(tw, .3+.25*float64(k)+.1*r.Float64())
			s := 9 + 8*r.Float64()
			red := mix(hex(0xc22f3f), hex(0xe4607a), r.Float64())
			switch r.IntN(4) {
			case 0:
				c.fill(circle(q.x, q.y, s*.4), red)
				c.fill(circle(q.x-s*.1, q.y-s*.12, s*.14), mix(red, white, .5))
			default:
				c.blossom(q.x, q.y, s, r.Float64()*6, red, rouge)
			}
		}
	}
	for range 120 {
		x, y, s := r.Float64()*c.w, r.Float64()*c.h, .8+2.2*r.Float64()
		c.fill(circle(x, y, s), white.alpha(.5+.5*r.Float64()))
	}
	c.seal(26, 28, 24)
	c.grain(.06, 5)
}

func orchid(c *canvas) {
	c.wash(upright(0, c.h, hex(0xf6f1e4), hex(0xefe8d4)))
	c.glow(300, 240, 260, hex(0xfffdf4), .8)
	// The stone they grow from.
	stone := blob(90, 540, 110, 452, 170, 424, 226, 446, 286, 462, 330, 520, 360, 560, 340, 640, 80, 640)
	c.fill(stone, upright(420, 620, hex(0xa9b0aa), hex(0x5f6a68), hex(0x3f4a4a)))
	r := seeded(6)
	for range 60 {
		x, y := 100+230*r.Float64(), 450+170*r.Float64()
		c.fill(taper(curve(x, y, x+10*r.Float64(), y+12, x-6+12*r.Float64(), y+28), 2, .3), soot.alpha(.1+.2*r.Float64()))
	}
	c.fill(blob(118, 470, 170, 436, 230, 456, 200, 470), hex(0x7f9a6a).alpha(.6))
	leaf := func(t tint, w float64, xy ...float64) {
		c.fill(brush(curve(xy...), func(k float64) float64 {
			return w * math.Pow(math.Sin(math.Pi*min(.06+k*.94, 1)), .6) * (1 + .25*math.Sin(k*9))
		}), t)
	}
	for range 15 {
		a := -2.75 + 2.35*r.Float64()
		l := 190 + 190*r.Float64()
		droop := 60 + 130*r.Float64()
		x, y := 206+26*r.Float64(), 470.
		tip := pt{x + math.Cos(a)*l, y + math.Sin(a)*l + droop}
		mid := pt{x + math.Cos(a)*l*.52, y + math.Sin(a)*l*.66}
		leaf(mix(hex(0x2b4a3f), hex(0x6f9560), r.Float64()), 6+4*r.Float64(), x, y, (x+mid.x)/2-8*math.Cos(a), (y+mid.y)/2-10, mid.x, mid.y, tip.x, tip.y)
	}
	flower := func(x, y, s, turn float64) {
		t := hex(0xd9c9e6)
		for _, a := range []float64{-1.57, .35, 2.8} {
			c.fill(blade(x, y, s, s*.54, a+turn), linear{x, y, x + s*math.Cos(a+turn), y + s*math.Sin(a+turn), evenly(hex(0xf7f2dc), t, hex(0xa98bc0))})
		}
		for _, a := range []float64{-.75, -2.4} {
			c.fill(blade(x, y, s*.62, s*.4, a+turn), linear{x, y, x, y - s*.6, evenly(hex(0xfff9e2), hex(0xc9add8))})
		}
		c.fill(blob(x-s*.12, y, x-s*.2, y+s*.3, x, y+s*.46, x+s*.2, y+s*.3, x+s*.12, y).turn(0), hex(0xf9f3dc))
		for k := range 3 {
			c.fill(circle(x+s*(.09*float64(k)-.09), y+s*.26, s*.05), rouge)
		}
	}
	stem := curve(214, 470, 236, 380, 290, 290, 372, 236)
	c.fill(taper(stem, 4, 2), hex(0x7a9a5c))
	for i, t := range []float64{.5, .66, .82, 1} {
		q, _ := along(stem, t)
		d := pt{float64(i%2*2-1) * 18, -12}
		c.fill(taper(points(q.x, q.y, q.x+d.x, q.y+d.y), 2, 1.6), hex(0x7a9a5c))
		flower(q.x+d.x, q.y+d.y, 40-3*float64(i), .4*float64(i%2*2-1))
	}
	c.butterfly(120, 150, 44, -.5, hex(0xe9a13b), hex(0x3b2c2a))
	c.butterfly(60, 250, 24, .6, hex(0x9fc3d9), hex(0x31485c))
	c.seal(410, 560, 26)
}

func (c *canvas) butterfly(x, y, s, turn float64, wing, line tint) {
	for _, side := range []float64{-1, 1} {
		at := func(p path) path { return p.size(s*side, s).turn(turn).move(x, y) }
		up := at(blob(.04, -.1, .3, -.62, .82, -.86, 1, -.6, .74, -.16, .3, .02))
		low := at(blob(.05, 0, .4, .06, .74, .26, .62, .62, .34, .66, .12, .3))
		for _, w := range []path{low, up} {
			c.fill(w, radial{x, y, s * 1.15, 1, evenly(mix(wing, white, .5), wing, wing, line)})
			c.fill(w.edges(s*.035), line)
		}
		for _, k := range []float64{-.35, -.6, -.85} {
			c.fill(at(taper(curve(.08, -.1, .4, k*.7, .85, k), .03, .01)), line.alpha(.8))
		}
		c.fill(at(unite(circle(.84, -.68, .05), circle(.9, -.54, .04), circle(.52, .5, .05))), hex(0xfff7e4))
		c.fill(at(taper(curve(.02, -.3, .14, -.6, .3, -.78), .03, .02)), line)
	}
	c.fill(swell(path{curve(0, -s*.4, 0, 0, 0, s*.55)}.turn(turn).move(x, y)[0], s*.13), line)
}

func chrysanthemum(c *canvas) {
	c.wash(linear{0, 0, c.w, c.h, evenly(hex(0xefe2c4), hex(0xf5ecd8), hex(0xe0cfa8))})
	c.fill(circle(250, 210, 168), hex(0xf9f2e0).alpha(.8))
	r := seeded(4)
	leafy := func(x, y, s, a float64) {
		out := []pt{}
		for i := range 33 {
			t := 2 * math.Pi * float64(i) / 32
			d := s * (.56 + .2*math.Cos(t) + .13*math.Sin(t*5+.4)*math.Abs(math.Sin(t/2)))
			out = append(out, pt{d*math.Cos(t) + s*.5, d * math.Sin(t) * .72})
		}
		p := path{out}.turn(a).move(x, y)
		t := mix(hex(0x3d5f45), hex(0x6c8a54), r.Float64())
		c.fill(p, t)
		tip := pt{x + s*1.15*math.Cos(a), y + s*1.15*math.Sin(a)}
		c.fill(taper(points(x, y, tip.x, tip.y), 2, .5), mix(t, white, .4))
		for _, k := range []float64{.35, .6} {
			for _, side := range []float64{-.7, .7} {
				c.fill(taper(points(x+s*k*math.Cos(a), y+s*k*math.Sin(a), x+s*k*math.Cos(a)+s*.4*math.Cos(a+side), y+s*k*math.Sin(a)+s*.4*math.Sin(a+side)), 1.2, .3), mix(t, white, .35))
			}
		}
	}
	stems := [][]pt{curve(230, 520, 236, 420, 200, 300, 190, 210), curve(250, 520, 290, 430, 340, 360, 356, 310), curve(240, 520, 190, 470, 130, 420, 110, 380)}
	for _, s := range stems {
		c.fill(taper(s, 7, 5), hex(0x5a7248))
		for k := range 5 {
			q, a := along(s, .12+.17*float64(k))
			leafy(q.x, q.y, 36+16*r.Float64(), a+float64(k%2*2-1)*(1.1+.4*r.Float64()))
		}
	}
	flower := func(x, y, s float64, outer, inner tint) {
		for layer := range 7 {
			k := float64(layer) / 6
			n := 26 - 2*layer
			d := s * (1 - .8*k)
			t := mix(outer, inner, k)
			for i := range n {
				a := 2*math.Pi*float64(i)/float64(n) + k*2.6 + .12*r.Float64()
				bend := .34 + .16*math.Sin(a*3+k*4)
				l := d * (.88 + .2*r.Float64())
				mid := pt{x + l*.55*math.Cos(a), y + l*.55*math.Sin(a)}
				tip := pt{x + l*math.Cos(a+bend), y + l*math.Sin(a+bend)}
				petal := brush(curve(x, y, mid.x, mid.y, tip.x, tip.y), func(t float64) float64 {
					return s * .17 * math.Pow(t, .6) * math.Sqrt(max(1.04-t*t*.72, 0))
				})
				c.fill(petal.move(s*.012, s*.018), mix(t, ochre, .55).alpha(.6))
				c.fill(petal, linear{x, y, tip.x, tip.y, evenly(mix(t, ochre, .45), t, mix(t, white, .3))})
			}
		}
		c.glow(x, y, s*.3, hex(0xb86a1f), .5)
	}
	flower(110, 376, 62, hex(0xf3ead4), hex(0xf0d58a))
	flower(358, 312, 86, hex(0xe9b44c), hex(0xc9741e))
	flower(188, 196, 112, hex(0xf4cf52), hex(0xd9891f))
	c.seal(444, 26, 24)
	c.grain(.05, 8)
}

// ginkgoLeaf is a fan on a stalk.
func ginkgoLeaf(s, turn, x, y float64) path {
	var rim []pt
	for i := range 29 {
		t := float64(i) / 28
		a := -math.Pi/2 + (t-.5)*2.5
		d := s * (1 + .05*math.Sin(t*29) - .34*math.Exp(-math.Pow((t-.5)*26, 2)))
		rim = append(rim, pt{d * math.Cos(a), d * math.Sin(a)})
	}
	last := rim[len(rim)-1]
	rim = append(rim, curve(last.x, last.y, s*.34, -s*.16, 0, 0, -s*.34, -s*.16, rim[0].x, rim[0].y)[1:]...)
	return path{rim}.turn(turn).move(x, y)
}

func (c *canvas) ginkgo(x, y, s, turn float64, t tint) {
	leaf := ginkgoLeaf(s, turn, x, y)
	c.fill(taper(path{curve(0, 0, s*.06, s*.4, -s*.02, s*.75)}.turn(turn).move(x, y)[0], s*.06, s*.04), mix(t, ochre, .3))
	c.fill(leaf, radial{x, y, s * 1.05, 1, evenly(mix(t, hex(0xb7c45a), .45), t, mix(t, hex(0xfff0a8), .4))})
	for i := range 9 {
		a := turn - math.Pi/2 + (float64(i)-4)*.27
		if i == 4 {
			continue
		}
		c.fill(taper(points(x, y, x+s*.9*math.Cos(a), y+s*.9*math.Sin(a)), s*.022, .3), mix(t, ochre, .35).alpha(.5))
	}
}

func ginkgoFall(c *canvas) {
	c.wash(linear{0, 0, 200, c.h, evenly(hex(0xdfe8e4), hex(0xf5f0dd), hex(0xf8e6b8))})
	c.glow(470, 90, 260, hex(0xfff6d8), .9)
	r := seeded(19)
	for range 26 {
		x, y := r.Float64()*c.w, r.Float64()*c.h
		c.fill(ginkgoLeaf(14+16*r.Float64(), r.Float64()*6.3, x, y), hex(0xeccf74).alpha(.25+.2*r.Float64()))
	}
	gold := func() tint { return mix(hex(0xe0a21c), hex(0xf6cf4a), r.Float64()) }
	for _, line := range [][]pt{curve(-20, 40, 120, 70, 260, 56, 420, 104), curve(120, 68, 190, 120, 250, 180), curve(660, 10, 560, 40, 470, 34, 400, 60)} {
		c.fill(taper(line, 12, 3), hex(0x5f4a3a))
		for range 26 {
			q, _ := along(line, r.Float64())
			c.ginkgo(q.x+(r.Float64()-.5)*50, q.y+10+30*r.Float64(), 19+10*r.Float64(), math.Pi+(r.Float64()-.5)*1.5, gold())
		}
	}
	for range 20 {
		c.ginkgo(r.Float64()*c.w, 170+150*r.Float64(), 15+12*r.Float64(), r.Float64()*6.3, gold())
	}
	for i := range 110 {
		c.ginkgo(r.Float64()*c.w, 368+float64(i)*.36, 14+9*r.Float64(), r.Float64()*6.3, mix(gold(), ochre, .25*r.Float64()))
	}
	c.seal(598, 320, 20)
}

// mapleLeaf has seven lobes.
func mapleLeaf(s, turn, x, y float64) path {
	lobes := [][2]float64{{-2.35, .5}, {-1.62, .82}, {-.82, .95}, {0, 1.08}, {.82, .95}, {1.62, .82}, {2.35, .5}}
	out := []pt{{0, s * .12}}
	for i, l := range lobes {
		a := l[0] - math.Pi/2
		at := func(d, da float64) pt { return pt{s * d * math.Cos(a+da), s * d * math.Sin(a+da)} }
		out = append(out, at(l[1]*.56, -.24), at(l[1]*.62, -.15), at(l[1]*.8, -.13), at(l[1], 0), at(l[1]*.8, .13), at(l[1]*.62, .15), at(l[1]*.56, .24))
		if i < len(lobes)-1 {
			m := (l[0]+lobes[i+1][0])/2 - math.Pi/2
			out = append(out, pt{s * .3 * math.Cos(m), s * .3 * math.Sin(m)})
		}
	}
	return path{out}.turn(turn).move(x, y)
}

func (c *canvas) maple(x, y, s, turn float64, t tint) {
	c.fill(taper(path{curve(0, 0, s*.05, s*.4, -s*.05, s*.8)}.turn(turn).move(x, y)[0], s*.05, s*.03), mix(t, soot, .3))
	c.fill(mapleLeaf(s, turn, x, y), radial{x, y, s, 1, evenly(mix(t, gamboge, .35), t, mix(t, soot, .15))})
	for _, a := range []float64{-1.62, -.82, 0, .82, 1.62} {
		b := turn + a - math.Pi/2
		c.fill(taper(points(x, y, x+s*.78*math.Cos(b), y+s*.78*math.Sin(b)), s*.025, .3), mix(t, hex(0xffe0b0), .5).alpha(.6))
	}
}

func redLeaves(c *canvas) {
	c.wash(linear{c.w, 0, 0, c.h, evenly(hex(0xfbe9c6), hex(0xf1c894), hex(0xc98a62), hex(0x7a5048))})
	c.glow(520, 40, 330, hex(0xfff3d0), .9)
	r := seeded(8)
	for range 60 {
		x, y, s := r.Float64()*c.w, r.Float64()*c.h, 8+30*r.Float64()
		c.fill(circle(x, y, s), mix(hex(0xf5a24a), hex(0xc9402a), r.Float64()).alpha(.1+.1*r.Float64()))
	}
	red := func() tint {
		return []tint{hex(0xc8321f), hex(0xe0562a), hex(0xa8201f), hex(0xee8a34)}[r.IntN(4)]
	}
	for range 44 {
		c.maple(r.Float64()*c.w, r.Float64()*300, 12+10*r.Float64(), r.Float64()*6.3, mix(red(), hex(0xf3c08a), .5))
	}
	for _, line := range [][]pt{curve(-20, 150, 100, 120, 220, 140, 330, 96, 450, 120), curve(180, 134, 260, 190, 340, 206, 420, 260), curve(-20, 300, 80, 290, 170, 330, 250, 322)} {
		c.fill(taper(line, 11, 2.4), hex(0x3f2a28))
		for range 22 {
			q, _ := along(line, r.Float64())
			c.maple(q.x+(r.Float64()-.5)*90, q.y+(r.Float64()-.45)*90, 22+20*r.Float64(), math.Pi+(r.Float64()-.5)*2.6, red())
		}
	}
	c.seal(604, 340, 20)
	c.grain(.05, 30)
}

// needles is a pad of pine needles.
func (c *canvas) needles(x, y, s float64, t tint, r *rand.Rand) {
	c.fill(oval(x, y-s*.1, s, s*.3, 0), mix(t, soot, .25).alpha(.75))
	for row := range 3 {
		k := mix(mix(t, soot, .2), hex(0x9cbf7a), float64(row)*.24)
		var fan path
		for i := range 9 {
			fx, fy := x+(float64(i)-4)*s*.22, y-s*.08*float64(row)-s*.05*r.Float64()
			for j := range 9 {
				a := -math.Pi/2 + (float64(j)-4)*.33 + .1*r.Float64()
				l := s * (.2 + .07*r.Float64()) * (1 - .03*math.Abs(float64(i)-4))
				fan = append(fan, taper(points(fx, fy, fx+l*math.Cos(a), fy+l*math.Sin(a)), s*.028, .3)...)
			}
		}
		c.fill(unite(fan), k)
	}
}

// crane is a crane on the wing, heading to the right.
func (c *canvas) crane(x, y, s, turn float64) {
	at := func(p path) path { return p.size(s, s).turn(turn).move(x, y) }
	feather := hex(0xfbfaf4)
	for _, far := range []float64{1, 0} {
		t := mix(feather, hex(0xaab6ba), far*.5)
		dx := .1 * far
		wing := at(path{append(curve(.12+dx, -.02, .02+dx, -.5, -.3+dx, -.92, -.62+dx*2, -1.1), curve(-.62+dx*2, -1.1, -.7, -.72, -.5, -.3, -.26, .02)...)})
		c.fill(wing, t)
		for k := range 6 {
			f := float64(k)
			c.fill(at(taper(curve(-.3-.05*f+dx, -.74-.05*f, -.5-.05*f+dx, -.6-.06*f, -.72-.03*f+dx, -.42-.1*f), .1, .02)), mix(soot, t, .1*far))
		}
	}
	c.fill(at(blob(-.5, .1, -.2, -.06, .2, -.08, .38, 0, .2, .12, -.2, .16)), feather)
	c.fill(at(taper(curve(.3, .02, .52, -.06, .7, -.18, .92, -.2), .13, .05)), feather)
	c.fill(at(taper(curve(.56, -.07, .72, -.18, .9, -.19), .05, .04)), soot)
	c.fill(at(oval(.95, -.21, .075, .05, 0)), feather)
	c.fill(at(oval(.95, -.245, .05, .025, 0)), cinnabar)
	c.fill(at(taper(points(1, -.2, 1.22, -.17), .05, .005)), hex(0x7a6a4a))
	c.fill(at(unite(taper(curve(-.46, .1, -.8, .16, -1.16, .14), .03, .02), taper(curve(-.46, .12, -.8, .2, -1.12, .2), .03, .02))), hex(0x4a4640))
	c.fill(at(blob(-.4, .04, -.66, .1, -.7, .2, -.4, .16)), soot)
}

func oldPine(c *canvas) {
	c.wash(upright(0, c.h, hex(0xa9c6cc), hex(0xdbe6dd), hex(0xf7ecd4)))
	c.disc(150, 130, 40, hex(0xe9573c), hex(0xffc9a0))
	for i, t := range []tint{hex(0xb4cbcb), hex(0x8fb0b0), hex(0x6d9797)} {
		k := float64(i)
		top := massif(c.w, 470+40*k, .5, uint32(4+i), peak{60 + 60*k, 130 - 10*k, 60, 1.5}, peak{330 - 70*k, 170 - 20*k, 64, 1.5}, peak{460, 120, 60, 1.5})
		c.hills(top, 150, t, mix(t, hex(0xf4efe0), .8), hex(0xf4efe0).alpha(.4))
		c.mist(460+46*k, 90, hex(0xfbf8ee), .95, uint32(i+2))
	}
	cliff := append(curve(500, 330, 440, 350, 410, 392, 372, 410, 392, 452, 352, 500, 370, 560, 330, 660), pt{500, 660})
	c.fill(path{cliff}, linear{330, 0, 500, 0, evenly(hex(0x7d8a86), hex(0x4a5a5a), hex(0x35454a))})
	r := seeded(3)
	for range 90 {
		x, y := 372+110*r.Float64(), 350+290*r.Float64()
		c.fill(taper(curve(x, y, x-4, y+14, x+(r.Float64()-.5)*14, y+30), 2.2, .3), soot.alpha(.12+.2*r.Float64()))
	}
	bark := hex(0x5a4034)
	trunk := curve(432, 372, 372, 330, 330, 340, 290, 290, 300, 236, 250, 200, 196, 196)
	for _, b := range [][]pt{curve(320, 336, 250, 352, 196, 340, 130, 352), curve(296, 252, 350, 214, 400, 206, 440, 176), curve(280, 226, 270, 170, 300, 120), curve(216, 197, 150, 226, 110, 220)} {
		c.fill(taper(b, 12, 3.5), bark)
	}
	c.fill(brush(trunk, func(t float64) float64 { return (32 - 24*t) * (1 + .1*math.Sin(t*40)) }), bark)
	for i := range 40 {
		q, a := along(trunk, float64(i)/42)
		w := 11 - 8*float64(i)/42
		c.fill(arcPatch(q.x+(r.Float64()-.5)*w, q.y+(r.Float64()-.5)*w, w*.45, a), mix(bark, hex(0xd0a584), .4).alpha(.6))
	}
	green := hex(0x2f5f4a)
	for _, n := range [][3]float64{{130, 346, 62}, {200, 330, 56}, {258, 340, 40}, {96, 214, 50}, {160, 196, 58}, {226, 182, 60}, {300, 112, 62}, {254, 138, 46},
		{350, 204, 54}, {410, 186, 60}, {448, 164, 44}, {356, 320, 40}, {300, 268, 40}} {
		c.needles(n[0], n[1], n[2], green, r)
	}
	c.crane(180, 470, 62, -.16)
	c.crane(84, 540, 42, -.1)
	c.crane(330, 420, 34, -.2)
	c.mist(590, 120, hex(0xfbf8ee), .9, 9)
	c.seal(26, 26, 24)
}

// arcPatch is one scale of pine bark.
func arcPatch(x, y, s, a float64) path {
	return stroke(arc(x, y, s, s, a-1.2, a+1.2), 1.2)
}

func peony(c *canvas) {
	c.wash(around(250, 240, 420, hex(0xf8efe2), hex(0xecdccb), hex(0xc9b3a8)))
	r := seeded(21)
	leaf := func(x, y, s, a float64) {
		for _, d := range []float64{-.62, .62, 0} {
			b := a + d
			p := blade(x, y, s*(1-.2*math.Abs(d)), s*.44, b)
			t := mix(hex(0x2f5a48), hex(0x6a8f5a), r.Float64())
			c.fill(p, linear{x, y, x + s*math.Cos(b), y + s*math.Sin(b), evenly(mix(t, soot, .25), t, mix(t, hex(0xdbe6a8), .35))})
			c.fill(taper(points(x, y, x+s*.92*math.Cos(b), y+s*.92*math.Sin(b)), 1.6, .4), hex(0xd9e2b0).alpha(.7))
		}
	}
	for _, s := range [][]pt{curve(250, 520, 256, 430, 240, 300), curve(300, 520, 360, 450, 400, 400), curve(200, 520, 130, 470, 96, 420)} {
		c.fill(taper(s, 8, 6), hex(0x6a7a4a))
	}
	for _, l := range [][4]float64{{120, 330, 110, 2.6}, {380, 320, 120, .5}, {150, 400, 120, 2.2}, {330, 420, 110, 1.1}, {90, 230, 90, 3.4}, {400, 200, 90, -.3}, {210, 440, 100, 1.9}, {420, 450, 70, .6}, {70, 450, 70, 2.5}} {
		leaf(l[0], l[1], l[2], l[3])
	}
	flower := func(x, y, s float64, outer, inner tint) {
		for layer := range 6 {
			k := float64(layer) / 5
			n := 9 - layer/2
			d := s * (1 - .76*k)
			for i := range n {
				a := 2*math.Pi*float64(i)/float64(n) + k*1.7 + .2*r.Float64()
				w := d * (.5 + .1*r.Float64())
				var rim []pt
				for j := range 17 {
					u := -1 + float64(j)/8
					wave := 1 + .035*math.Sin(u*9+a*5) - .1*math.Exp(-math.Pow(u*4, 2))
					rim = append(rim, pt{d * wave * math.Sqrt(1.02-u*u*.86), w * u * (1.1 + .3*(1-u*u))})
				}
				p := path{append([]pt{{0, 0}}, rim...)}.turn(a).move(x, y+s*.1*k)
				t := mix(outer, inner, k)
				c.fill(p.move(1.5, 3), mix(t, rouge, .7).alpha(.35))
				c.fill(p, radial{x, y, d * 1.05, 1, evenly(mix(t, rouge, .6), mix(t, rouge, .2), t, mix(t, white, .55))})
			}
		}
		for range 30 {
			a, d := r.Float64()*6.3, s*.17*math.Sqrt(r.Float64())
			c.fill(circle(x+d*math.Cos(a), y+s*.1+d*math.Sin(a), s*.02), mix(gamboge, white, r.Float64()*.5))
		}
	}
	flower(96, 404, 62, hex(0xf2c9cf), hex(0xe08fa0))
	flower(404, 392, 74, hex(0xf6e3da), hex(0xeab0a8))
	flower(246, 220, 146, hex(0xe68ba0), hex(0xc94468))
	c.butterfly(408, 92, 40, .5, hex(0xf0c04a), hex(0x3b2c2a))
	c.seal(28, 30, 24)
	c.grain(.05, 17)
}
