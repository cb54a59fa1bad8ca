package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
)

// ErrNotScaled is Scale's error where the original is to be sent instead: the picture is
// not wider than was asked for, is a GIF, is over 65,535 pixels on a side, takes over
// 64,000,000 bytes to decode, is damaged, or is of a kind that no decoder here knows.
var ErrNotScaled = errors.New("media: the picture is not scaled")

const (
	maxDecoded = 64_000_000 // bytes: 16 million pixels of most pictures
	maxSide    = 65_535     // what a JPEG can be
	maxHeader  = 16 << 20   // bytes in front of a picture's size
	maxScans   = 100        // of a JPEG; encoders write about ten
	quality    = 85         // of a JPEG, of 100
	maxBand    = 1 << 17    // pixels scaled at once, each of which takes 32 bytes
)

// Scale gives a picture scaled down to width pixels, its height in proportion but at least
// 1, and the media type of what it gives: a jpeg stays one and a png stays one, a bmp
// becomes a png. r is the picture from its beginning, info what Inspect says about it; a
// picture of another size than info's is not decoded.
//
// An Exif rotation is carried over, other metadata is not; width is that of the picture
// as it is stored. Where the original is to be sent instead, the error wraps ErrNotScaled.
// Errors of r other than io.EOF and io.ErrUnexpectedEOF come out as they are.
//
// While it runs, Scale holds the decoded picture in memory.
func Scale(r io.Reader, info Info, width int) (data []byte, mediaType string, err error) {
	if err := Scalable(info, width); err != nil {
		return nil, "", err
	}
	in := &pictureReader{r: r}
	img, header, err := decodePicture(in, info)
	if err != nil {
		if in.err != nil {
			return nil, "", in.err
		}
		return nil, "", fmt.Errorf("%w: %w", ErrNotScaled, err)
	}
	height := max(1, (info.Height*width+info.Width/2)/info.Width)
	small := shrink(img, width, height)
	var out bytes.Buffer
	if info.Format != JPEG {
		if err := png.Encode(&out, small); err != nil {
			return nil, "", err
		}
		return out.Bytes(), PNG.MediaType(), nil
	}
	if err := jpeg.Encode(&out, small, &jpeg.Options{Quality: quality}); err != nil {
		return nil, "", err
	}
	return withOrientation(out.Bytes(), orientation(header)), JPEG.MediaType(), nil
}

// Scalable gives the error of Scale as far as it can be told without the picture itself.
func Scalable(info Info, width int) error {
	switch c := codecs[info.Format]; {
	case c.decode == nil:
		return fmt.Errorf("%w: it is a %s", ErrNotScaled, info.Format)
	case width < 1 || info.Width <= width || info.Height < 1:
		return fmt.Errorf("%w: %d wide is asked for, it is %d", ErrNotScaled, width, info.Width)
	case info.Width > maxSide || info.Height > maxSide || int64(info.Width)*int64(info.Height) > maxDecoded:
		return fmt.Errorf("%w: %d by %d is too large", ErrNotScaled, info.Width, info.Height)
	}
	return nil
}

type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var codecs = map[Format]codec{
	JPEG: {jpeg.DecodeConfig, jpeg.Decode},
	PNG:  {png.DecodeConfig, png.Decode},
	BMP:  {bmp.DecodeConfig, bmp.Decode},
}

// decodePicture decodes a picture whose size is info's. header is the file's beginning.
func decodePicture(in io.Reader, info Info) (img image.Image, header []byte, err error) {
	c, start := codecs[info.Format], &headerBuffer{}
	config, err := c.config(io.TeeReader(in, start))
	if err != nil {
		return nil, nil, err
	}
	if config.Width != info.Width || config.Height != info.Height {
		return nil, nil, fmt.Errorf("it is %d by %d, not %d by %d", config.Width, config.Height, info.Width, info.Height)
	}
	if n := decodedSize(info, config.ColorModel, start.b); n > maxDecoded {
		return nil, nil, fmt.Errorf("it takes %d bytes to decode", n)
	}
	again := io.MultiReader(bytes.NewReader(start.b), in)
	if info.Format == JPEG {
		again = &scanCounter{r: again}
	}
	img, err = c.decode(again)
	return img, start.b, err
}

// decodedSize estimates what a decoder allocates for a picture, in bytes.
func decodedSize(info Info, model color.Model, header []byte) int64 {
	perPixel := 4
	switch model {
	case color.GrayModel:
		perPixel = 1
	case color.Gray16Model:
		perPixel = 2
	case color.YCbCrModel:
		perPixel = 3
	case color.RGBA64Model, color.NRGBA64Model:
		perPixel = 8
	}
	if _, paletted := model.(color.Palette); paletted {
		perPixel = 1
	}
	const interlace = 28 // where a PNG says so
	switch {
	case info.Format == JPEG && isProgressive(header):
		perPixel *= 5 // its coefficients are kept too, each in four bytes
	case info.Format == PNG && len(header) > interlace && header[interlace] != 0:
		perPixel *= 2 // a pass beside the whole
	}
	return int64(info.Width) * int64(info.Height) * int64(perPixel)
}

func isProgressive(header []byte) (found bool) {
	f := newFile(bytes.NewReader(header), int64(len(header)))
	// An error means that the header says no more.
	_ = f.segments(func(marker byte, _ int64, _ int) (bool, error) {
		found = found || marker == 0xC2
		return found, nil
	})
	return found
}

// shrink scales in two passes, first the width and then the height, each of them in
// bands: scaling at once would take 32 bytes for each row of img times width, half a
// gigabyte for a tall picture.
func shrink(img image.Image, width, height int) *image.RGBA {
	from := img.Bounds()
	narrow := image.NewRGBA(image.Rect(0, 0, width, from.Dy()))
	rows := min(from.Dy(), max(1, maxBand/width))
	scaler := draw.CatmullRom.NewScaler(width, rows, from.Dx(), rows)
	for y := 0; y < from.Dy(); y += rows {
		end := min(y+rows, from.Dy())
		scaler.Scale(narrow, image.Rect(0, y, width, end),
			img, image.Rect(from.Min.X, from.Min.Y+y, from.Max.X, from.Min.Y+end), draw.Src, nil)
	}
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	columns := min(width, max(1, maxBand/from.Dy()))
	scaler = draw.CatmullRom.NewScaler(columns, height, columns, from.Dy())
	for x := 0; x < width; x += columns {
		end := min(x+columns, width)
		scaler.Scale(small, image.Rect(x, 0, end, height),
			narrow, image.Rect(x, 0, end, from.Dy()), draw.Src, nil)
	}
	return small
}

// pictureReader remembers the error of r that is not the file's end.
type pictureReader struct {
	r   io.Reader
	err error
}

func (p *pictureReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		p.err = err
	}
	return n, err
}

// headerBuffer keeps what was read to learn a picture's size, up to maxHeader.
type headerBuffer struct{ b []byte }

func (h *headerBuffer) Write(b []byte) (int, error) {
	if len(h.b)+len(b) > maxHeader {
		return 0, errors.New("its header is too long")
	}
	h.b = append(h.b, b...)
	return len(b), nil
}

// scanCounter ends a JPEG that has too many scans: each takes a pass over all pixels
// however few bytes it has, so that a small file could take minutes.
type scanCounter struct {
	r     io.Reader
	scans int
	last  byte
}

func (s *scanCounter) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	for _, c := range b[:n] {
		if s.last == 0xFF && c == 0xDA {
			s.scans++
		}
		s.last = c
	}
	if s.scans > maxScans {
		return 0, errors.New("it has too many scans")
	}
	return n, err
}

// orientation is the Exif rotation that a JPEG's header asks for, 1 to 8; 1, which is
// none, where it asks for nothing.
func orientation(header []byte) int {
	found := 1
	f := newFile(bytes.NewReader(header), int64(len(header)))
	// An error means that the header says no more.
	_ = f.segments(func(marker byte, offset int64, length int) (bool, error) {
		if marker != 0xE1 || offset+int64(length) > int64(len(header)) {
			return false, nil
		}
		tiff, ok := bytes.CutPrefix(header[offset:offset+int64(length)], []byte("Exif\x00\x00"))
		if ok {
			found = tiffOrientation(tiff)
		}
		return ok, nil
	})
	return found
}

func tiffOrientation(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		const tag, short = 0x0112, 3
		if value := int(order.Uint16(entries[8:])); order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short && value >= 1 && value <= 8 {
			return value
		}
		entries = entries[12:]
	}
	return 1
}

// withOrientation puts an Exif header that holds a rotation alone into a JPEG.
func withOrientation(picture []byte, orientation int) []byte {
	if orientation == 1 {
		return picture
	}
	exif := "\xff\xe1\x00\x22Exif\x00\x00" + // a segment of 34 bytes
		"MM\x00*\x00\x00\x00\x08" + "\x00\x01" + // whose table is at 8 and has one entry:
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(rune(orientation)) + "\x00\x00" + // the orientation, one short
		"\x00\x00\x00\x00" // and no other table
	return append(append(picture[:2:2], exif...), picture[2:]...)
}
