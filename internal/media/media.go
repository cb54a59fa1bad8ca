// Package media tells what a file is, scales pictures, and says what an article's HTML may hold.
package media

import (
	"errors"
	"io"
	"math"
	"math/bits"
	"time"
)

// Format is what a file is, told from its bytes; never from its name.
type Format string

// The formats of the API's documents.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	GIF  Format = "gif"
	BMP  Format = "bmp"
	MP3  Format = "mp3"
	WMA  Format = "wma"
	WAV  Format = "wav"
	AMR  Format = "amr"
	MP4  Format = "mp4"
)

// MediaType is the value of Content-Type for a file of format f; for a format that is
// none of the constants it is application/octet-stream.
func (f Format) MediaType() string {
	switch f {
	case JPEG, PNG, GIF, BMP:
		return "image/" + string(f)
	case MP3:
		return "audio/mpeg"
	case WMA:
		return "audio/x-ms-wma"
	case WAV, AMR:
		return "audio/" + string(f)
	case MP4:
		return "video/mp4"
	}
	return "application/octet-stream"
}

// Ext is the suffix of a file's name, without the dot; for a format that is none of the
// constants it is bin.
func (f Format) Ext() string {
	switch f {
	case JPEG:
		return "jpg"
	case PNG, GIF, BMP, MP3, WMA, WAV, AMR, MP4:
		return string(f)
	}
	return "bin"
}

// Info is what a file's headers tell.
type Info struct {
	Format Format

	// Width and Height are a picture's pixels as they are stored: a rotation that an Exif
	// header asks for is not applied. Zero for voices and videos.
	Width, Height int

	// Duration is how long a voice or a video plays. Zero for pictures, and where the file
	// does not say. A video in fragments may tell the length of its first part alone.
	Duration time.Duration
}

// ErrUnknown is Inspect's error for a file that is none of the formats, or is damaged in
// its header.
var ErrUnknown = errors.New("media: not a known format")

// Inspect tells what the first size bytes of r are. It reads headers alone, but for mp3
// and amr, where it counts the frames of up to 16 MB to know how long they play. Memory
// and time are bounded whatever the file says.
//
// A file that is none of the formats or is damaged in its header, which includes one that
// ends inside it, is ErrUnknown. Errors of r other than io.EOF and io.ErrUnexpectedEOF
// come out as they are.
func Inspect(r io.ReaderAt, size int64) (Info, error) {
	f := newFile(r, size)
	head, err := f.atMost(0, 16)
	if err != nil {
		return Info{}, err
	}
	inspect := inspector(head)
	if inspect == nil {
		return Info{}, ErrUnknown
	}
	info, err := inspect(f)
	if err != nil {
		return Info{}, err
	}
	return info, nil
}

// inspector finds the reader of a format by a file's first bytes.
func inspector(head []byte) func(*file) (Info, error) {
	begins := func(at int, s string) bool {
		return len(head) >= at+len(s) && string(head[at:at+len(s)]) == s
	}
	switch {
	case begins(0, "\xff\xd8"):
		return inspectJPEG
	case begins(0, "\x89PNG\r\n\x1a\n"):
		return inspectPNG
	case begins(0, "GIF87a"), begins(0, "GIF89a"):
		return inspectGIF
	case begins(0, "BM"):
		return inspectBMP
	case begins(4, "ftyp"):
		return inspectMP4
	case begins(0, "RIFF") && begins(8, "WAVE"):
		return inspectWAV
	case begins(0, amrMagic), begins(0, amrWBMagic):
		return inspectAMR
	case begins(0, string(asfHeader[:])):
		return inspectWMA
	case begins(0, "ID3"), len(head) >= 2 && head[0] == 0xFF && head[1]&0xE0 == 0xE0:
		return inspectMP3
	}
	return nil
}

const (
	pageBytes  = 4 << 10  // read at once where headers are looked at here and there
	chunkBytes = 32 << 10 // read at once where frames are counted one after the other

	maxSteps   = 4096     // boxes, chunks, segments or tags looked at in one file
	maxCounted = 16 << 20 // bytes of one file in which frames are counted
)

// file reads small pieces of a file through a window, so that neighbours cost one read.
type file struct {
	r     io.ReaderAt
	size  int64
	steps int // how many more boxes, chunks, segments or tags may be looked at

	window []byte
	offset int64 // of the window in the file
}

func newFile(r io.ReaderAt, size int64) *file {
	return &file{r: r, size: size, steps: maxSteps, window: make([]byte, 0, pageBytes)}
}

// inChunks makes a larger window, for reading one piece after the other.
func (f *file) inChunks() {
	f.window = append(make([]byte, 0, chunkBytes), f.window...)
}

// at gives the n bytes at offset, which hold until the next call. n is at most pageBytes.
// Where the file has fewer the error is ErrUnknown.
func (f *file) at(offset int64, n int) ([]byte, error) {
	b, err := f.atMost(offset, n)
	if err == nil && len(b) < n {
		err = ErrUnknown
	}
	return b, err
}

// atMost is at, but gives what there is where the file has fewer bytes.
func (f *file) atMost(offset int64, n int) ([]byte, error) {
	if offset < 0 || offset >= f.size {
		return nil, nil
	}
	n = int(min(int64(n), f.size-offset))
	if from := offset - f.offset; from >= 0 && from <= int64(len(f.window)-n) {
		return f.window[from : from+int64(n)], nil
	}
	f.window = f.window[:min(int64(cap(f.window)), f.size-offset)]
	got, err := f.r.ReadAt(f.window, offset)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		f.window = f.window[:0]
		return nil, err
	}
	f.window, f.offset = f.window[:got], offset
	return f.window[:min(n, got)], nil
}

// step is called once for each turn of a loop whose length the file decides.
func (f *file) step() error {
	if f.steps--; f.steps < 0 {
		return ErrUnknown
	}
	return nil
}

// lasting is the time that n units take at perSecond units a second: zero where perSecond
// is, and the longest time.Duration where it is longer than that.
func lasting(n, perSecond uint64) time.Duration {
	if perSecond == 0 {
		return 0
	}
	high, low := bits.Mul64(n, uint64(time.Second))
	if high >= perSecond {
		return math.MaxInt64
	}
	ns, _ := bits.Div64(high, low, perSecond)
	return time.Duration(min(ns, math.MaxInt64))
}
