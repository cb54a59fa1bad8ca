package demo

// The two characters of the house, on a grid of ten by ten, as strokes of a carver who likes straight lines.
var (
	su = [][]float64{
		{1.6, 1.3, 8.4, 1.3}, {2.2, 2.7, 7.8, 2.7}, {.8, 4.1, 9.2, 4.1}, {5, .2, 5, 4.1},
		{5, 4.1, 3.2, 5.3, 5, 6.5, 6.8, 5.3, 5, 4.1}, {5, 6.5, 5, 9.9}, {2.6, 7.2, 7.4, 7.2}, {3, 8, 1.7, 9.7}, {7, 8, 8.3, 9.7},
	}
	cai = [][]float64{
		{2.5, .2, 2.5, 9.9}, {.4, 2.7, 4.6, 2.7}, {2.4, 3.2, .4, 6.6}, {2.7, 3.4, 4.5, 5.6},
		{5.3, 2.7, 9.8, 2.7}, {8, .2, 8, 9.3, 6.8, 8.8}, {7.8, 3, 5.2, 7.4},
	}
)

// carve is a character's strokes in the box at (x, y).
func carve(strokes [][]float64, x, y, w, h, thick float64) path {
	var out path
	for _, s := range strokes {
		line := points(s...)
		for i, q := range line {
			line[i] = pt{x + q.x/10*w, y + q.y/10*h}
		}
		for i := range len(line) - 1 {
			out = append(out, stroke(line[i:i+2], thick)...)
		}
	}
	return unite(out)
}

// seal stamps the red mark that signs a painting: s wide, white characters one above the other.
func (c *canvas) seal(x, y, s float64) {
	c.fill(rounded(x, y, s, s*1.8, s*.14), cinnabar)
	c.fill(carve(su, x+s*.16, y+s*.17, s*.68, s*.68, s*.065), hex(0xfbefe0))
	c.fill(carve(cai, x+s*.16, y+s*.98, s*.68, s*.66, s*.065), hex(0xfbefe0))
}
