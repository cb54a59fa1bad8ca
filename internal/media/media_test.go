package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fixtures are the files of testdata/files, each as a player or an editor writes it.
var fixtures = map[string]Info{
	"picture.jpg":    {Format: JPEG, Width: 40, Height: 30},
	"picture.png":    {Format: PNG, Width: 40, Height: 30},
	"paletted.png":   {Format: PNG, Width: 40, Height: 30},
	"deep.png":       {Format: PNG, Width: 40, Height: 30},
	"picture.bmp":    {Format: BMP, Width: 40, Height: 30},
	"animated.gif":   {Format: GIF, Width: 40, Height: 30},
	"cbr.mp3":        {Format: MP3, Duration: 540 * time.Millisecond},          // 15 frames of 36 ms
	"vbr.mp3":        {Format: MP3, Duration: 22 * 1152 * time.Second / 44100}, // 22 frames
	"bare.mp3":       {Format: MP3, Duration: 576 * time.Millisecond},          // 16 frames of 36 ms
	"tagged.mp3":     {Format: MP3, Duration: 648 * time.Millisecond},          // 9 frames of 72 ms
	"checksum.mp3":   {Format: MP3, Duration: 552 * time.Millisecond},          // 23 frames of 24 ms
	"plain.wav":      {Format: WAV, Duration: 500 * time.Millisecond},
	"piped.wav":      {Format: WAV, Duration: 500 * time.Millisecond},
	"adpcm.wav":      {Format: WAV, Duration: 510250 * time.Microsecond},
	"voice.amr":      {Format: AMR, Duration: 500 * time.Millisecond},
	"voice.wma":      {Format: WMA, Duration: 510 * time.Millisecond},
	"behind.mp4":     {Format: MP4, Duration: time.Second},
	"front.mp4":      {Format: MP4, Duration: time.Second},
	"partly.mp4":     {Format: MP4, Duration: 400 * time.Millisecond}, // of its first part; it says no more
	"fragmented.mp4": {Format: MP4},
	"sound.m4a":      {Format: MP4, Duration: 500 * time.Millisecond},
	"video.wmv":      {},
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "files", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestInspectFixtures(t *testing.T) {
	entries, err := os.ReadDir(filepath.Join("testdata", "files"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := fixtures[e.Name()]; !ok {
			t.Errorf("%s is in the folder but not in the table", e.Name())
		}
	}
	for name, want := range fixtures {
		inspected(t, name, string(fixture(t, name)), want)
	}
}

// inspected checks what Inspect says of a file. No format wanted means ErrUnknown.
func inspected(t *testing.T, name, file string, want Info) {
	t.Helper()
	got, err := Inspect(strings.NewReader(file), int64(len(file)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
	if want.Format == "" && err != ErrUnknown || want.Format != "" && err != nil {
		t.Errorf("%s: error %v", name, err)
	}
}

func TestInspectForeign(t *testing.T) {
	for name, file := range map[string]string{
		"nothing":              "",
		"one byte":             "\xff",
		"text":                 "hello, this is a text of some length",
		"html":                 "<!DOCTYPE html><html><body>BM GIF89a</body></html>",
		"text in utf-16":       "\xff\xfeh\x00e\x00l\x00l\x00o\x00,\x00 \x00t\x00e\x00x\x00t\x00",
		"text in utf-16 swaps": "\xfe\xff\x00h\x00e\x00l\x00l\x00o\x00,\x00 \x00t\x00e",
		"text that begins BM":  "BMW is a maker of cars and of motorcycles in Munich",
		"webp":                 "RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00/\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00",
		"aac":                  "\xff\xf1\x50\x80\x02\x1f\xfc\xff\xf1\x50\x80\x02\x1f\xfc",
		"heic":                 mp4Box("ftyp", "heic", be32(0), "mif1") + mp4Box("meta", be32(0)),
		"flac":                 "fLaC\x00\x00\x00\x22" + strings.Repeat("\x00", 34),
		"ogg":                  "OggS\x00\x02" + strings.Repeat("\x00", 50),
		"zip":                  "PK\x03\x04" + strings.Repeat("\x00", 50),
		"zeros":                strings.Repeat("\x00", 9000),
		"ones":                 strings.Repeat("\xff", 9000),
	} {
		inspected(t, name, file, Info{})
	}
}

func TestInspectCutShort(t *testing.T) {
	for name, want := range fixtures {
		whole := fixture(t, name)
		for n := range whole {
			got, err := Inspect(bytes.NewReader(whole[:n]), int64(n))
			switch {
			case err == nil && (got.Format != want.Format || got.Width != want.Width || got.Height != want.Height):
				t.Fatalf("the first %d bytes of %s are %+v", n, name, got)
			case err != nil && err != ErrUnknown:
				t.Fatalf("the first %d bytes of %s: %v", n, name, err)
			}
			// The same where the size promises more than there is.
			if _, err := Inspect(bytes.NewReader(whole[:n]), int64(len(whole))); err != nil && err != ErrUnknown {
				t.Fatalf("%s, whose reader ends at %d: %v", name, n, err)
			}
		}
	}
}

func TestInspectSizeLies(t *testing.T) {
	for name, want := range fixtures {
		whole := fixture(t, name)
		for _, size := range []int64{-1 << 63, -1, 0} {
			if _, err := Inspect(bytes.NewReader(whole), size); err != ErrUnknown {
				t.Errorf("%s of size %d: %v", name, size, err)
			}
		}
		got, err := Inspect(bytes.NewReader(whole), 1<<63-1)
		if err != nil && err != ErrUnknown || got.Duration < 0 || err == nil && got.Format != want.Format {
			t.Errorf("%s of an endless size: %+v, %v", name, got, err)
		}
	}
}

var errBroken = errors.New("the disk is broken")

// brokenAt reads up to a place and fails there.
type brokenAt struct {
	file []byte
	at   int64
}

func (b brokenAt) ReadAt(p []byte, offset int64) (int, error) {
	if offset >= b.at {
		return 0, errBroken
	}
	if n := copy(p, b.file[offset:b.at]); n < len(p) {
		return n, errBroken
	}
	return len(p), nil
}

func TestInspectReaderBreaks(t *testing.T) {
	for name, want := range fixtures {
		whole := fixture(t, name)
		for at := range whole {
			got, err := Inspect(brokenAt{whole, int64(at)}, int64(len(whole)))
			if want.Format == "" && err == ErrUnknown {
				continue // seen before it broke
			}
			if err != errBroken && (err != nil || got != want) {
				t.Fatalf("%s breaks at %d: %+v, %v", name, at, got, err)
			}
		}
		if _, err := Inspect(brokenAt{whole, 0}, int64(len(whole))); err != errBroken {
			t.Errorf("%s breaks at once: %v", name, err)
		}
	}
}

// endless is a file that begins with one text and then says another over and over. It
// counts what is read of it.
type endless struct {
	begin, again string
	read         int64
}

const endlessSize = 1 << 40

func (e *endless) ReadAt(p []byte, offset int64) (int, error) {
	e.read += int64(len(p))
	n := 0
	if offset < int64(len(e.begin)) {
		n = copy(p, e.begin[offset:])
	}
	for n < len(p) {
		at := (offset + int64(n) - int64(len(e.begin))) % int64(len(e.again))
		n += copy(p[n:], e.again[at:])
	}
	return n, nil
}

func TestInspectHostile(t *testing.T) {
	asfObject := strings.Repeat("x", 16) + le64(24)
	for name, file := range map[string]*endless{
		"jpeg of fill bytes":         {begin: "\xff\xd8", again: "\xff"},
		"jpeg of restart markers":    {begin: "\xff\xd8", again: "\xff\xd0"},
		"jpeg of empty segments":     {begin: "\xff\xd8", again: "\xff\xe1\x00\x02"},
		"jpeg of long segments":      {begin: "\xff\xd8", again: "\xff\xe1\xff\xff" + strings.Repeat("x", 0xfffd)},
		"mp4 of empty boxes":         {begin: mp4Box("ftyp", "isom"), again: mp4Box("free")},
		"mp4 of long boxes":          {begin: mp4Box("ftyp", "isom"), again: mp4Box("free", strings.Repeat("x", 9000))},
		"moov of empty boxes":        {begin: mp4Box("ftyp", "isom") + be32(0) + "moov", again: mp4Box("free")},
		"mvex of empty boxes":        {begin: mp4Box("ftyp", "isom") + be32(0) + "moov" + be32(0) + "mvex", again: mp4Box("free")},
		"wav of empty chunks":        {begin: "RIFF\x00\x00\x00\x00WAVE", again: "LIST\x00\x00\x00\x00"},
		"wav of long chunks":         {begin: "RIFF\x00\x00\x00\x00WAVE", again: "LIST" + le32(9000) + strings.Repeat("x", 9000)},
		"wav of formats":             {begin: "RIFF\x00\x00\x00\x00WAVE", again: wavFormat(1, 1, 8000, 8000, 8)},
		"wma of empty objects":       {begin: asf(endlessSize), again: asfObject},
		"mp3 of tags":                {again: "ID3\x04\x00\x00\x00\x00\x00\x00"},
		"mp3 of padding":             {begin: "ID3\x04\x00\x00\x00\x00\x00\x00", again: "\x00"},
		"mp3 of single frames":       {begin: "ID3\x04\x00\x00\x00\x00\x00\x00", again: "\xff\xfb\x14\xc4abc"},
		"mp3 of frames that overlap": {again: "\xff\xfb"},
	} {
		start := time.Now()
		if got, err := Inspect(file, endlessSize); err != ErrUnknown {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if most := int64(maxSteps+1) * pageBytes; file.read > most {
			t.Errorf("%s: %d bytes were read, %d at most", name, file.read, most)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

func TestInspectEndlessFrames(t *testing.T) {
	for name, c := range map[string]struct {
		file *endless
		want time.Duration
		read int64
	}{
		"amr":               {&endless{begin: amrMagic, again: strings.Repeat("\x7c", 4096)}, (1<<34 - 6) * 20 * time.Millisecond, maxCounted + 4*chunkBytes},
		"mp3":               {&endless{again: mp3Bytes(mp3At32k)}, lasting(endlessSize, 4000), 4 * chunkBytes},
		"mp3 that counts":   {&endless{begin: mp3Summary("Xing", 1000), again: mp3Bytes(mp3At32k)}, 36 * time.Second, 4 * chunkBytes},
		"mp3 counts at end": {&endless{begin: mp3VBRI(2000), again: mp3Bytes(mp3At32k)}, 72 * time.Second, 4 * chunkBytes},
		"wav":               {&endless{begin: "RIFF\x00\x00\x00\x00WAVE" + wavFormat(1, 1, 8000, 8000, 8) + "data\xff\xff\xff\xff", again: "x"}, lasting(endlessSize-44, 8000), 4 * chunkBytes},
	} {
		size := int64(endlessSize)
		if name == "amr" {
			size = 1 << 34 // more would last longer than can be said
		}
		got, err := Inspect(c.file, size)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if off := got.Duration - c.want; off < -time.Second || off > time.Second {
			t.Errorf("%s plays %v, not %v", name, got.Duration, c.want)
		}
		if c.file.read > c.read {
			t.Errorf("%s: %d bytes were read, %d at most", name, c.file.read, c.read)
		}
	}
}

func TestInspectReadsLittle(t *testing.T) {
	const size = 10 << 20
	for name, begin := range map[string]string{
		"png":  string(fixture(t, "picture.png")),
		"gif":  string(fixture(t, "animated.gif")),
		"bmp":  string(fixture(t, "picture.bmp")),
		"jpeg": string(fixture(t, "picture.jpg")),
		"jpeg with much in front": "\xff\xd8" + strings.Repeat("\xff\xe1\xff\xff"+strings.Repeat("x", 0xfffd), 8) +
			string(fixture(t, "picture.jpg")[2:]),
		"mp4 whose moov is behind": string(fixture(t, "front.mp4")[:32]) +
			mp4Box("mdat", strings.Repeat("x", 9<<20)) + string(mp4Box("moov", mvhd0(1000, 1000))),
	} {
		file := &endless{begin: begin, again: "x"}
		info, err := Inspect(file, size)
		if err != nil {
			t.Errorf("%s: %+v, %v", name, info, err)
		}
		if file.read > 12*pageBytes {
			t.Errorf("%s: %d bytes were read", name, file.read)
		}
	}
}

func TestFormat(t *testing.T) {
	for f, want := range map[Format][2]string{
		JPEG:    {"image/jpeg", "jpg"},
		PNG:     {"image/png", "png"},
		GIF:     {"image/gif", "gif"},
		BMP:     {"image/bmp", "bmp"},
		MP3:     {"audio/mpeg", "mp3"},
		WMA:     {"audio/x-ms-wma", "wma"},
		WAV:     {"audio/wav", "wav"},
		AMR:     {"audio/amr", "amr"},
		MP4:     {"video/mp4", "mp4"},
		"":      {"application/octet-stream", "bin"},
		"heic":  {"application/octet-stream", "bin"},
		"../..": {"application/octet-stream", "bin"},
	} {
		if got := [2]string{f.MediaType(), f.Ext()}; got != want {
			t.Errorf("%q: %q, want %q", f, got, want)
		}
	}
}

func TestLasting(t *testing.T) {
	for _, c := range []struct {
		n, perSecond uint64
		want         time.Duration
	}{
		{0, 0, 0},
		{5, 0, 0},
		{0, 5, 0},
		{1, 1, time.Second},
		{1, 3, 333333333},
		{44100, 44100, time.Second},
		{1<<64 - 1, 1, 1<<63 - 1},
		{1 << 53, 1 << 20, 1 << 33 * time.Second},
		{1<<64 - 1, 1<<64 - 1, time.Second},
		{1<<64 - 1, 2_000_000_000, 1<<63 - 1},
	} {
		if got := lasting(c.n, c.perSecond); got != c.want {
			t.Errorf("%d units at %d a second last %d, want %d", c.n, c.perSecond, got, c.want)
		}
	}
}

func FuzzInspect(f *testing.F) {
	for name := range fixtures {
		f.Add(fixture(f, name))
	}
	f.Add([]byte(mp3Bytes(mp3At32k) + mp3Bytes(mp3At32k)))
	f.Add([]byte("ID3\x04\x00\x10\x00\x00\x00\x02xx3DI\x04\x00\x10\x00\x00\x00\x02\x00\x00" + mp3Bytes(mp3At32k) + mp3Bytes(mp3At32k)))
	f.Add([]byte(mp3VBRI(2) + mp3Bytes(mp3At32k)))
	f.Add([]byte(amrWBMagic + "\x04" + strings.Repeat("x", 17)))
	f.Add([]byte(mp4Box("ftyp", "isom") + mp4Box("moov", mvhd1(1, 0), mp4Box("mvex", mp4Box("mehd", be32(1<<24), be64(9))))))
	f.Add([]byte("\x00\x00\x00\x01ftyp" + be64(20) + "isom" + be32(0) + "moov" + mvhd0(1, 1)))
	f.Fuzz(func(t *testing.T, file []byte) {
		info, err := Inspect(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			if err != ErrUnknown || info != (Info{}) {
				t.Fatalf("%+v, %v", info, err)
			}
			return
		}
		wellFormed(t, info)
		// A file that ends in the middle, or a reader that does, is never another format.
		half := int64(len(file) / 2)
		for _, r := range []io.ReaderAt{bytes.NewReader(file[:half]), brokenAt{file, half}} {
			got, err := Inspect(r, int64(len(file)))
			switch {
			case err == nil && got.Format != info.Format:
				t.Fatalf("half of a %s is a %s", info.Format, got.Format)
			case err == nil:
				wellFormed(t, got)
			case err != ErrUnknown && err != errBroken:
				t.Fatal(err)
			}
		}
	})
}

func wellFormed(t *testing.T, info Info) {
	switch info.Format {
	case JPEG, PNG, GIF, BMP:
		if info.Width < 1 || info.Height < 1 || info.Duration != 0 {
			t.Fatalf("%+v", info)
		}
	case MP3, WMA, WAV, AMR, MP4:
		if info.Width != 0 || info.Height != 0 || info.Duration < 0 {
			t.Fatalf("%+v", info)
		}
	default:
		t.Fatalf("%+v", info)
	}
}

func BenchmarkInspect(b *testing.B) {
	for _, name := range []string{
		"picture.jpg", "picture.png", "animated.gif", "picture.bmp", "cbr.mp3", "plain.wav", "voice.amr", "voice.wma", "behind.mp4",
	} {
		b.Run(name, func(b *testing.B) { benchmarkInspect(b, fixture(b, name)) })
	}
	b.Run("2MB.mp3", func(b *testing.B) {
		benchmarkInspect(b, []byte(strings.Repeat(mp3Bytes(mp3At32k), 2<<20/len(mp3Bytes(mp3At32k)))))
	})
	b.Run("2MB.amr", func(b *testing.B) {
		benchmarkInspect(b, []byte(amrMagic+strings.Repeat("\x3c"+strings.Repeat("x", 31), 2<<20/32)))
	})
}

func benchmarkInspect(b *testing.B, file []byte) {
	b.ReportAllocs()
	r := bytes.NewReader(file)
	for b.Loop() {
		if _, err := Inspect(r, int64(len(file))); err != nil {
			b.Fatal(err)
		}
	}
}

// Numbers as headers hold them, most (be) or least (le) significant byte first.
func be16(n uint16) string { return string(binary.BigEndian.AppendUint16(nil, n)) }
func be32(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }
func be64(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
func le16(n uint16) string { return string(binary.LittleEndian.AppendUint16(nil, n)) }
func le32(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }
func le64(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
