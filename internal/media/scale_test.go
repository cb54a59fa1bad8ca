package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/image/bmp"
	"golang.org/x/image/draw"
)

// hues is a picture whose left is red and whose right is blue, as transparent as alpha
// says.
func hues(width, height int, alpha uint8) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			c := color.NRGBA{200, 0, 0, alpha}
			if x >= width/2 {
				c = color.NRGBA{0, 0, 200, alpha}
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func encoded(t testing.TB, format Format, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	var err error
	switch format {
	case JPEG:
		err = jpeg.Encode(&out, m, &jpeg.Options{Quality: 95})
	case PNG:
		err = png.Encode(&out, m)
	case GIF:
		err = gif.Encode(&out, m, nil)
	case BMP:
		err = bmp.Encode(&out, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// scaled scales a file and checks that what comes is such a picture.
func scaled(t *testing.T, file []byte, width int, mediaType string, height int) image.Image {
	t.Helper()
	info, err := Inspect(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	data, gotType, err := Scale(bytes.NewReader(file), info, width)
	if err != nil {
		t.Fatal(err)
	}
	m, name, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if gotType != mediaType || "image/"+name != mediaType {
		t.Errorf("it is called %s and is a %s, want %s", gotType, name, mediaType)
	}
	if want := image.Rect(0, 0, width, height); m.Bounds() != want {
		t.Errorf("it is %v, want %v", m.Bounds(), want)
	}
	return m
}

// near checks the color of a pixel.
func near(t *testing.T, m image.Image, x, y int, want color.NRGBA) {
	t.Helper()
	got := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
	off := func(a, b uint8) bool { return max(a, b)-min(a, b) > 6 }
	if off(got.R, want.R) || off(got.G, want.G) || off(got.B, want.B) || off(got.A, want.A) {
		t.Errorf("at %d,%d it is %v, want %v", x, y, got, want)
	}
}

func TestScale(t *testing.T) {
	left, right := color.NRGBA{200, 0, 0, 255}, color.NRGBA{0, 0, 200, 255}
	for _, c := range []struct {
		format    Format
		picture   image.Image
		width     int
		mediaType string
		height    int
	}{
		{JPEG, hues(300, 200, 255), 96, "image/jpeg", 64},
		{JPEG, hues(97, 61, 255), 96, "image/jpeg", 60},
		{PNG, hues(300, 200, 255), 96, "image/png", 64},
		{BMP, hues(300, 200, 255), 96, "image/png", 64},
		{PNG, hues(3000, 8, 255), 64, "image/png", 1}, // less than half a pixel high
		{PNG, hues(8, 3000, 255), 4, "image/png", 1500},
		{PNG, hues(660, 1000, 255), 600, "image/png", 909}, // in many bands
	} {
		m := scaled(t, encoded(t, c.format, c.picture), c.width, c.mediaType, c.height)
		for _, y := range []int{0, c.height / 2, c.height - 1} {
			near(t, m, 0, y, left)
			near(t, m, c.width-1, y, right)
		}
	}
}

func TestScaleKinds(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 100, 100))
	for i := range grey.Pix {
		grey.Pix[i] = 90
	}
	deep := image.NewNRGBA64(image.Rect(0, 0, 100, 100))
	for i := range 100 * 100 {
		deep.SetNRGBA64(i%100, i/100, color.NRGBA64{0x8080, 0x4040, 0x2020, 0xffff})
	}
	few := image.NewPaletted(image.Rect(0, 0, 100, 100), color.Palette{color.NRGBA{10, 20, 30, 255}, color.NRGBA{}})
	near(t, scaled(t, encoded(t, PNG, grey), 32, "image/png", 32), 5, 5, color.NRGBA{90, 90, 90, 255})
	near(t, scaled(t, encoded(t, JPEG, grey), 32, "image/jpeg", 32), 5, 5, color.NRGBA{90, 90, 90, 255})
	near(t, scaled(t, encoded(t, BMP, grey), 32, "image/png", 32), 5, 5, color.NRGBA{90, 90, 90, 255})
	near(t, scaled(t, encoded(t, PNG, deep), 32, "image/png", 32), 5, 5, color.NRGBA{128, 64, 32, 255})
	near(t, scaled(t, encoded(t, PNG, few), 32, "image/png", 32), 5, 5, color.NRGBA{10, 20, 30, 255})
	near(t, scaled(t, encoded(t, PNG, hues(100, 100, 128)), 32, "image/png", 32), 2, 2, color.NRGBA{200, 0, 0, 128})
	near(t, scaled(t, encoded(t, PNG, hues(100, 100, 0)), 32, "image/png", 32), 2, 2, color.NRGBA{})
	near(t, scaled(t, progressive(100, 100, 3, ""), 32, "image/jpeg", 32), 5, 5, color.NRGBA{128, 128, 128, 255})
	for _, name := range []string{"picture.jpg", "picture.png", "paletted.png", "deep.png", "picture.bmp"} {
		mediaType := fixtures[name].Format.MediaType()
		if name == "picture.bmp" {
			mediaType = "image/png"
		}
		scaled(t, fixture(t, name), 20, mediaType, 15)
	}
}

// Two passes in bands must look like the one pass they stand for.
func TestScaleInBands(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	m := image.NewNRGBA(image.Rect(0, 0, 500, 900))
	for y := range 900 { // a soft picture with some noise on it
		for x := range 500 {
			m.SetNRGBA(x, y, color.NRGBA{uint8(40 + x/4 + random.IntN(9)), uint8(30 + y/5), uint8(128 + random.IntN(20)), 255})
		}
	}
	width, height := 333, 599
	want := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(want, want.Bounds(), m, m.Bounds(), draw.Src, nil)
	got := shrink(m, width, height)
	for i := range want.Pix {
		if a, b := want.Pix[i], got.Pix[i]; max(a, b)-min(a, b) > 2 {
			t.Fatalf("byte %d is %d, want about %d", i, b, a)
		}
	}
}

func TestScaleMemory(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 800, 4000))
	least := uint64(1 << 40)
	for range 4 { // what is kept for the next band can be lost, more often under the race detector
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		shrink(m, 700, 3500)
		runtime.ReadMemStats(&after)
		if least = min(least, after.TotalAlloc-before.TotalAlloc); least < 90<<20 { // one pass takes over 100 MB
			return
		}
	}
	t.Errorf("%d MB were allocated", least>>20)
}

func TestScaleOrientation(t *testing.T) {
	plain := encoded(t, JPEG, hues(300, 200, 255))
	exif := func(tiff string) []byte {
		return []byte(string(plain[:2]) + jpegSegment("\xe0", "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00") +
			jpegSegment("\xe1", "http://ns.adobe.com/xap/1.0/\x00") + jpegSegment("\xe1", "Exif\x00\x00"+tiff) + string(plain[2:]))
	}
	little := "II*\x00" + le32(8) + le16(2) + le16(0x010f) + le16(2) + le32(4) + "cam\x00" + le16(0x0112) + le16(3) + le32(1) + le32(6) + le32(0)
	for name, c := range map[string]struct {
		tiff string
		want int
	}{
		"little-endian":    {little, 6},
		"big-endian":       {"MM\x00*" + be32(10) + "xx" + be16(1) + be16(0x0112) + be16(3) + be32(1) + be16(8) + be16(0), 8},
		"upright":          {strings.Replace(little, le32(6), le32(1), 1), 1},
		"no such rotation": {strings.Replace(little, le32(6), le32(9), 1), 1},
		"not a short":      {strings.Replace(little, le16(3), le16(4), 1), 1},
		"another tag":      {strings.Replace(little, le16(0x0112), le16(0x0113), 1), 1},
		"table cut short":  {little[:30], 1},
		"table far away":   {"II*\x00" + le32(1<<32-1) + little[8:], 1},
		"table at the end": {"II*\x00" + le32(uint32(len(little))), 1},
		"nothing":          {"", 1},
		"no order":         {"XX*\x00" + little[4:], 1},
	} {
		file := exif(c.tiff)
		if got := orientation(file); got != c.want {
			t.Errorf("%s: the orientation is %d, want %d", name, got, c.want)
		}
		data, _, err := Scale(bytes.NewReader(file), Info{Format: JPEG, Width: 300, Height: 200}, 30)
		if err != nil {
			t.Fatal(name, err)
		}
		if got := orientation(data); got != c.want {
			t.Errorf("%s: the orientation became %d, want %d", name, got, c.want)
		}
		inspected(t, name, string(data), Info{Format: JPEG, Width: 30, Height: 20})
	}
}

func TestNotScaled(t *testing.T) {
	picture := encoded(t, PNG, hues(300, 200, 255))
	photo := encoded(t, JPEG, hues(300, 200, 255))
	info := func(f Format, width, height int) Info { return Info{Format: f, Width: width, Height: height} }
	for name, c := range map[string]struct {
		file  []byte
		info  Info
		width int
	}{
		"as wide":             {picture, info(PNG, 300, 200), 300},
		"wider":               {picture, info(PNG, 300, 200), 640},
		"no width":            {picture, info(PNG, 300, 200), 0},
		"width below zero":    {picture, info(PNG, 300, 200), math.MinInt},
		"no height":           {picture, info(PNG, 300, 0), 64},
		"gif":                 {encoded(t, GIF, hues(300, 200, 255)), info(GIF, 300, 200), 64},
		"voice":               {picture, info(MP3, 300, 200), 64},
		"nothing known":       {picture, Info{}, 64},
		"too many pixels":     {encoded(t, PNG, image.NewNRGBA(image.Rect(0, 0, 4000, 4001))), info(PNG, 4000, 4001), 64},
		"too deep":            {encoded(t, PNG, image.NewNRGBA64(image.Rect(0, 0, 3000, 2700))), info(PNG, 3000, 2700), 64},
		"too many to keep":    {progressive(3600, 3600, 1, ""), info(JPEG, 3600, 3600), 64},
		"too wide":            {picture, info(PNG, 65536, 1), 64},
		"too high":            {picture, info(PNG, 100, 65536), 64},
		"pixels past an int":  {picture, info(PNG, math.MaxInt, math.MaxInt), 64},
		"another width":       {picture, info(PNG, 301, 200), 64},
		"another height":      {picture, info(PNG, 300, 201), 64},
		"another format":      {picture, info(JPEG, 300, 200), 64},
		"bomb":                {[]byte(pngHeader(60000, 60000)), info(PNG, 300, 200), 64},
		"bomb that is told":   {[]byte(pngHeader(60000, 60000)), info(PNG, 60000, 60000), 64},
		"nothing":             {nil, info(PNG, 300, 200), 64},
		"cut short":           {picture[:len(picture)/2], info(PNG, 300, 200), 64},
		"photo cut short":     {photo[:len(photo)/2], info(JPEG, 300, 200), 64},
		"damaged":             {bytes.Replace(picture, []byte("IDAT"), []byte("IDAX"), 1), info(PNG, 300, 200), 64},
		"kind of jpeg":        {[]byte("\xff\xd8" + jpegFrame("\xc3", 300, 200)), info(JPEG, 300, 200), 64},
		"kind of bmp":         {[]byte(bmpHeader(12, le16(300)+le16(200))), info(BMP, 300, 200), 64},
		"too many scans":      {progressive(300, 200, maxScans+1, ""), info(JPEG, 300, 200), 64},
		"too long in front":   {progressive(300, 200, 1, strings.Repeat(jpegSegment("\xe1", strings.Repeat("x", 65533)), 257)), info(JPEG, 300, 200), 64},
		"too long, cut short": {[]byte("\xff\xd8" + strings.Repeat(jpegSegment("\xe1", strings.Repeat("x", 65533)), 257)), info(JPEG, 300, 200), 64},
	} {
		data, mediaType, err := Scale(bytes.NewReader(c.file), c.info, c.width)
		if !errors.Is(err, ErrNotScaled) || data != nil || mediaType != "" {
			t.Errorf("%s: %d bytes, %q, %v", name, len(data), mediaType, err)
		}
	}
	if _, _, err := Scale(bytes.NewReader(progressive(300, 200, maxScans, "")), info(JPEG, 300, 200), 64); err != nil {
		t.Errorf("as many scans as may be: %v", err)
	}
}

func TestScaleReaderBreaks(t *testing.T) {
	for _, name := range []string{"picture.jpg", "picture.png", "paletted.png", "deep.png", "picture.bmp"} {
		whole := fixture(t, name)
		for n := 0; n < len(whole); n += 1 + n/200 {
			broken := io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(errBroken))
			if _, _, err := Scale(broken, fixtures[name], 20); err != errBroken && err != nil {
				t.Fatalf("%s breaks at %d: %v", name, n, err)
			} else if err == nil && n < len(whole)-16 {
				t.Fatalf("%s breaks at %d and is scaled", name, n)
			}
			_, _, err := Scale(bytes.NewReader(whole[:n]), fixtures[name], 20)
			if err != nil && !errors.Is(err, ErrNotScaled) {
				t.Fatalf("the first %d bytes of %s: %v", n, name, err)
			}
		}
		for kind, r := range map[string]io.Reader{
			"byte for byte":        iotest.OneByteReader(bytes.NewReader(whole)),
			"error with the bytes": iotest.DataErrReader(bytes.NewReader(whole)),
		} {
			if _, _, err := Scale(r, fixtures[name], 20); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
}

// A small file must not keep the decoder busy for minutes: of too many scans, each of which
// is a pass over all pixels, no more than the first are read.
func TestScaleTakesLimitedWork(t *testing.T) {
	file := progressive(2000, 2000, 20000, "")
	r := bytes.NewReader(file)
	if _, _, err := Scale(r, Info{Format: JPEG, Width: 2000, Height: 2000}, 64); !errors.Is(err, ErrNotScaled) {
		t.Error(err)
	}
	const buffered = 16 << 10 // which the decoder reads ahead
	few := len(progressive(2000, 2000, maxScans, "")) + buffered
	if read := len(file) - r.Len(); read > few {
		t.Errorf("%d of %d bytes were read, %d hold as many scans as may be", read, len(file), few)
	}
}

// progressive is a grey JPEG that comes in one scan of means and so many of details,
// all of which say that there are none.
func progressive(width, height, scans int, front string) []byte {
	blocks := (width + 7) / 8 * ((height + 7) / 8)
	var b strings.Builder
	b.WriteString("\xff\xd8" + front + jpegSegment("\xdb", "\x00"+strings.Repeat("\x01", 64)) + jpegFrame("\xc2", uint16(width), uint16(height)))
	// One code of one bit in each table: "the same as before", and "no more in this block
	// and 16383 others and as many as the next 14 bits say".
	for _, table := range []string{"\x00\x01" + strings.Repeat("\x00", 15) + "\x00", "\x10\x01" + strings.Repeat("\x00", 15) + "\xe0"} {
		b.WriteString(jpegSegment("\xc4", table))
	}
	b.WriteString(jpegSegment("\xda", "\x01\x01\x00\x00\x00\x00") + strings.Repeat("\x00", (blocks+7)/8))
	for range scans - 1 {
		b.WriteString(jpegSegment("\xda", "\x01\x01\x00\x01\x3f\x00") + strings.Repeat("\x00", (blocks/16384+1)*15/8+1))
	}
	return []byte(b.String() + "\xff\xd9")
}

func FuzzScale(f *testing.F) {
	for _, name := range []string{"picture.jpg", "picture.png", "paletted.png", "deep.png", "picture.bmp", "animated.gif"} {
		f.Add(fixture(f, name), uint8(13))
	}
	f.Add(progressive(50, 20, 3, jpegSegment("\xe1", "Exif\x00\x00II*\x00"+le32(8)+le16(1)+le16(0x0112)+le16(3)+le32(1)+le32(6)+le32(0))), uint8(40))
	f.Add(encoded(f, PNG, hues(9, 300, 77)), uint8(2))
	f.Fuzz(func(t *testing.T, file []byte, width uint8) {
		info, err := Inspect(bytes.NewReader(file), int64(len(file)))
		if err != nil || int64(info.Width)*int64(info.Height) > 1<<18 {
			return // large ones only take long
		}
		data, mediaType, err := Scale(bytes.NewReader(file), info, int(width))
		if err != nil {
			if !errors.Is(err, ErrNotScaled) || data != nil || mediaType != "" {
				t.Fatalf("%d bytes, %q, %v", len(data), mediaType, err)
			}
			return
		}
		got, err := Inspect(bytes.NewReader(data), int64(len(data)))
		if err != nil || got.Width != int(width) || got.Height < 1 || got.Format.MediaType() != mediaType {
			t.Fatalf("%+v scaled to %d is %+v, %q, %v", info, width, got, mediaType, err)
		}
		if _, _, err := image.Decode(bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkScale(b *testing.B) {
	m := hues(2000, 1500, 255)
	for _, format := range []Format{JPEG, PNG, BMP} {
		for _, width := range []int{640, 96} {
			file := encoded(b, format, m)
			b.Run(fmt.Sprintf("%s/%d", format, width), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := Scale(bytes.NewReader(file), Info{Format: format, Width: 2000, Height: 1500}, width); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("tall", func(b *testing.B) {
		file := encoded(b, JPEG, hues(750, 20000, 255))
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := Scale(bytes.NewReader(file), Info{Format: JPEG, Width: 750, Height: 20000}, 640); err != nil {
				b.Fatal(err)
			}
		}
	})
}
