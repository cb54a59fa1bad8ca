package demo

import (
	"bytes"
	"encoding/binary"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	_ "golang.org/x/image/bmp"
)

func TestCounts(t *testing.T) {
	types, formats := map[string]int{}, map[string]int{}
	for _, m := range All() {
		types[m.Type]++
		if m.Type == "image" || m.Type == "voice" {
			formats[strings.ToLower(filepath.Ext(m.Name))]++
		}
	}
	for kind, want := range map[string]int{"image": 51, "voice": 3, "video": 2, "news": 4} {
		if types[kind] != want {
			t.Errorf("%d of type %s, want %d", types[kind], kind, want)
		}
	}
	if len(types) != 4 {
		t.Errorf("types are %v", types)
	}
	for ext, want := range map[string]int{".png": 18, ".jpeg": 16, ".jpg": 9, ".gif": 4, ".bmp": 4, ".wav": 1, ".mp3": 1, ".amr": 1} {
		if formats[ext] != want {
			t.Errorf("%d files %s, want %d", formats[ext], ext, want)
		}
	}
}

func TestOrderAndIDs(t *testing.T) {
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{64}$`)
	all := All()
	seen := map[string]bool{}
	var last time.Time
	for i, m := range all {
		if seen[m.MediaID] {
			t.Errorf("%s is there twice", m.MediaID)
		}
		seen[m.MediaID] = true
		if m.MediaID == "61224425" {
			if m.Type != "image" || i < len(all)/4 || i > len(all)*3/4 {
				t.Errorf("61224425 is the %s at %d", m.Type, i)
			}
		} else if !form.MatchString(m.MediaID) || !strings.HasPrefix(m.MediaID, "sucaiDemoLibrary2024") {
			t.Errorf("%s: media_id %q", m.Name, m.MediaID)
		}
		if !m.Created.After(last) {
			t.Errorf("%s: created %s, after %s", m.Name, m.Created, last)
		}
		last = m.Created
		if _, offset := m.Created.Zone(); offset != 8*60*60 || m.Created.Year() != 2024 || m.Created.Hour() < 8 || m.Created.Hour() > 18 {
			t.Errorf("%s: created %s", m.Name, m.Created)
		}
		if (m.File == nil) != (m.Type == "news") || (m.Articles == nil) != (m.Type != "news") {
			t.Errorf("%s: a %s with the wrong parts", m.Name, m.Type)
		}
		if (m.Name == "") != (m.Type == "news") || (m.Introduction == "") != (m.Type != "video") {
			t.Errorf("%s: a %s with name %q, introduction %q", m.MediaID, m.Type, m.Name, m.Introduction)
		}
	}
	if !seen["61224425"] {
		t.Error("no image 61224425")
	}
}

func TestFiles(t *testing.T) {
	sum := make(chan int, len(shelf))
	t.Run("each", func(t *testing.T) {
		for _, m := range All() {
			if m.File == nil {
				continue
			}
			t.Run(m.Name, func(t *testing.T) {
				t.Parallel()
				b, err := m.File()
				if err != nil {
					t.Fatal(err)
				}
				if !testing.Short() {
					again, err := m.File()
					if err != nil || !bytes.Equal(b, again) {
						t.Errorf("a second call gives other bytes (%v)", err)
					}
					again[0] ^= 0xff
					if bytes.Equal(b, again) {
						t.Error("two calls share their bytes")
					}
				}
				sum <- len(b)
				switch m.Type {
				case "image":
					checkImage(t, m.Name, b)
				case "voice":
					checkVoice(t, m.Name, b)
				case "video":
					checkVideo(t, b)
				}
			})
		}
	})
	close(sum)
	total := 0
	for n := range sum {
		total += n
	}
	if total > 5<<20 {
		t.Errorf("%d bytes in all", total)
	}
}

// TestRounds looks whether a scene that moves ends where it began, so that an animation has no jump.
func TestRounds(t *testing.T) {
	for name, scene := range map[string]func(*canvas, float64){
		"rainNight": rainNight, "snowNight": snowNight, "fireworks": fireworks, "fireflies": fireflies, "skyLanterns": skyLanterns,
	} {
		var at [3]*canvas
		for i, when := range []float64{0, .4, 1} {
			at[i] = newCanvas(640, 400, .25)
			scene(at[i], when)
		}
		differ := func(a, b *canvas) (n int) {
			for i, v := range a.img.Pix {
				if d := int(v) - int(b.img.Pix[i]); d > 12 || d < -12 {
					n++
				}
			}
			return
		}
		if n := differ(at[0], at[2]); n > 100 {
			t.Errorf("%s: %d samples are not as at the start", name, n)
		}
		if n := differ(at[0], at[1]); n < 200 {
			t.Errorf("%s: only %d samples move", name, n)
		}
	}
}

func checkImage(t *testing.T, name string, b []byte) {
	if len(b) > 200_000 {
		t.Errorf("%d bytes", len(b))
	}
	img, format, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	p := drawn[name]
	w, h := p.pixels()
	if got := img.Bounds(); got.Dx() != w || got.Dy() != h || w < 200 || h < 100 {
		t.Errorf("%v, want %dx%d", got, w, h)
	}
	if format != p.format() {
		t.Errorf("is %s, want %s", format, p.format())
	}
	colours := map[uint32]bool{}
	for y := 0; y < h; y += 3 {
		for x := 0; x < w; x += 3 {
			r, g, b, a := img.At(x, y).RGBA()
			colours[r>>12<<8|g>>12<<4|b>>12] = true
			if a != 0xffff {
				t.Fatalf("not opaque at %d, %d", x, y)
			}
		}
	}
	if len(colours) < 10 {
		t.Errorf("only %d colours", len(colours))
	}
}

func checkVoice(t *testing.T, name string, b []byte) {
	if len(b) > 60_000 {
		t.Errorf("%d bytes", len(b))
	}
	start := map[string]string{".wav": "RIFF", ".mp3": "\xff\xf3", ".amr": "#!AMR\n"}[filepath.Ext(name)]
	if start == "" || !bytes.HasPrefix(b, []byte(start)) {
		t.Errorf("begins with %q", b[:8])
	}
	if filepath.Ext(name) != ".wav" {
		return
	}
	rate, size := binary.LittleEndian.Uint32(b[24:]), binary.LittleEndian.Uint32(b[40:])
	if int(size) != len(b)-44 || string(b[36:40]) != "data" {
		t.Errorf("%d bytes of sound in a file of %d", size, len(b))
	}
	if s := float64(size) / 2 / float64(rate); s < 2 || s > 8 {
		t.Errorf("%.1f seconds", s)
	}
}

func checkVideo(t *testing.T, b []byte) {
	if len(b) > 300_000 {
		t.Errorf("%d bytes", len(b))
	}
	if string(b[4:8]) != "ftyp" {
		t.Errorf("begins with %q", b[:8])
	}
	// A browser shows the first picture before the rest has come only when the index stands in front.
	if moov, mdat := bytes.Index(b, []byte("moov")), bytes.Index(b, []byte("mdat")); moov < 0 || mdat < moov {
		t.Errorf("moov at %d, mdat at %d", moov, mdat)
	}
}

func TestArticles(t *testing.T) {
	reference := regexp.MustCompile(`<img data-src="demo:([^"]+)" data-ratio="[0-9.]+" data-w="[0-9]+" data-type="(?:png|jpeg|gif|bmp)"`)
	images := map[string]bool{}
	var sizes []int
	for _, m := range All() {
		if m.Type == "image" {
			images[m.MediaID] = true
		}
		if m.Type != "news" {
			continue
		}
		sizes = append(sizes, len(m.Articles))
		for _, a := range m.Articles {
			if !images[a.Cover] {
				t.Errorf("%s: its cover is no earlier image", a.Title)
			}
			refs := reference.FindAllStringSubmatch(a.Content, -1)
			if n := strings.Count(a.Content, "<img"); n == 0 || n != len(refs) || n != strings.Count(a.Content, "demo:") {
				t.Errorf("%s: %d images, %d of them well-formed", a.Title, n, len(refs))
			}
			for _, r := range refs {
				if !images[r[1]] {
					t.Errorf("%s: demo:%s is no earlier image", a.Title, r[1])
				}
			}
			if (a.Digest != "") != (len(m.Articles) == 1) {
				t.Errorf("%s: digest %q in a news of %d", a.Title, a.Digest, len(m.Articles))
			}
			for _, limit := range []struct {
				what, text string
				least, max int
			}{{"title", a.Title, 1, 64}, {"author", a.Author, 1, 16}, {"digest", a.Digest, 0, 120}, {"content", a.Content, 200, 19_999}} {
				if n := utf8.RuneCountInString(limit.text); n < limit.least || n > limit.max || !utf8.ValidString(limit.text) {
					t.Errorf("%s: %d characters of %s", a.Title, n, limit.what)
				}
			}
			if !strings.HasPrefix(a.ContentSourceURL, "https://") {
				t.Errorf("%s: content_source_url %q", a.Title, a.ContentSourceURL)
			}
			checkMarkup(t, a)
		}
	}
	if want := []int{3, 1, 4, 8}; !slices.Equal(sizes, want) {
		t.Errorf("news of %v articles, want %v", sizes, want)
	}
}

// checkMarkup looks for tags that are left open, and for what WeChat would take out.
func checkMarkup(t *testing.T, a Article) {
	var open []string
	for _, tag := range regexp.MustCompile(`<(/?)([a-z0-9]+)[^<>]*?(/?)>`).FindAllStringSubmatch(a.Content, -1) {
		switch {
		case tag[3] == "/":
		case tag[1] == "":
			open = append(open, tag[2])
		case len(open) == 0 || open[len(open)-1] != tag[2]:
			t.Fatalf("%s: </%s> closes %v", a.Title, tag[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: %v left open", a.Title, open)
	}
	for _, bad := range []string{"<script", "<iframe", "<style", "javascript:", " on"} {
		if strings.Contains(a.Content, bad) {
			t.Errorf("%s: holds %q", a.Title, bad)
		}
	}
}
