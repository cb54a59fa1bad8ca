package media

import (
	"encoding/binary"
	"math"
	"time"
)

func inspectMP4(f *file) (Info, error) {
	info, found := Info{Format: MP4}, false
	err := f.boxes(0, f.size, func(b box) (bool, error) {
		if b.kind != "moov" {
			return false, nil
		}
		var err error
		info.Duration, err = f.movieDuration(b)
		found = true
		return true, err
	})
	if err == nil && !found {
		err = ErrUnknown
	}
	return info, err
}

// movieDuration reads a moov box, which must hold an mvhd.
func (f *file) movieDuration(moov box) (time.Duration, error) {
	var units, perSecond uint64
	found := false
	err := f.boxes(moov.start, moov.end, func(b box) (bool, error) {
		switch b.kind {
		case "mvhd":
			version, fields, err := f.versioned(b, 16, 28)
			if err != nil {
				return true, err
			}
			found = true
			perSecond = uint64(binary.BigEndian.Uint32(fields[8*(1+version):]))
			units = max(units, timeUnits(version, fields[8*(1+version)+4:]))
		case "mvex":
			// A movie in fragments has 0 in mvhd, or the length of its first part.
			return false, f.boxes(b.start, b.end, func(b box) (bool, error) {
				if b.kind != "mehd" {
					return false, nil
				}
				version, fields, err := f.versioned(b, 4, 8)
				if err == nil {
					units = max(units, timeUnits(version, fields))
				}
				return true, err
			})
		}
		return false, nil
	})
	if err == nil && !found {
		err = ErrUnknown
	}
	return lasting(units, perSecond), err
}

// box is where a box of an mp4 file stands: its content is from start up to end.
type box struct {
	kind       string
	start, end int64
}

// boxes calls visit for each box from start up to end, until visit says that it is done.
// A box that does not fit there is ErrUnknown; a rest too short for a box is passed over.
func (f *file) boxes(start, end int64, visit func(box) (done bool, err error)) error {
	for start <= end-8 {
		if err := f.step(); err != nil {
			return err
		}
		b, err := f.atMost(start, 16)
		if err != nil {
			return err
		}
		if len(b) < 8 {
			return ErrUnknown
		}
		header, size := int64(8), uint64(binary.BigEndian.Uint32(b))
		switch size {
		case 0:
			size = uint64(end - start)
		case 1:
			if len(b) < 16 {
				return ErrUnknown
			}
			header, size = 16, binary.BigEndian.Uint64(b[8:])
		}
		if size < uint64(header) || size > uint64(end-start) {
			return ErrUnknown
		}
		next := start + int64(size)
		if done, err := visit(box{string(b[4:8]), start + header, next}); done || err != nil {
			return err
		}
		start = next
	}
	return nil
}

// versioned gives the version, 0 or 1, of a box that begins with one, and what follows it:
// as many bytes as that version needs.
func (f *file) versioned(b box, need0, need1 int) (version int, fields []byte, err error) {
	head, err := f.atMost(b.start, 4+need1)
	if err != nil {
		return 0, nil, err
	}
	head = head[:min(int64(len(head)), b.end-b.start)]
	if len(head) < 4+need0 || head[0] > 1 || head[0] == 1 && len(head) < 4+need1 {
		return 0, nil, ErrUnknown
	}
	return int(head[0]), head[4:], nil
}

// timeUnits reads a count that is 32 bits wide in version 0 and 64 in version 1. All ones
// means that it is not known.
func timeUnits(version int, b []byte) uint64 {
	if version == 1 {
		if n := binary.BigEndian.Uint64(b); n != math.MaxUint64 {
			return n
		}
		return 0
	}
	if n := binary.BigEndian.Uint32(b); n != math.MaxUint32 {
		return uint64(n)
	}
	return 0
}
