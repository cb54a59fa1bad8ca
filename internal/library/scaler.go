package library

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sucai/internal/media"
)

// ErrScalerBusy means that a picture could be scaled, but not now: the original is to be
// sent, and not to be kept in its place.
var ErrScalerBusy = errors.New("library: too many pictures are to be scaled")

// scaler bounds what is done to pictures at once.
type scaler struct {
	turns turns         // to decode: a picture takes up to 64 MB
	wait  time.Duration // for a turn
	room  atomic.Int64  // bytes of pictures that may still be brought here

	mu     sync.Mutex
	shared map[pictureID]*scaling
}

const (
	scalerWait = 5 * time.Second
	scalerRoom = 256 << 20
)

func newScaler() *scaler {
	s := &scaler{turns: make(turns, 1), wait: scalerWait, shared: map[pictureID]*scaling{}}
	s.room.Store(scalerRoom)
	return s
}

// scaling is the work on one picture for all who want it.
type scaling struct {
	done chan struct{} // closed at the end, after which the rest does not change
	p    picture
	err  error
	left bool // it was ended because who had begun it left
}

// share has fn run once for all who want the same picture at the time.
func (s *scaler) share(ctx context.Context, id pictureID, fn func() (picture, error)) (picture, error) {
	for {
		s.mu.Lock()
		w := s.shared[id]
		if w == nil {
			w = &scaling{done: make(chan struct{}), err: ErrScalerBusy} // which stays where fn panics
			s.shared[id] = w
			s.mu.Unlock()
			return s.begin(ctx, id, w, fn)
		}
		s.mu.Unlock()
		select {
		case <-w.done:
		case <-ctx.Done():
			return picture{}, ctx.Err()
		}
		if !w.left {
			return w.p, w.err
		}
	}
}

func (s *scaler) begin(ctx context.Context, id pictureID, w *scaling, fn func() (picture, error)) (picture, error) {
	defer func() {
		s.mu.Lock()
		delete(s.shared, id)
		s.mu.Unlock()
		close(w.done)
	}()
	w.p, w.err = fn()
	w.left = w.err != nil && ctx.Err() != nil
	return w.p, w.err
}

// scaleBlob scales a picture. A store that hangs keeps nobody else from their turn: the
// picture is here before that begins.
func (ls *Libraries) scaleBlob(ctx context.Context, m *Material, info media.Info, width int) (p picture, err error) {
	s := ls.scaling
	r, err := ls.Open(ctx, m, 0, m.Size)
	if err != nil {
		return p, err
	}
	defer r.Close()
	if _, isFile := r.(*os.File); !isFile {
		if m.Size > scalerRoom {
			return p, media.ErrNotScaled
		}
		defer s.room.Add(m.Size)
		if s.room.Add(-m.Size) < 0 {
			return p, ErrScalerBusy
		}
		file, err := bring(r, m.Size)
		if err != nil {
			return p, fmt.Errorf("blob of %s: %w", m.MediaID, err)
		}
		defer os.Remove(file.Name())
		defer file.Close()
		r = file
	}
	turn, cancel := context.WithTimeoutCause(ctx, s.wait, ErrScalerBusy)
	defer cancel()
	if s.turns.do(turn, func() { p.data, p.mediaType, err = media.Scale(r, info, width) }) != nil {
		return p, context.Cause(turn)
	}
	if err != nil {
		return picture{}, fmt.Errorf("blob of %s: %w", m.MediaID, err)
	}
	return p, nil
}

// bring copies size bytes into a file, at whose begin the caller stands and which goes
// away with it.
func bring(r io.Reader, size int64) (file *os.File, err error) {
	file, err = os.CreateTemp("", "sucai-")
	if err != nil {
		return nil, err
	}
	os.Remove(file.Name()) // where that is not possible, the caller does it
	_, err = io.CopyN(file, r, size)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		os.Remove(file.Name())
		return nil, err
	}
	return file, nil
}
