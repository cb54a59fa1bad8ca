package demo

import (
	"math"
)

func clayTeapot(c *canvas) {
	c.table(258, hex(0xe6ddc8), hex(0xd3c4a4), hex(0x6a4a34), hex(0x3f2a1e))
	c.glow(170, 70, 330, hex(0xfffaf0), .8)
	for i, x := range []float64{470, 508, 546, 584} {
		c.bamboo(x, 262, 280, 6, 10-6*float64(i), hex(0xaebd92).alpha(.8), uint64(i+2))
	}
	c.band(258, c.h, upright(258, c.h, hex(0x6a4a34), hex(0x3f2a1e)))
	// A tray of bamboo slats.
	c.shadow(330, 372, 330, 30, .6)
	c.fill(rounded(70, 322, 520, 52, 8), upright(322, 374, hex(0xd9b27a), hex(0x9a7040)))
	for x := 84.; x < 580; x += 17 {
		c.fill(rounded(x, 328, 12, 24, 2), upright(328, 352, hex(0x7a5630), hex(0xc99c62)))
	}
	c.shadow(280, 346, 170, 18, .7)
	clay, deep := hex(0x9a5238), hex(0x3a160e)
	spout := path{append(curve(382, 262, 420, 250, 440, 214, 470, 178), curve(486, 182, 466, 224, 448, 272, 386, 300)...)}
	c.fill(spout, linear{400, 210, 450, 260, evenly(mix(clay, white, .25), clay, mix(clay, deep, .6))})
	handle := curve(172, 220, 120, 196, 84, 226, 92, 276, 130, 308, 176, 300)
	c.fill(brush(handle, func(t float64) float64 { return 20 - 6*math.Sin(math.Pi*t) }), linear{90, 200, 120, 300, evenly(mix(clay, white, .25), clay, mix(clay, deep, .6))})
	body, half := profile(275, 196, 62, 204, 84, 232, 114, 266, 122, 304, 106, 332, 74, 340, 70, 346, 72)
	c.fill(body, clay)
	c.fill(body, glaze(275, half, deep))
	lid, lidHalf := profile(275, 172, 14, 178, 40, 188, 58, 196, 66, 202, 64)
	c.fill(lid, mix(clay, white, .05))
	c.fill(lid, glaze(275, lidHalf, deep))
	knob, knobHalf := profile(275, 142, 4, 147, 15, 158, 18, 168, 11, 175, 12)
	c.fill(knob, clay)
	c.fill(knob, glaze(275, knobHalf, deep))
	c.fill(swell(points(212, 203, 275, 206, 338, 203), 2.4), deep.alpha(.6))
	// A spray of bamboo is cut into the side.
	c.fill(unite(taper(curve(250, 306, 262, 270, 258, 236), 2.6, 1.6), taper(curve(260, 262, 290, 252, 306, 256), 1.8, 1)), mix(clay, deep, .7))
	for i, q := range points(258, 238, 300, 254, 280, 254, 262, 262, 256, 246) {
		for _, a := range []float64{.5, 1.2, 2.2} {
			c.fill(blade(q.x, q.y, 24, 6, a+.2*float64(i%2)), mix(clay, deep, .7))
		}
	}
	for i, x := range []float64{426, 506} {
		y := 338 + 6*float64(i)
		c.shadow(x+8, y+4, 44, 8, .6)
		cup, ch := profile(x, y-34, 32, y-28, 31, y-12, 26, y, 15, y+4, 16)
		c.fill(cup, mix(clay, white, .08))
		c.fill(cup, glaze(x, ch, deep))
		c.fill(oval(x, y-34, 32, 7, 0), mix(clay, white, .3))
		c.fill(oval(x, y-33, 27, 5, 0), across(x-27, x+27, hex(0xd9a03a), hex(0x9a5f1c)))
		c.steam(x, y-38, 84, uint64(i+6))
	}
	c.steam(474, 178, 90, 11)
	c.seal(24, 22, 20)
	c.grain(.05, 14)
}

func abacus(c *canvas) {
	c.wash(around(300, 150, 420, hex(0x46685f), hex(0x2c4a45), hex(0x1a302e)))
	c.shadow(310, 178, 320, 170, .6)
	wood, dark := hex(0xa8683c), hex(0x5a3018)
	bar := func(x, y, w, h float64) {
		c.fill(rounded(x, y, w, h, 5), upright(y, y+h, mix(wood, white, .25), wood, dark))
	}
	const x0, step, rods = 76., 37.5, 13
	value := []int{0, 0, 2, 0, 2, 4, 0, 1, 0, 1, 0, 8, 0}
	for i := range rods {
		x := x0 + step*float64(i)
		c.fill(rect(x-2.4, 40, 4.8, 224), across(x-2.4, x+2.4, hex(0x6a4a2a), hex(0xd9b070), hex(0x6a4a2a)))
		bead := func(y float64) {
			c.fill(oval(x+3, y+4, 16.5, 9.5, 0), hex(0x0c1412).alpha(.35))
			p := path{append(curve(x-16, y, x-9, y-9, x+9, y-9, x+16, y), curve(x+16, y, x+9, y+9, x-9, y+9, x-16, y)...)}
			c.fill(p, upright(y-10, y+10, hex(0xd97a5a), hex(0xa8382a), hex(0x5a1814)))
			c.fill(swell(curve(x-9, y-4, x-2, y-6, x+6, y-5), 2.6), white.alpha(.5))
		}
		v := value[i]
		for k := range 2 {
			y := 54 + 18.5*float64(k)
			if v >= 5 && k == 1 {
				y = 100
			}
			bead(y)
		}
		for k := range 5 {
			y := 250 - 18.5*float64(4-k)
			if k < v%5 {
				y = 136 + 18.5*float64(k)
			}
			bead(y)
		}
	}
	bar(30, 112, 540, 14)
	bar(24, 24, 552, 20)
	bar(24, 262, 552, 20)
	for _, x := range []float64{24, 556} {
		c.fill(rounded(x, 24, 20, 258, 5), across(x, x+20, mix(wood, white, .25), wood, dark))
		for _, y := range []float64{34, 272} {
			c.fill(circle(x+10, y, 5), around(x+8, y-2, 7, hex(0xffe9b0), hex(0xc9973f), hex(0x7a5a20)))
		}
	}
}
