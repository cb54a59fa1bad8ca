package media

import (
	"encoding/binary"
	"math"
	"time"
)

func inspectWAV(f *file) (Info, error) {
	le := binary.LittleEndian
	var sound wavSound
	haveFormat, haveData := false, false
	for offset := int64(12); !haveFormat || !haveData; {
		if err := f.step(); err != nil {
			return Info{}, err
		}
		b, err := f.at(offset, 8)
		if err != nil {
			return Info{}, err
		}
		kind, size := string(b[:4]), int64(le.Uint32(b[4:]))
		offset += 8
		switch kind {
		case "fmt ":
			if size < 16 {
				return Info{}, ErrUnknown
			}
			if b, err = f.at(offset, 16); err != nil {
				return Info{}, err
			}
			if !sound.describe(b) {
				return Info{}, ErrUnknown
			}
			haveFormat = true
		case "fact":
			if b, err = f.atMost(offset, 4); err != nil {
				return Info{}, err
			}
			if size >= 4 && len(b) == 4 {
				sound.samples = uint64(le.Uint32(b))
			}
		case "data":
			// Who writes to a pipe cannot go back to fill in the size.
			if size == 0 || size == math.MaxUint32 || size > f.size-offset {
				size = f.size - offset
			}
			sound.bytes, haveData = uint64(size), true
		}
		offset += size + size&1 // chunks begin at even places
	}
	return Info{Format: WAV, Duration: sound.duration()}, nil
}

// wavSound is what a WAV file says about its sound. Both rates are for a second.
type wavSound struct {
	pcm                  bool
	sampleRate, byteRate uint64
	bytes                uint64
	samples              uint64 // of one channel; 0 or all ones where it is not said
}

// describe reads a format chunk. ok is false where it does not tell how fast to play.
func (s *wavSound) describe(b []byte) (ok bool) {
	le := binary.LittleEndian
	s.pcm, s.sampleRate, s.byteRate = le.Uint16(b) == 1, uint64(le.Uint32(b[4:])), uint64(le.Uint32(b[8:]))
	if s.byteRate == 0 {
		channels, bits := uint64(le.Uint16(b[2:])), uint64(le.Uint16(b[14:]))
		s.byteRate = s.sampleRate * channels * bits / 8
	}
	return s.byteRate > 0
}

func (s *wavSound) duration() time.Duration {
	// Compressed sound often has a byte rate that is wrong, but a right count of samples.
	if !s.pcm && s.sampleRate > 0 && s.samples > 0 && s.samples < math.MaxUint32 {
		return lasting(s.samples, s.sampleRate)
	}
	return lasting(s.bytes, s.byteRate)
}

const (
	amrMagic   = "#!AMR\n"
	amrWBMagic = "#!AMR-WB\n"
)

// A frame of AMR begins with a byte that holds its type, which tells its length in bytes,
// that byte included. Zero is a type that does not stand in files.
var (
	amrLengths   = [16]int64{13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1}
	amrWBLengths = [16]int64{18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1}
)

const amrFrame = 20 * time.Millisecond

func inspectAMR(f *file) (Info, error) {
	f.inChunks()
	lengths, start := &amrLengths, int64(len(amrMagic))
	if b, err := f.atMost(0, len(amrWBMagic)); err != nil {
		return Info{}, err
	} else if string(b) == amrWBMagic {
		lengths, start = &amrWBLengths, int64(len(amrWBMagic))
	}
	offset, frames, sound := start, uint64(0), f.size-start
	for offset < f.size {
		b, err := f.at(offset, 1)
		if err != nil && err != ErrUnknown {
			return Info{}, err
		}
		length := int64(0)
		if err == nil && b[0]&0x83 == 0 { // bits that are always 0
			length = lengths[b[0]>>3&15]
		}
		if length == 0 || length > f.size-offset {
			break
		}
		frames++
		if offset += length; offset-start >= maxCounted {
			// The rest is taken to be like what was counted.
			return Info{Format: AMR, Duration: lasting(uint64(float64(frames)*float64(sound)/float64(offset-start)), uint64(time.Second/amrFrame))}, nil
		}
	}
	if frames == 0 {
		return Info{}, ErrUnknown
	}
	return Info{Format: AMR, Duration: lasting(frames, uint64(time.Second/amrFrame))}, nil
}

// guid is an identifier as ASF stores it.
type guid [16]byte

var (
	asfHeader = guid{0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C}
	asfFile   = guid{0xA1, 0xDC, 0xAB, 0x8C, 0x47, 0xA9, 0xCF, 0x11, 0x8E, 0xE4, 0x00, 0xC0, 0x0C, 0x20, 0x53, 0x65}
	asfStream = guid{0x91, 0x07, 0xDC, 0xB7, 0xB7, 0xA9, 0xCF, 0x11, 0x8E, 0xE6, 0x00, 0xC0, 0x0C, 0x20, 0x53, 0x65}
	asfVideo  = guid{0xC0, 0xEF, 0x19, 0xBC, 0x4D, 0x5B, 0xCF, 0x11, 0xA8, 0xFD, 0x00, 0x80, 0x5F, 0x5C, 0x44, 0x2B}
)

// inspectWMA reads the objects of an ASF header, which is the same for sound and for
// video: a file with a video stream is no wma.
func inspectWMA(f *file) (Info, error) {
	le := binary.LittleEndian
	b, err := f.at(16, 8)
	if err != nil {
		return Info{}, err
	}
	if size := le.Uint64(b); size < 30 || size > uint64(f.size) {
		return Info{}, ErrUnknown
	}
	info, found := Info{Format: WMA}, false
	for offset, end := int64(30), int64(le.Uint64(b)); offset <= end-24; {
		if err := f.step(); err != nil {
			return Info{}, err
		}
		if b, err = f.at(offset, 24); err != nil {
			return Info{}, err
		}
		size := le.Uint64(b[16:])
		if size < 24 || size > uint64(end-offset) {
			return Info{}, ErrUnknown
		}
		switch guid(b[:16]) {
		case asfFile:
			if size < 104 {
				return Info{}, ErrUnknown
			}
			if b, err = f.at(offset, 104); err != nil {
				return Info{}, err
			}
			info.Duration, found = playing(b), true
		case asfStream:
			if size < 40 {
				return Info{}, ErrUnknown
			}
			if b, err = f.at(offset+24, 16); err != nil {
				return Info{}, err
			}
			if guid(b) == asfVideo {
				return Info{}, ErrUnknown
			}
		}
		offset += int64(size)
	}
	if !found {
		return Info{}, ErrUnknown
	}
	return info, nil
}

// playing is how long a file plays, by its File Properties object.
func playing(properties []byte) time.Duration {
	le := binary.LittleEndian
	if broadcast := le.Uint32(properties[88:])&1 != 0; broadcast { // the length was not known when this was written
		return 0
	}
	total := lasting(le.Uint64(properties[64:]), uint64(time.Second/(100*time.Nanosecond)))
	preroll := lasting(le.Uint64(properties[80:]), uint64(time.Second/time.Millisecond))
	return max(0, total-preroll)
}
