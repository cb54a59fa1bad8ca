package demo

import (
	"math"
)

func kitchenGarden(c *canvas) {
	c.wash(upright(0, 170, hex(0xbfe0ea), hex(0xeaf3e4), hex(0xfaf3da)))
	for i, t := range []tint{hex(0xb6d2c0), hex(0x97bf9c)} {
		top := skyline(c.w, 150+14*float64(i), 56, 150, uint32(i*3+8))
		c.hills(top, 60, t, mix(t, hex(0xf4f1dc), .6))
	}
	c.whiteHouse(416, 176, 130, 74)
	c.fill(stroke(curve(516, 78, 522, 60, 514, 46, 524, 26), 7), white.alpha(.5))
	c.band(170, c.h, upright(170, c.h, hex(0xa9c07a), hex(0x88a85c)))
	r := seeded(7)
	c.blossoming(70, 184, 90, hex(0x5f4636), []tint{hex(0x4f8a4a), hex(0x6ea653), hex(0x8fbf62), hex(0xb5d67c)}, 3)
	c.blossoming(590, 182, 74, hex(0x5f4636), []tint{hex(0x4f8a4a), hex(0x6ea653), hex(0x8fbf62), hex(0xb5d67c)}, 4)
	for x := 6.; x < 410; x += 17 {
		c.fill(poly(x, 190, x, 152, x+4.5, 146, x+9, 152, x+9, 190), upright(146, 190, hex(0xd9bf92), hex(0xa98a5c)))
	}
	c.fill(unite(rect(0, 160, 410, 4), rect(0, 178, 410, 4)), hex(0xb8996a))
	// Four beds, from the fence towards us; each grows something else.
	for bed := range 5 {
		k := float64(bed)
		y := 204 + 38*k + 2.6*k*k
		d := 13 + 3.4*k
		s := .62 + .19*k
		soil := blob(-30, y+d, -20, y-d*.6, c.w/2, y-d*.9, c.w+20, y-d*.6, c.w+30, y+d, c.w/2, y+d*1.3)
		c.fill(soil, upright(y-d, y+d*1.2, hex(0x9a6f48), hex(0x6a4630)))
		for x := 14 * s; x < c.w; x += (34 + 6*float64(bed%2)) * s {
			gx, gy := x+4*r.Float64(), y-d*.35
			switch bed {
			case 0: // spring onions
				for i := range 6 {
					a := -math.Pi/2 + (float64(i)-2.5)*.16
					c.fill(taper(points(gx, gy, gx+24*math.Cos(a), gy+24*math.Sin(a)), 2.4, 1), mix(hex(0x3f8f4f), hex(0x7fbf5f), r.Float64()))
				}
			case 1: // tomatoes on canes
				c.fill(stroke(points(gx, gy+2, gx, gy-46*s), 2), hex(0xb8966a))
				for range 7 {
					lx, ly := gx+(r.Float64()-.5)*22*s, gy-(6+32*r.Float64())*s
					c.fill(oval(lx, ly, 7*s, 4.4*s, r.Float64()*3), mix(hex(0x3c7a3c), hex(0x6aa24a), r.Float64()))
				}
				for range 3 {
					lx, ly := gx+(r.Float64()-.5)*18*s, gy-(6+26*r.Float64())*s
					c.fill(circle(lx, ly, 4*s), around(lx-1, ly-1, 5*s, hex(0xff9a7a), hex(0xd9402a)))
				}
			case 2: // carrots
				c.fill(blob(gx-4*s, gy+2, gx, gy-2*s, gx+4*s, gy+2, gx, gy+9*s), hex(0xe8792e))
				for i := range 7 {
					a := -math.Pi/2 + (float64(i)-3)*.22
					tip := pt{gx + 22*s*math.Cos(a), gy + 22*s*math.Sin(a)}
					c.fill(taper(curve(gx, gy, gx+11*s*math.Cos(a*.98), gy+11*s*math.Sin(a), tip.x, tip.y), 1.6, 1), hex(0x4c9447))
					c.fill(circle(tip.x, tip.y, 3.4*s), mix(hex(0x4c9447), hex(0x8cc463), r.Float64()))
				}
			case 3: // cabbages
				for i := range 9 {
					a := float64(i)*.7 + r.Float64()*.2
					c.fill(oval(gx+9*s*math.Cos(a), gy-4*s+5*s*math.Sin(a), 9*s, 7*s, a), mix(hex(0x5f9f55), hex(0xa5cf7a), float64(i)/9))
				}
				c.fill(circle(gx, gy-5*s, 9*s), around(gx-3, gy-8*s, 12*s, hex(0xe4f0b8), hex(0xa9d07c), hex(0x7ab05e)))
				for _, side := range []float64{-1, 1} {
					c.fill(taper(curve(gx, gy+3*s, gx+side*3*s, gy-5*s, gx+side*6*s, gy-9*s), 1.4, .4), hex(0xf2f8d8).alpha(.8))
				}
			case 4: // pumpkins
				if int(x/s)%3 == 0 {
					for _, dx := range []float64{-9, 9, -4.5, 4.5, 0} {
						c.fill(oval(gx+dx*s, gy-3*s, 6.5*s, 10*s, 0), around(gx-3*s, gy-8*s, 26*s, hex(0xffc05a), hex(0xe8832a), hex(0xb85a1c)))
					}
					c.fill(taper(curve(gx, gy-12*s, gx+1, gy-17*s, gx+6*s, gy-19*s), 4*s, 2.4*s), hex(0x5f7a3a))
				} else {
					for i := range 3 {
						a := -math.Pi/2 + (float64(i)-1)*.9
						c.fill(ginkgoLeaf(16*s, a+math.Pi/2, gx, gy-2*s), mix(hex(0x4a8a45), hex(0x79b055), r.Float64()))
					}
				}
			}
		}
	}
	c.butterfly(300, 210, 13, .4, hex(0xfdf4d0), hex(0x7a6a4a))
	c.butterfly(178, 132, 10, -.3, hex(0xf6d06a), hex(0x7a5a2a))
}
