package compat

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// steps are what each SDK is driven through.
var steps = []string{
	"token", "stable token",
	"upload image", "upload voice", "upload video", "upload thumb", "uploadimg", "temporary media",
	"add news", "update news",
	"counts", "list images", "list voices", "list videos", "list news",
	"get image", "get voice", "get video", "get news",
	"invalid id: 40007", "bad type: 40004", "bad token: 40001", "token refresh", "delete",
}

type outcome string

const (
	passed outcome = "✓"
	failed outcome = "✗"
	absent outcome = "–" // not in this SDK
)

// A run drives one SDK against one server with an empty library.
type run struct {
	*testing.T
	wire, endpoint             string
	image, voice, video, thumb string // files
	outcomes                   map[string]outcome
}

func newRun(t *testing.T, wire string) *run {
	dir := t.TempDir()
	write := func(name string, encode func(io.Writer, image.Image) error) string {
		var data bytes.Buffer
		if err := encode(&data, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return &run{
		T: t, wire: wire, endpoint: serve(t, "--wire", wire),
		image: write("图片.png", png.Encode),
		thumb: write("thumb.jpg", func(w io.Writer, m image.Image) error { return jpeg.Encode(w, m, nil) }),
		voice: demoFile(t, "evening-ferry.mp3"), video: demoFile(t, "lanterns.mp4"),
		outcomes: map[string]outcome{},
	}
}

func (r *run) record(step string, err error) {
	r.Helper()
	if !slices.Contains(steps, step) {
		r.Fatalf("%q is not among the steps", step)
	}
	r.outcomes[step] = passed
	if err != nil {
		r.outcomes[step] = failed
		r.Errorf("%s: %v", step, err)
	}
}

func (r *run) step(name string, do func() error) {
	r.Helper()
	r.record(name, do())
}

// lacks records what the SDK has no call for.
func (r *run) lacks(names ...string) {
	for _, name := range names {
		r.outcomes[name] = absent
	}
}

// refused wants an error that tells the errcode.
func refused(err error, code int) error {
	if err == nil || !regexp.MustCompile(fmt.Sprintf(`errcode\W+%d\b`, code)).MatchString(err.Error()) {
		return fmt.Errorf("errcode %d was wanted: %v", code, err)
	}
	return nil
}

// same tells whether got are the bytes of the file.
func same(got []byte, file string) error {
	want, err := os.ReadFile(file)
	if err == nil && !bytes.Equal(got, want) {
		err = fmt.Errorf("%d bytes, want the %d of %s: %.80q", len(got), len(want), filepath.Base(file), got)
	}
	return err
}

// sameAt tells whether the address answers with the bytes of the file.
func sameAt(address, file string) error {
	res, err := http.Get(address)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	return same(got, file)
}
