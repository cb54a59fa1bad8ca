package demo

import "math"

type pt struct{ x, y float64 }

// path is one or more closed outlines. Outlines that turn the same way unite; one that turns the other way cuts a hole.
type path [][]pt

func (p path) bounds() (x0, y0, x1, y1 float64) {
	x0, y0, x1, y1 = math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, part := range p {
		for _, q := range part {
			x0, y0, x1, y1 = min(x0, q.x), min(y0, q.y), max(x1, q.x), max(y1, q.y)
		}
	}
	return
}

func (p path) each(f func(pt) pt) path {
	out := make(path, len(p))
	for i, part := range p {
		out[i] = make([]pt, len(part))
		for j, q := range part {
			out[i][j] = f(q)
		}
	}
	return out
}

func (p path) move(x, y float64) path {
	return p.each(func(q pt) pt { return pt{q.x + x, q.y + y} })
}

func (p path) size(x, y float64) path {
	return p.each(func(q pt) pt { return pt{q.x * x, q.y * y} })
}

// turn turns the path about the origin, clockwise as seen.
func (p path) turn(angle float64) path {
	s, c := math.Sincos(angle)
	return p.each(func(q pt) pt { return pt{q.x*c - q.y*s, q.x*s + q.y*c} })
}

// unite joins paths into one, all turning the same way, so that they may be filled at once.
func unite(paths ...path) path {
	var out path
	for _, p := range paths {
		for _, part := range p {
			var area float64
			for i, q := range part {
				r := part[(i+1)%len(part)]
				area += q.x*r.y - r.x*q.y
			}
			if area < 0 {
				part = reversed(part)
			}
			out = append(out, part)
		}
	}
	return out
}

// cut takes the hole out of the path; it must lie inside.
func (p path) cut(hole path) path {
	out := unite(p)
	for _, part := range unite(hole) {
		out = append(out, reversed(part))
	}
	return out
}

func reversed(part []pt) []pt {
	out := make([]pt, len(part))
	for i, q := range part {
		out[len(part)-1-i] = q
	}
	return out
}

func points(xy ...float64) []pt {
	out := make([]pt, len(xy)/2)
	for i := range out {
		out[i] = pt{xy[2*i], xy[2*i+1]}
	}
	return out
}

func poly(xy ...float64) path { return path{points(xy...)} }

func rect(x, y, w, h float64) path { return poly(x, y, x+w, y, x+w, y+h, x, y+h) }

func rounded(x, y, w, h, r float64) path {
	out := arc(x+r, y+r, r, r, math.Pi, 1.5*math.Pi)
	out = append(out, arc(x+w-r, y+r, r, r, 1.5*math.Pi, 2*math.Pi)...)
	out = append(out, arc(x+w-r, y+h-r, r, r, 0, .5*math.Pi)...)
	return path{append(out, arc(x+r, y+h-r, r, r, .5*math.Pi, math.Pi)...)}
}

// arc goes around a centre from one angle to another, 0 being to the right and the angles growing clockwise.
func arc(x, y, rx, ry, from, to float64) []pt {
	n := 4 + int(math.Abs(to-from)*math.Sqrt(max(rx, ry))*1.6)
	out := make([]pt, n+1)
	for i := range out {
		s, c := math.Sincos(from + (to-from)*float64(i)/float64(n))
		out[i] = pt{x + rx*c, y + ry*s}
	}
	return out
}

func circle(x, y, r float64) path { return path{arc(x, y, r, r, 0, 2*math.Pi)} }

func oval(x, y, rx, ry, angle float64) path {
	return path{arc(0, 0, rx, ry, 0, 2*math.Pi)}.turn(angle).move(x, y)
}

func ring(x, y, r, w float64) path { return circle(x, y, r+w/2).cut(circle(x, y, r-w/2)) }

// sector is the part of a ring between two angles.
func sector(x, y, r0, r1, from, to float64) path {
	return path{append(arc(x, y, r1, r1, from, to), reversed(arc(x, y, r0, r0, from, to))...)}
}

// curve is a smooth line through the points.
func curve(xy ...float64) []pt {
	in := points(xy...)
	var out []pt
	for i := range len(in) - 1 {
		out = append(out, spline(in[max(i-1, 0)], in[i], in[i+1], in[min(i+2, len(in)-1)])...)
	}
	return append(out, in[len(in)-1])
}

// blob is a smooth outline through the points.
func blob(xy ...float64) path {
	in := points(xy...)
	n := len(in)
	var out []pt
	for i := range in {
		out = append(out, spline(in[(i+n-1)%n], in[i], in[(i+1)%n], in[(i+2)%n])...)
	}
	return path{out}
}

// spline is the Catmull-Rom piece from b up to c, c left out.
func spline(a, b, c, d pt) []pt {
	n := 3 + int(math.Hypot(c.x-b.x, c.y-b.y)/5)
	n = min(n, 24)
	out := make([]pt, n)
	for i := range out {
		t := float64(i) / float64(n)
		f := func(a, b, c, d float64) float64 {
			return b + .5*t*(c-a+t*(2*a-5*b+4*c-d+t*(3*(b-c)+d-a)))
		}
		out[i] = pt{f(a.x, b.x, c.x, d.x), f(a.y, b.y, c.y, d.y)}
	}
	return out
}

// brush is a line drawn with a brush whose width at 0 to 1 of the way is given; its ends are round where they are not pointed.
func brush(line []pt, width func(t float64) float64) path {
	n := len(line)
	left, right := make([]pt, 0, n), make([]pt, 0, n)
	var first, last float64
	for i, q := range line {
		a, b := line[max(i-1, 0)], line[min(i+1, n-1)]
		angle := math.Atan2(b.y-a.y, b.x-a.x)
		s, c := math.Sincos(angle)
		w := width(float64(i)/float64(n-1)) / 2
		left, right = append(left, pt{q.x + s*w, q.y - c*w}), append(right, pt{q.x - s*w, q.y + c*w})
		if i == 0 {
			first = angle
		}
		last = angle
	}
	out := left
	if w := width(1) / 2; w > .4 {
		q := line[n-1]
		out = append(out, arc(q.x, q.y, w, w, last-math.Pi/2, last+math.Pi/2)...)
	}
	out = append(out, reversed(right)...)
	if w := width(0) / 2; w > .4 {
		q := line[0]
		out = append(out, arc(q.x, q.y, w, w, first+math.Pi/2, first+1.5*math.Pi)...)
	}
	return path{out}
}

// stroke is a line of one width.
func stroke(line []pt, w float64) path { return brush(line, func(float64) float64 { return w }) }

// taper is a line that begins at a width and ends in another.
func taper(line []pt, from, to float64) path {
	return brush(line, func(t float64) float64 { return from + (to-from)*t })
}

// swell is a line thin at both ends, the width in the middle.
func swell(line []pt, w float64) path {
	return brush(line, func(t float64) float64 { return w * math.Pow(math.Sin(math.Pi*min(max(t, 0), 1)), .7) })
}

// edges is the outline of the path as lines of a width.
func (p path) edges(w float64) path {
	var out path
	for _, part := range p {
		if len(part) > 1 {
			out = append(out, stroke(append(append([]pt{}, part...), part[0], part[1]), w)...)
		}
	}
	return unite(out)
}

// along gives the point and the direction at t of 0 to 1 of a line.
func along(line []pt, t float64) (pt, float64) {
	at := min(max(t, 0), 1) * float64(len(line)-1)
	i := min(int(at), len(line)-2)
	a, b := line[i], line[i+1]
	f := at - float64(i)
	return pt{a.x + (b.x-a.x)*f, a.y + (b.y-a.y)*f}, math.Atan2(b.y-a.y, b.x-a.x)
}
