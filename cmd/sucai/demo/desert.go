package demo

import (
	"math"
)

func dunes(c *canvas) {
	c.wash(upright(0, 230, hex(0x5d7f9e), hex(0xc9b7a6), hex(0xf4cf9a)))
	c.disc(500, 96, 24, hex(0xfff4da), hex(0xffe0a0))
	for i := range 5 {
		k := float64(i)
		crest := sampled(c.w, func(x float64) float64 {
			s := math.Sin(x/(150+26*k) + k*2.3)
			return 196 + 48*k - (16+12*k)*s - 12*noise(x/120, k, 6)
		})
		lit, dark := mix(hex(0xf1cd92), hex(0xe0a25a), k/4), mix(hex(0xcf9a68), hex(0x8a5230), k/4)
		c.hills(crest, 130, lit, mix(lit, dark, .25))
		// The lee side: a sharp edge that snakes down from each crest.
		for x := -100 + 60*k; x < c.w+100; x += 2 * math.Pi * (150 + 26*k) / 2 {
			top := x + 40
			edge := curve(top, crest(top)-1, top+40, crest(top)+26+8*k, top+16, crest(top)+60+14*k, top+84, crest(top)+120+20*k)
			lee := append([]pt{}, edge...)
			for d := 230 + 30*k; d >= 0; d -= 6 {
				lee = append(lee, pt{top + d, crest(top+d) - .5})
			}
			c.fill(path{lee}, upright(crest(top), crest(top)+150, dark.alpha(.95), dark.alpha(.15)))
		}
		if i == 3 {
			// The caravan on its way along the crest.
			for n := range 5 {
				x := 196 + 62*float64(n)
				c.camel(x, crest(x)+1, 34, hex(0x4a2c1e))
			}
		}
	}
	for i := range 60 {
		y := 330 + 90*lattice(int32(i), 0, 5)
		x := c.w * lattice(int32(i), 1, 5)
		c.fill(swell(curve(x, y, x+30, y-3, x+66, y), 1), hex(0x8a5230).alpha(.25))
	}
	c.grain(.06, 21)
}

// camel is a camel of height h walking to the left.
func (c *canvas) camel(x, y, h float64, t tint) {
	body := blob(-.42, -.62, -.3, -.82, -.2, -1.02, -.08, -.8, .04, -.8, .14, -1.02, .26, -.84, .42, -.7, .44, -.5, .2, -.44, -.2, -.44, -.4, -.5)
	neck := taper(curve(-.38, -.6, -.6, -.56, -.68, -.8, -.66, -1.02), .2, .13)
	head := blob(-.62, -1.1, -.72, -1.1, -.9, -.98, -.86, -.93, -.64, -.96)
	legs := unite(taper(points(-.3, -.5, -.36, 0), .12, .06), taper(points(-.18, -.5, -.12, 0), .12, .06),
		taper(points(.24, -.5, .2, 0), .12, .06), taper(points(.36, -.55, .42, 0), .12, .06), taper(curve(.42, -.66, .52, -.5, .5, -.36), .05, .03))
	c.fill(unite(body, neck, head, legs).size(h, h).move(x, y), t)
	c.fill(blob(-.16, -.92, .1, -.92, .16, -.56, -.2, -.56).size(h, h).move(x, y), cinnabar)
}
