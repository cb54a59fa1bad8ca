package library

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sucai/internal/media"
	"sucai/wechat"
)

// pictures is a store over the network of one picture under many names.
type pictures struct {
	Blobs
	data  []byte
	opens atomic.Int32
	body  func(ctx context.Context, name string, data []byte) (io.Reader, error)
}

func (p *pictures) Open(ctx context.Context, name string, _, _ int64) (io.ReadCloser, error) {
	p.opens.Add(1)
	r, err := p.body(ctx, name, p.data)
	return io.NopCloser(r), err
}

// newPictures gives libraries on them, whose body can be set.
func newPictures(t *testing.T) (*Libraries, *pictures) {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 200, 100))); err != nil {
		t.Fatal(err)
	}
	p := &pictures{data: file.Bytes()}
	p.well()
	return &Libraries{Engines: Engines{Blobs: p}, scaling: newScaler()}, p
}

func (p *pictures) well() {
	p.body = func(_ context.Context, _ string, data []byte) (io.Reader, error) { return bytes.NewReader(data), nil }
}

func (p *pictures) material(name string) *Material {
	return &Material{Type: wechat.Image, MediaID: name, Blob: name, Size: int64(len(p.data)), Format: media.PNG, Width: 200, Height: 100}
}

// wantScaled wants a picture from who must not fail.
func wantScaled(t *testing.T, ls *Libraries, m *Material) {
	t.Helper()
	data, mediaType, ok, err := ls.Scaled(t.Context(), m, 64)
	if err != nil || !ok || mediaType != "image/png" {
		t.Errorf("%s: %v %q, %v", m.Blob, ok, mediaType, err)
	} else if c, err := png.DecodeConfig(bytes.NewReader(data)); err != nil || c.Width != 64 {
		t.Errorf("%s: %d wide, %v", m.Blob, c.Width, err)
	}
	if left := ls.scaling.room.Load(); left < 0 || left > scalerRoom {
		t.Errorf("there is room for %d bytes", left)
	}
}

// block never ends by itself.
type block struct{ ctx context.Context }

func (b block) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

// Who waits for the store, for an answer or amid one, does not keep others from scaling.
func TestScalingWhileTheStoreHangs(t *testing.T) {
	ls, p := newPictures(t)
	hangs := make(chan struct{}, 10)
	p.body = func(ctx context.Context, name string, data []byte) (io.Reader, error) {
		switch name {
		case "silent":
			hangs <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		case "stuck":
			hangs <- struct{}{}
			return io.MultiReader(bytes.NewReader(data[:len(data)/2]), block{ctx}), nil
		}
		return bytes.NewReader(data), nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var waiting sync.WaitGroup
	for _, name := range []string{"silent", "stuck"} {
		for _, width := range []int{132, 96, 64} {
			waiting.Go(func() {
				if _, _, _, err := ls.Scaled(ctx, p.material(name), width); !errors.Is(err, context.Canceled) {
					t.Errorf("%s %d: %v", name, width, err)
				}
			})
		}
	}
	for range 6 {
		<-hangs
	}
	wantScaled(t, ls, p.material("other"))
	cancel()
	waiting.Wait()
	p.well()
	wantScaled(t, ls, p.material("silent"))
	wantScaled(t, ls, p.material("stuck"))
}

// Many who want the same picture bring it here once, whoever of them leaves; and so they
// learn together that there is trouble.
func TestScalingIsShared(t *testing.T) {
	ls, p := newPictures(t)
	m := p.material("one")
	var goOn chan struct{}
	trouble := errors.New("the store is away")
	var result error
	p.body = func(ctx context.Context, _ string, data []byte) (io.Reader, error) {
		select {
		case <-goOn:
			return bytes.NewReader(data), result
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	const n = 8
	want := func() (opens int32, errs []error) {
		p.opens.Store(0)
		goOn = make(chan struct{})
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		var left, rest sync.WaitGroup
		left.Go(func() {
			if _, _, _, err := ls.Scaled(ctx, m, 64); !errors.Is(err, context.Canceled) {
				t.Errorf("who has left: %v", err)
			}
		})
		for p.opens.Load() == 0 {
			time.Sleep(time.Millisecond)
		}
		all := make(chan error, n)
		for range n {
			rest.Go(func() {
				_, _, ok, err := ls.Scaled(t.Context(), m, 64)
				if ok != (err == nil) {
					t.Error(ok, err)
				}
				all <- err
			})
		}
		time.Sleep(20 * time.Millisecond) // they may come later too, and still share or find it
		leave()
		left.Wait()
		for p.opens.Load() < 2 { // one of the rest has begun again
			time.Sleep(time.Millisecond)
		}
		time.Sleep(20 * time.Millisecond)
		close(goOn)
		rest.Wait()
		close(all)
		for err := range all {
			errs = append(errs, err)
		}
		return p.opens.Load(), errs
	}
	result = trouble
	_, errs := want()
	for _, err := range errs {
		if !errors.Is(err, trouble) {
			t.Errorf("trouble: %v", err)
		}
	}
	result = nil
	opens, errs := want()
	if err := errors.Join(errs...); err != nil || opens != 2 {
		t.Errorf("opened %d times, %v", opens, err)
	}
}

// A body that breaks off, in whatever way a reader may say it, is trouble and no damaged
// picture: the next time it is scaled.
func TestScalingWhatBreaksOff(t *testing.T) {
	ls, p := newPictures(t)
	for name, broken := range map[string]error{"ends": io.EOF, "ends unexpectedly": io.ErrUnexpectedEOF, "breaks": errors.New("cut")} {
		for _, at := range []int{0, 20, len(p.data) / 2, len(p.data) - 1} {
			p.body = func(_ context.Context, _ string, data []byte) (io.Reader, error) {
				return io.MultiReader(bytes.NewReader(data[:at]), failing{broken}), nil
			}
			if _, _, ok, err := ls.Scaled(t.Context(), p.material(name), 64); err == nil || ok {
				t.Errorf("%s at %d: %v, %v", name, at, ok, err)
			}
		}
		p.well()
		wantScaled(t, ls, p.material(name))
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// Where there is no turn in time, or no room, the original is sent, and the next time it
// is scaled. What cannot be scaled at all, or is damaged, is not asked for again.
func TestScalerIsBusy(t *testing.T) {
	ls, p := newPictures(t)
	busy := func(what string) {
		t.Helper()
		if _, _, ok, err := ls.Scaled(t.Context(), p.material(what), 64); ok || err != ErrScalerBusy {
			t.Errorf("%s: %v, %v", what, ok, err)
		}
	}
	ls.scaling.wait = 20 * time.Millisecond
	ls.scaling.turns <- struct{}{}
	busy("no turn")
	<-ls.scaling.turns
	ls.scaling.wait = time.Minute
	wantScaled(t, ls, p.material("no turn"))

	ls.scaling.room.Store(int64(len(p.data)) - 1)
	busy("no room")
	ls.scaling.room.Add(1)
	wantScaled(t, ls, p.material("no room"))
	if left := ls.scaling.room.Load(); left != int64(len(p.data)) {
		t.Errorf("there is room for %d bytes", left)
	}

	huge, gif, damaged := p.material("huge"), p.material("gif"), p.material("damaged")
	huge.Size = scalerRoom + 1
	gif.Format = media.GIF
	damaged.Height++
	p.opens.Store(0)
	for range 3 {
		for _, m := range []*Material{huge, gif, damaged} {
			if _, _, ok, err := ls.Scaled(t.Context(), m, 64); ok || err != nil {
				t.Errorf("%s: %v, %v", m.Blob, ok, err)
			}
		}
	}
	if n := p.opens.Load(); n != 2 { // of a picture that is no GIF
		t.Errorf("opened %d times", n)
	}
}
