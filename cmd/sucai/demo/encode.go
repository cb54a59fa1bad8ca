package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"slices"

	"golang.org/x/image/bmp"
)

func encodePNG(img *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, img)
	return out.Bytes(), err
}

func encodeJPEG(img *image.RGBA) ([]byte, error) {
	var out bytes.Buffer
	err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 88})
	return out.Bytes(), err
}

func encodeBMP(img image.Image) ([]byte, error) {
	var out bytes.Buffer
	err := bmp.Encode(&out, img)
	return out.Bytes(), err
}

// encodeGIF makes an endless animation; delay is in hundredths of a second.
func encodeGIF(frames []*image.RGBA, delay int) ([]byte, error) {
	var out bytes.Buffer
	all := &gif.GIF{}
	for _, f := range indexed(frames, 224) {
		all.Image = append(all.Image, f)
		all.Delay = append(all.Delay, delay)
	}
	err := gif.EncodeAll(&out, all)
	return out.Bytes(), err
}

// indexed reduces pictures to one palette of n colours by median cut. Colours are counted with five bits a channel: finer counting
// costs time and shows nothing.
func indexed(frames []*image.RGBA, n int) []*image.Paletted {
	key := func(p []uint8) uint16 { return uint16(p[0]>>3)<<10 | uint16(p[1]>>3)<<5 | uint16(p[2]>>3) }
	type cell struct {
		key     uint16
		n       int
		r, g, b int // sums
	}
	var cells [1 << 15]cell
	for _, f := range frames {
		for i := 0; i < len(f.Pix); i += 4 {
			c := &cells[key(f.Pix[i:])]
			c.n++
			c.r, c.g, c.b = c.r+int(f.Pix[i]), c.g+int(f.Pix[i+1]), c.b+int(f.Pix[i+2])
		}
	}
	var used []cell
	for k, c := range cells {
		if c.n > 0 {
			c.key = uint16(k)
			used = append(used, c)
		}
	}
	channel := func(c cell, axis int) int { return int(c.key>>(10-5*axis)) & 31 }
	// A box is worth splitting when its colours are far apart and many pixels have them.
	measure := func(box []cell) (axis, worth int) {
		count := 0
		for _, c := range box {
			count += c.n
		}
		for a := range 3 {
			lo, hi := 31, 0
			for _, c := range box {
				lo, hi = min(lo, channel(c, a)), max(hi, channel(c, a))
			}
			if w := (hi - lo) * (hi - lo) * (count + 200); w > worth {
				axis, worth = a, w
			}
		}
		return
	}
	type box struct {
		cells       []cell
		axis, worth int
	}
	wrap := func(cs []cell) box { a, w := measure(cs); return box{cs, a, w} }
	boxes := []box{wrap(used)}
	for len(boxes) < n {
		at := 0
		for i, b := range boxes {
			if b.worth > boxes[at].worth {
				at = i
			}
		}
		b := boxes[at]
		if b.worth == 0 {
			break
		}
		slices.SortStableFunc(b.cells, func(x, y cell) int { return channel(x, b.axis) - channel(y, b.axis) })
		total, half := 0, 1
		for _, c := range b.cells {
			total += c.n
		}
		for sum := b.cells[0].n; half < len(b.cells)-1 && sum < total/2; half++ {
			sum += b.cells[half].n
		}
		boxes[at] = wrap(b.cells[:half])
		boxes = append(boxes, wrap(b.cells[half:]))
	}
	var palette color.Palette
	var index [1 << 15]uint8
	for i, b := range boxes {
		var sum cell
		for _, c := range b.cells {
			sum.n, sum.r, sum.g, sum.b = sum.n+c.n, sum.r+c.r, sum.g+c.g, sum.b+c.b
			index[c.key] = uint8(i)
		}
		palette = append(palette, color.RGBA{uint8(sum.r / sum.n), uint8(sum.g / sum.n), uint8(sum.b / sum.n), 0xff})
	}
	out := make([]*image.Paletted, len(frames))
	for i, f := range frames {
		out[i] = image.NewPaletted(f.Bounds(), palette)
		for k := range out[i].Pix {
			out[i].Pix[k] = index[key(f.Pix[4*k:])]
		}
	}
	return out
}
