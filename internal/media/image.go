package media

import (
	"encoding/binary"
	"math"
)

func inspectPNG(f *file) (Info, error) {
	b, err := f.at(8, 16)
	if err != nil {
		return Info{}, err
	}
	if binary.BigEndian.Uint32(b) != 13 || string(b[4:8]) != "IHDR" {
		return Info{}, ErrUnknown
	}
	return picture(PNG, int64(binary.BigEndian.Uint32(b[8:])), int64(binary.BigEndian.Uint32(b[12:])))
}

func inspectGIF(f *file) (Info, error) {
	b, err := f.at(6, 4)
	if err != nil {
		return Info{}, err
	}
	return picture(GIF, int64(binary.LittleEndian.Uint16(b)), int64(binary.LittleEndian.Uint16(b[2:])))
}

func inspectBMP(f *file) (Info, error) {
	b, err := f.at(14, 12)
	if err != nil {
		return Info{}, err
	}
	le := binary.LittleEndian
	switch le.Uint32(b) { // the header's own length tells which of the known ones it is
	case 12:
		return picture(BMP, int64(le.Uint16(b[4:])), int64(le.Uint16(b[6:])))
	case 40, 52, 56, 64, 108, 124:
		width, height := int64(int32(le.Uint32(b[4:]))), int64(int32(le.Uint32(b[8:])))
		if height < 0 { // the rows are stored from the top
			height = -height
		}
		return picture(BMP, width, height)
	}
	return Info{}, ErrUnknown
}

func inspectJPEG(f *file) (info Info, err error) {
	err = f.segments(func(marker byte, offset int64, length int) (bool, error) {
		if !startsFrame(marker) {
			return false, nil
		}
		b, err := f.at(offset, 6) // precision, height, width, count of components
		if err != nil {
			return true, err
		}
		if components := int(b[5]); b[0] == 0 || components == 0 || length < 6+3*components {
			return true, ErrUnknown
		}
		info, err = picture(JPEG, int64(binary.BigEndian.Uint16(b[3:])), int64(binary.BigEndian.Uint16(b[1:])))
		return true, err
	})
	return info, err
}

// startsFrame tells whether marker is one of the SOFn: the numbers from 0xC0 to 0xCF but
// for three that mean something else (Huffman tables, a reserved one, arithmetic coding's
// conditions).
func startsFrame(marker byte) bool {
	return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC
}

// segments calls visit for each segment of a JPEG's header with the place and length of
// what it holds, until visit says that it is done. A header that ends first is ErrUnknown.
func (f *file) segments(visit func(marker byte, offset int64, length int) (done bool, err error)) error {
	for offset := int64(2); ; {
		if err := f.step(); err != nil {
			return err
		}
		b, err := f.at(offset, 2)
		if err != nil {
			return err
		}
		marker := b[1]
		switch {
		case b[0] != 0xFF:
			return ErrUnknown
		case marker == 0xFF: // a fill byte
			offset++
			continue
		case marker == 0x01, marker >= 0xD0 && marker <= 0xD8: // these hold nothing
			offset += 2
			continue
		case marker == 0x00, marker == 0xD9, marker == 0xDA: // the end, or the data, came first
			return ErrUnknown
		}
		if b, err = f.at(offset+2, 2); err != nil {
			return err
		}
		length := int(binary.BigEndian.Uint16(b))
		if length < 2 {
			return ErrUnknown
		}
		if done, err := visit(marker, offset+4, length-2); done || err != nil {
			return err
		}
		offset += 2 + int64(length)
	}
}

// picture is an Info of a picture, whose sides must be there and fit into an int.
func picture(format Format, width, height int64) (Info, error) {
	if width <= 0 || height <= 0 || width > math.MaxInt32 || height > math.MaxInt32 {
		return Info{}, ErrUnknown
	}
	return Info{Format: format, Width: int(width), Height: int(height)}, nil
}
