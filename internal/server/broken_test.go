package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sucai/internal/library"
)

// halves are blobs that break off.
type halves struct {
	library.Blobs
	err error
}

func (h *halves) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	r, err := h.Blobs.Open(ctx, name, offset, length)
	if err != nil {
		return nil, err
	}
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(io.LimitReader(r, length/2), fails(h.err)), r}, nil
}

func fails(err error) io.Reader { return reading(func() (int, error) { return 0, err }) }

// A connection to a store that breaks, in whatever way, is trouble of ours in the log, and
// what was sent never looks whole.
func TestStoreBreaksOff(t *testing.T) {
	f := newFixture(t)
	h := &halves{Blobs: f.ls.Blobs}
	f.ls.Blobs = h
	for _, size := range []int{9 << 10, smallPiece + 1, 300 << 10} {
		data := padded(size)
		added := f.upload("material/add_material?type=image", filePart("media", "a.png", data))
		id, path := f.member(added, "media_id").(string), strings.TrimPrefix(f.member(added, "url").(string), f.base)
		for i, err := range []error{
			&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET},
			&net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE},
			&net.OpError{Op: "remote error", Err: errors.New("tls: internal error")},
			io.ErrUnexpectedEOF,
			io.EOF,
			errors.New("no answer"),
		} {
			h.err = fmt.Errorf("store %d %d: %w", size, i, err)
			for _, get := range []func() (*http.Response, error){
				func() (*http.Response, error) { return http.Get(f.base + path) },
				func() (*http.Response, error) {
					return http.Post(f.base+f.at("material/get_material"), "", strings.NewReader(`{"media_id":"`+id+`"}`))
				},
			} {
				before := len(f.log.String())
				res, err := get()
				if err == nil {
					var got []byte
					got, err = io.ReadAll(res.Body)
					res.Body.Close()
					if err == nil {
						t.Errorf("%v: %s with %d bytes looks whole", h.err, res.Status, len(got))
					}
				}
				said := ""
				for end := time.Now().Add(30 * time.Second); said == ""; time.Sleep(time.Millisecond) { // it is written after the answer
					if said = f.log.String()[before:]; time.Now().After(end) {
						t.Fatalf("%v: nothing is in the log", h.err)
					}
				}
				if !strings.Contains(said, "level=ERROR") || !strings.Contains(said, h.err.Error()) {
					t.Errorf("%v: %s", h.err, said)
				}
			}
		}
	}
}

// deaf is a client that does not take what is sent, told in the words of a connection that
// sends a file or a reader by itself.
type deaf struct{ http.ResponseWriter }

var errDeaf = errors.New("broken pipe")

func (deaf) Write([]byte) (int, error) { return 0, errDeaf }

func (deaf) ReadFrom(r io.Reader) (int64, error) {
	n, err := r.Read(make([]byte, 1))
	switch {
	case n > 0:
		err = errDeaf
	case err == io.EOF:
		return 0, nil
	}
	return 0, &net.OpError{Op: "readfrom", Err: err}
}

// Which side failed is known, however bytes go from one to the other.
func TestWhichSideFailed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	const small, large = 1000, smallPiece + 1
	must(t, os.WriteFile(path, make([]byte, large), 0o600))
	open := func(flag int) *os.File {
		file, err := os.OpenFile(path, flag, 0)
		must(t, err)
		t.Cleanup(func() { file.Close() })
		return file
	}
	p := (&Server{limits: limits{progress: time.Minute}}).writer(deaf{httptest.NewRecorder()})
	for name, c := range map[string]struct {
		r      io.Reader
		size   int64
		client bool
	}{
		"memory":             {bytes.NewReader(make([]byte, small)), small, true},
		"few bytes":          {struct{ io.Reader }{bytes.NewReader(make([]byte, small))}, small, true},
		"many bytes":         {struct{ io.Reader }{bytes.NewReader(make([]byte, large))}, large, true},
		"a file":             {open(os.O_RDONLY), large, true},
		"few that fail":      {fails(net.ErrClosed), small, false},
		"many that fail":     {fails(net.ErrClosed), large, false},
		"a file that fails":  {open(os.O_WRONLY), large, false},
		"few that are short": {fails(io.EOF), small, false},
	} {
		_, err := p.copy(c.r, c.size)
		var theirs clientError
		if err == nil || errors.As(err, &theirs) != c.client {
			t.Errorf("%s: %#v", name, err)
		}
	}
}
