package media

import (
	"strings"
	"testing"
	"time"
)

// Headers of frames. The first is MPEG 1 at 32 kHz and 32 kbit/s, mono: 144 bytes, 36 ms.
const (
	mp3At32k    = "\xff\xfb\x18\xc4"
	mp3At32kCRC = "\xff\xfa\x18\xc4"
	mp3At48k    = "\xff\xfb\x14\xc4" // 32 kbit/s, mono: 96 bytes, 24 ms
	mp3Low      = "\xff\xf3\x84\xc4" // MPEG 2 at 24 kHz and 64 kbit/s, mono: 192 bytes, 24 ms
	mp3Lowest   = "\xff\xe3\x18\xc4" // MPEG 2.5 at 8 kHz and 8 kbit/s, mono: 72 bytes, 72 ms
	mp3Loud     = "\xff\xfb\xe4\x04" // 320 kbit/s at 48 kHz, stereo: 960 bytes, 24 ms
)

// mp3Bytes is a whole frame, silent, of a header.
func mp3Bytes(header string) string {
	fr, ok := parseMP3Frame([]byte(header))
	if !ok {
		return header
	}
	return header + strings.Repeat("\x00", int(fr.length)-4)
}

// mp3Summary is a frame that counts the file's frames, as LAME writes it.
func mp3Summary(name string, frames uint32) string {
	b := mp3Bytes(mp3At32k)
	return b[:21] + name + be32(1) + be32(frames) + b[33:]
}

// mp3VBRI is a frame that counts the file's frames, as Fraunhofer's encoder writes it.
func mp3VBRI(frames uint32) string {
	b := mp3Bytes(mp3At32k)
	return b[:36] + "VBRI\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00" + be32(frames) + b[54:]
}

// id3 is a tag whose content is so long.
func id3(flags byte, length int) string {
	return "ID3\x04\x00" + string([]byte{flags, 0, byte(length >> 14), byte(length >> 7 & 0x7f), byte(length & 0x7f)}) + strings.Repeat("t", length)
}

func TestInspectMP3(t *testing.T) {
	const ms = time.Millisecond
	frame := mp3Bytes(mp3At32k)
	two := frame + frame
	lasts := func(d time.Duration) Info { return Info{Format: MP3, Duration: d} }
	footer := id3(0x10, 40)
	footer += "3DI" + footer[3:10]
	for name, c := range map[string]struct {
		file string
		want Info
	}{
		"two bare frames":            {two, lasts(72 * ms)},
		"two frames of MPEG 2":       {mp3Bytes(mp3Low) + mp3Bytes(mp3Low), lasts(48 * ms)},
		"two frames of MPEG 2.5":     {mp3Bytes(mp3Lowest) + mp3Bytes(mp3Lowest), lasts(144 * ms)},
		"another bitrate":            {mp3Bytes(mp3Loud) + mp3Bytes(mp3At48k), lasts(48 * ms)},
		"with checksums":             {mp3Bytes(mp3At32kCRC) + frame, lasts(72 * ms)},
		"many":                       {strings.Repeat(frame, 1000), lasts(36 * time.Second)},
		"the second cut short":       {two[:len(two)-1], lasts(36 * ms)},
		"tag":                        {id3(0, 300) + two, lasts(72 * ms)},
		"empty tag":                  {id3(0, 0) + two, lasts(72 * ms)},
		"tag with footer":            {footer + two, lasts(72 * ms)},
		"two tags":                   {id3(0, 300) + footer + two, lasts(72 * ms)},
		"tag longer than a page":     {id3(0, 2*pageBytes) + two, lasts(72 * ms)},
		"padding behind a tag":       {id3(0, 300) + strings.Repeat("\x00", 4<<10) + two, lasts(72 * ms)},
		"much padding behind a tag":  {id3(0, 300) + strings.Repeat("\x00", maxPadding) + two, lasts(72 * ms)},
		"more padding than we take":  {id3(0, 300) + strings.Repeat("\x00", maxPadding+1) + two, Info{}},
		"like a frame behind a tag":  {id3(0, 300) + mp3At32k + two, lasts(72 * ms)},
		"padding without a tag":      {strings.Repeat("\x00", 100) + two, Info{}},
		"Xing":                       {mp3Summary("Xing", 1000) + two, lasts(72 * ms)},
		"Info":                       {mp3Summary("Info", 1000) + two, lasts(72 * ms)},
		"VBRI":                       {mp3VBRI(1000) + two, lasts(72 * ms)},
		"Xing that is all":           {mp3Summary("Xing", 0) + frame, lasts(36 * ms)},
		"ID3v1 at the end":           {two + "TAG" + strings.Repeat("\xff", 125), lasts(72 * ms)},
		"APE at the end":             {two + "APETAGEX" + le32(2000) + strings.Repeat("\x00", 40), lasts(72 * ms)},
		"junk at the end":            {two + strings.Repeat("junk", 50), lasts(72 * ms)},
		"a few bytes between frames": {two + "abc" + two, lasts(144 * ms)},
		"much between frames":        {two + strings.Repeat("\x00", 500) + two, lasts(72 * ms)},
		"one frame":                  {frame, Info{}},
		"one frame and a tag":        {frame + "TAG" + strings.Repeat("\x00", 125), Info{}},
		"another sample rate":        {frame + mp3Bytes(mp3At48k), Info{}},
		"another version":            {mp3Bytes(mp3Low) + mp3Bytes(mp3Lowest), Info{}},
		"free format":                {strings.Repeat("\xff\xfb\x08\xc4"+strings.Repeat("\x00", 140), 5), Info{}},
		"no such bitrate":            {strings.Repeat("\xff\xfb\xf8\xc4"+strings.Repeat("\x00", 140), 5), Info{}},
		"no such sample rate":        {strings.Repeat("\xff\xfb\x1c\xc4"+strings.Repeat("\x00", 140), 5), Info{}},
		"no such version":            {strings.Repeat("\xff\xeb\x18\xc4"+strings.Repeat("\x00", 140), 5), Info{}},
		"layer II":                   {strings.Repeat("\xff\xfd\x18\xc4"+strings.Repeat("\x00", 140), 5), Info{}},
		"tag alone":                  {id3(0, 300), Info{}},
		"tag past the end":           {id3(0, 300)[:100], Info{}},
		"tag of an impossible size":  {"ID3\x04\x00\x00\x00\x00\x80\x00" + two, Info{}},
		"tag before something else":  {id3(0, 20) + "fLaC" + strings.Repeat("\x00", 500), Info{}},
	} {
		inspected(t, name, c.file, c.want)
	}
}

// A frame's length is what tells where the next one is.
func TestMP3FrameLength(t *testing.T) {
	for header, want := range map[string]int64{
		mp3At32k:           144,
		mp3At48k:           96,
		mp3Low:             192,
		mp3Lowest:          72,
		mp3Loud:            960,
		"\xff\xfb\x90\x44": 417, // 128 kbit/s at 44.1 kHz
		"\xff\xfb\x92\x44": 418, // the same, padded
		"\xff\xf3\x40\xc4": 104, // MPEG 2, 32 kbit/s at 22.05 kHz
	} {
		if fr, ok := parseMP3Frame([]byte(header)); !ok || fr.length != want {
			t.Errorf("%x: %+v, %v, want a length of %d", header, fr, ok, want)
		}
	}
}
