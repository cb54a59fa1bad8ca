package media

import (
	"strings"
	"testing"
)

func pngHeader(width, height uint32) string {
	return "\x89PNG\r\n\x1a\n" + be32(13) + "IHDR" + be32(width) + be32(height) + "\x08\x02\x00\x00\x00" + "crc."
}

func TestInspectPNG(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"small":             {pngHeader(1, 2), Info{Format: PNG, Width: 1, Height: 2}},
		"large":             {pngHeader(1<<31-1, 70000), Info{Format: PNG, Width: 1<<31 - 1, Height: 70000}},
		"too large":         {pngHeader(1<<31, 1), Info{}},
		"no width":          {pngHeader(0, 1), Info{}},
		"no height":         {pngHeader(1, 0), Info{}},
		"another chunk":     {strings.Replace(pngHeader(1, 1), "IHDR", "IDAT", 1), Info{}},
		"short header":      {strings.Replace(pngHeader(1, 1), "\x0dIHDR", "\x0cIHDR", 1), Info{}},
		"signature alone":   {pngHeader(1, 1)[:8], Info{}},
		"line ends changed": {strings.Replace(pngHeader(1, 1), "\r\n", "\n", 1), Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}

func TestInspectGIF(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"89a":       {"GIF89a" + le16(300) + le16(2) + "\x00\x00\x00", Info{Format: GIF, Width: 300, Height: 2}},
		"87a":       {"GIF87a" + le16(1) + le16(65535), Info{Format: GIF, Width: 1, Height: 65535}},
		"88a":       {"GIF88a" + le16(1) + le16(1), Info{}},
		"no width":  {"GIF89a" + le16(0) + le16(1), Info{}},
		"no height": {"GIF89a" + le16(1) + le16(0), Info{}},
		"cut short": {"GIF89a" + le16(1) + "\x01", Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}

func bmpHeader(length uint32, sides string) string {
	return "BM" + le32(100) + le32(0) + le32(14+length) + le32(length) + sides + strings.Repeat("\x01\x00", 60)
}

func TestInspectBMP(t *testing.T) {
	for _, length := range []uint32{40, 52, 56, 64, 108, 124} {
		inspected(t, "bmp", bmpHeader(length, le32(300)+le32(200)), Info{Format: BMP, Width: 300, Height: 200})
		inspected(t, "bmp from the top", bmpHeader(length, le32(300)+le32(1<<32-200)), Info{Format: BMP, Width: 300, Height: 200})
	}
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"short header":           {bmpHeader(12, le16(300)+le16(200)), Info{Format: BMP, Width: 300, Height: 200}},
		"short header, large":    {bmpHeader(12, le16(65535)+le16(65535)), Info{Format: BMP, Width: 65535, Height: 65535}},
		"header of no known one": {bmpHeader(41, le32(300)+le32(200)), Info{}},
		"width below zero":       {bmpHeader(40, le32(1<<32-1)+le32(200)), Info{}},
		"no width":               {bmpHeader(40, le32(0)+le32(200)), Info{}},
		"no height":              {bmpHeader(40, le32(300)+le32(0)), Info{}},
		"lowest height":          {bmpHeader(40, le32(300)+le32(1<<31)), Info{}},
		"cut short":              {bmpHeader(40, "")[:24], Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}

// jpegFrame is a SOF segment of one component.
func jpegFrame(marker string, width, height uint16) string {
	return "\xff" + marker + be16(11) + "\x08" + be16(height) + be16(width) + "\x01\x01\x11\x00"
}

func jpegSegment(marker, content string) string {
	return "\xff" + marker + be16(uint16(2+len(content))) + content
}

func TestInspectJPEG(t *testing.T) {
	const soi = "\xff\xd8"
	long := strings.Repeat(jpegSegment("\xe1", strings.Repeat("\xff\xc0\x00\x0b\x08\x00\x01", 9000)), 40)
	want := Info{Format: JPEG, Width: 300, Height: 200}
	for _, marker := range []string{"\xc0", "\xc1", "\xc2", "\xc3", "\xc5", "\xc6", "\xc7", "\xc9", "\xca", "\xcb", "\xcd", "\xce", "\xcf"} {
		inspected(t, "each kind of frame", soi+jpegFrame(marker, 300, 200), want)
	}
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"tables in front":       {soi + jpegSegment("\xdb", "q") + jpegSegment("\xc4", strings.Repeat("h", 20)) + jpegSegment("\xcc", "aa") + jpegFrame("\xc2", 300, 200), want},
		"long segments":         {soi + long + jpegFrame("\xc0", 300, 200), want},
		"empty segments":        {soi + strings.Repeat(jpegSegment("\xe2", ""), 50) + jpegFrame("\xc0", 300, 200), want},
		"fill bytes":            {soi + strings.Repeat("\xff", 99) + jpegSegment("\xe0", "JFIF") + "\xff\xff" + jpegFrame("\xc0", 300, 200), want},
		"markers alone":         {soi + "\xff\x01\xff\xd0" + jpegFrame("\xc0", 300, 200), want},
		"soi alone":             {soi, Info{}},
		"end first":             {soi + "\xff\xd9" + jpegFrame("\xc0", 300, 200), Info{}},
		"scan first":            {soi + jpegSegment("\xda", "\x01\x01\x00\x00\x3f\x00") + jpegFrame("\xc0", 300, 200), Info{}},
		"stuffing":              {soi + "\xff\x00" + jpegFrame("\xc0", 300, 200), Info{}},
		"junk":                  {soi + "x" + jpegFrame("\xc0", 300, 200), Info{}},
		"impossible length":     {soi + "\xff\xe0\x00\x01" + jpegFrame("\xc0", 300, 200), Info{}},
		"no width":              {soi + jpegFrame("\xc0", 0, 200), Info{}},
		"no height":             {soi + jpegFrame("\xc0", 300, 0), Info{}},
		"no components":         {soi + "\xff\xc0\x00\x08\x08\x00\x01\x00\x01\x00", Info{}},
		"no precision":          {soi + strings.Replace(jpegFrame("\xc0", 300, 200), "\x08", "\x00", 1), Info{}},
		"components left out":   {soi + "\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x03\x01\x11\x00", Info{}},
		"frame of no length":    {soi + "\xff\xc0\x00\x02\x08\x00\x01\x00\x01\x01\x01\x11\x00", Info{}},
		"segment past the end":  {soi + "\xff\xe0\xff\xffJFIF", Info{}},
		"frame cut short":       {soi + jpegFrame("\xc0", 300, 200)[:8], Info{}},
		"thumbnail in a header": {soi + jpegSegment("\xe1", soi+jpegFrame("\xc0", 16, 12)) + jpegFrame("\xc0", 300, 200), want},
	} {
		inspected(t, name, c.file, c.want)
	}
}
