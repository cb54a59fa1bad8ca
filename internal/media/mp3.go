package media

import "encoding/binary"

const (
	maxPadding = 8 << 10 // bytes passed over between a tag and the first frame
	maxGap     = 32      // bytes passed over between two frames
)

// mp3Frame is what the header of an MPEG layer III frame says.
type mp3Frame struct {
	kind     byte  // version, layer and sample rate: alike in all frames of a file
	bitrate  int64 // bits a second
	rate     int64 // samples a second
	samples  int64
	length   int64 // bytes, the header included
	sideInfo int64 // bytes of side information, which stand behind the header
}

var (
	mp3Bitrates = [2][16]int64{ // kbit/s; MPEG 1, and MPEG 2 and 2.5
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0},
	}
	mp3Rates = [4]int64{44100, 48000, 32000, 0} // of MPEG 1; half in MPEG 2, a quarter in 2.5
)

// parseMP3Frame reads the four bytes of a frame's header. A free-format bitrate is not
// taken: the frame's length would have to be guessed.
func parseMP3Frame(b []byte) (mp3Frame, bool) {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return mp3Frame{}, false
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	if version == 1 || layer != 1 {
		return mp3Frame{}, false
	}
	fr := mp3Frame{
		kind:     b[1]&0x1E<<2 | b[2]>>2&3,
		rate:     mp3Rates[b[2]>>2&3],
		samples:  1152,
		sideInfo: 32,
	}
	later, mono := 0, b[3]>>6 == 3
	switch {
	case version == 3 && mono:
		fr.sideInfo = 17
	case version != 3:
		later, fr.samples, fr.rate, fr.sideInfo = 1, 576, fr.rate/2, 17
		if mono {
			fr.sideInfo = 9
		}
	}
	if version == 0 {
		fr.rate /= 2
	}
	fr.bitrate = 1000 * mp3Bitrates[later][b[2]>>4]
	if fr.rate == 0 || fr.bitrate == 0 {
		return mp3Frame{}, false
	}
	fr.length = fr.samples/8*fr.bitrate/fr.rate + int64(b[2]>>1&1)
	return fr, true
}

func inspectMP3(f *file) (Info, error) {
	start, err := f.afterID3()
	if err != nil {
		return Info{}, err
	}
	f.inChunks()
	first, start, err := f.firstMP3Frame(start)
	if err != nil {
		return Info{}, err
	}
	frames, summary, err := f.mp3Summary(first, start)
	if err != nil {
		return Info{}, err
	}
	if summary {
		start += first.length
	}
	sound := max(0, f.size-start)
	if sound > maxCounted && frames == 0 {
		// Nobody counted: as if the bitrate were the same all through.
		return Info{Format: MP3, Duration: lasting(uint64(sound), uint64(first.bitrate/8))}, nil
	}
	if sound <= maxCounted {
		if frames, err = f.countMP3Frames(first.kind, start); err != nil {
			return Info{}, err
		}
	}
	return Info{Format: MP3, Duration: lasting(uint64(frames*first.samples), uint64(first.rate))}, nil
}

// afterID3 is the place behind the ID3v2 tags at the beginning.
func (f *file) afterID3() (int64, error) {
	for offset := int64(0); ; {
		b, err := f.atMost(offset, 10)
		if err != nil {
			return 0, err
		}
		if len(b) < 10 || string(b[:3]) != "ID3" {
			return offset, nil
		}
		if err := f.step(); err != nil {
			return 0, err
		}
		size := int64(0)
		for _, seven := range b[6:10] {
			if seven >= 0x80 {
				return 0, ErrUnknown
			}
			size = size<<7 | int64(seven)
		}
		if footer := b[5]&0x10 != 0; footer {
			size += 10
		}
		offset += 10 + size
	}
}

// firstMP3Frame finds the first frame, which another one must follow. Behind a tag it may
// be a little away from offset; at the beginning of a file it stands there at once.
func (f *file) firstMP3Frame(offset int64) (mp3Frame, int64, error) {
	last := offset
	if offset > 0 {
		last += maxPadding
	}
	for ; offset <= last; offset++ {
		b, err := f.at(offset, 4)
		if err != nil {
			return mp3Frame{}, 0, err
		}
		first, ok := parseMP3Frame(b)
		if !ok {
			continue
		}
		if b, err = f.atMost(offset+first.length, 4); err != nil {
			return mp3Frame{}, 0, err
		}
		if second, ok := parseMP3Frame(b); ok && second.kind == first.kind {
			return first, offset, nil
		}
	}
	return mp3Frame{}, 0, ErrUnknown
}

// mp3Summary tells whether the frame at offset is the silent one in which an encoder
// writes about the whole file, and how many frames it counts there, if it does.
func (f *file) mp3Summary(fr mp3Frame, offset int64) (frames int64, ok bool, err error) {
	b, err := f.atMost(offset, int(min(fr.length, 4+2+32+26)))
	if err != nil {
		return 0, false, err
	}
	for _, crc := range []int64{0, 2} { // some encoders leave room for a checksum, some do not
		at := int(4 + crc + fr.sideInfo)
		if len(b) < at+8 || string(b[at:at+4]) != "Xing" && string(b[at:at+4]) != "Info" {
			continue
		}
		if counted := b[at+7]&1 != 0; counted && len(b) >= at+12 {
			frames = int64(binary.BigEndian.Uint32(b[at+8:]))
		}
		return frames, true, nil
	}
	if at := 4 + 32; len(b) >= at+18 && string(b[at:at+4]) == "VBRI" {
		return int64(binary.BigEndian.Uint32(b[at+14:])), true, nil
	}
	return 0, false, nil
}

// countMP3Frames counts the whole frames of a kind from offset on, up to where something
// else begins: a tag, junk, the end.
func (f *file) countMP3Frames(kind byte, offset int64) (frames int64, err error) {
	for {
		b, err := f.atMost(offset, maxGap+4)
		if err != nil {
			return 0, err
		}
		fr, ok := parseMP3Frame(b)
		for ; !(ok && fr.kind == kind) && len(b) > 4; fr, ok = parseMP3Frame(b) {
			b, offset = b[1:], offset+1
		}
		if !ok || fr.kind != kind || fr.length > f.size-offset {
			return frames, nil
		}
		frames++
		offset += fr.length
	}
}
