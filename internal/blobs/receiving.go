package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
)

// get gives length bytes of an object, 1 or more, and the size of all of it, or fails before
// anything is handed out.
func (s *S3) get(ctx context.Context, key string, offset, length int64) (_ io.ReadCloser, size int64, err error) {
	w := s.watched(ctx)
	defer func() {
		if err != nil {
			w.end()
		}
	}()
	var opt minio.GetObjectOptions
	if err := opt.SetRange(offset, offset+length-1); err != nil {
		return nil, 0, err
	}
	body, _, head, err := s.core.GetObject(w, s.at.bucket, key, opt)
	if err != nil {
		return nil, 0, w.reason(err)
	}
	w.pause()
	if size, err = checkRange(head, offset, length); err != nil {
		body.Close()
		return nil, 0, err
	}
	return s.receive(body, length, w), size, nil
}

// checkRange looks at an answer's head for the range that was asked for, and gives the size
// of the whole.
func checkRange(head http.Header, offset, length int64) (size int64, err error) {
	var first, last int64
	text := head.Get("Content-Range")
	if text == "" { // all of it, from a store that does not know ranges
		_, err := fmt.Sscanf(head.Get("Content-Length"), "%d", &size)
		if err == nil && offset == 0 && size >= length {
			return size, nil
		}
	} else if _, err := fmt.Sscanf(text, "bytes %d-%d/%d", &first, &last, &size); err == nil && first == offset && last == offset+length-1 {
		return size, nil
	}
	return 0, rangeError(fmt.Sprintf("%d bytes at %d are wanted, the store offers %q of %q", length, offset, text, head.Get("Content-Length")))
}

// rangeError is of an answer with other bytes than were asked for.
type rangeError string

func (e rangeError) Error() string { return string(e) }

// receiving is the body of an answer. While its bytes are taken quickly they come from
// the store itself. What is left after some seconds moves to a scratch file, so that
// people on slow lines do not keep connections that others need, as far as there is room.
type receiving struct {
	watch   *watch
	stall   time.Duration
	explain func(error) error
	mover   *time.Timer
	moved   sync.WaitGroup // the mover's work

	mu   sync.Mutex // held by a Read from the store, and for each change of what follows
	more sync.Cond  // there is more in the file, or the mover has ended
	body io.ReadCloser
	left int64 // bytes of body that have not come yet

	spare       *atomic.Int64 // bytes that may still move into files
	moving      int64         // bytes of those that are ours
	file        *os.File      // once the mover has begun
	have, taken int64         // bytes that came into it, and that Read gave of it
	err         error         // how the mover ended
}

// receive hands out the body of an answer that has length bytes.
func (s *S3) receive(body io.ReadCloser, length int64, w *watch) *receiving {
	r := &receiving{watch: w, stall: s.limits.stall, explain: s.explain, spare: &s.spare, body: body, left: length}
	r.more.L = &r.mu
	r.moved.Add(1)
	r.mover = time.AfterFunc(s.limits.hold, func() {
		defer r.moved.Done()
		r.move(s.scratchFile)
	})
	return r
}

// errCut is how a body ends before its length. It is not io.ErrUnexpectedEOF itself, by
// which decoders know a damaged file.
var errCut = fmt.Errorf("the answer broke off (%w)", io.ErrUnexpectedEOF)

// Read implements io.Reader.
func (r *receiving) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return r.fromStore(p)
	}
	for r.taken == r.have && r.err == nil {
		r.more.Wait()
	}
	if r.taken == r.have {
		return 0, r.err
	}
	n, err := r.file.ReadAt(p[:min(int64(len(p)), r.have-r.taken)], r.taken)
	r.taken += int64(n)
	return n, err
}

// fromStore reads what comes; the store is waited for only while it runs.
func (r *receiving) fromStore(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	r.watch.extend(r.stall)
	n, err := r.body.Read(p[:min(int64(len(p)), r.left)])
	r.watch.pause()
	r.left -= int64(n)
	if err == io.EOF && r.left == 0 {
		return n, nil
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errCut
	}
	return n, r.explain(r.watch.reason(err))
}

// move brings the rest of the body into a file, while Read gives what is there already.
// Without a file, or room for it, all stays as it was.
func (r *receiving) move(scratchFile func() (*os.File, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == 0 || r.watch.Err() != nil {
		return
	}
	if r.spare.Add(-r.left) < 0 {
		r.spare.Add(r.left)
		return
	}
	r.moving = r.left
	file, err := scratchFile()
	if err != nil {
		return
	}
	r.file = file
	buf := make([]byte, 64<<10)
	for r.err == nil {
		r.mu.Unlock() // from here on only this function reads from the store
		n, err := r.fromStore(buf)
		if n > 0 {
			if _, e := file.WriteAt(buf[:n], r.have); e != nil {
				n, err = 0, e
			}
		}
		r.mu.Lock()
		r.have += int64(n)
		r.err = err
		r.more.Broadcast()
	}
	r.body.Close()
}

// Close implements io.Closer.
func (r *receiving) Close() error {
	if r.mover.Stop() {
		r.moved.Done()
	}
	r.watch.end() // the mover ends at once
	r.moved.Wait()
	if r.file != nil {
		discard(r.file)
	}
	r.spare.Add(r.moving)
	r.moving = 0
	return r.body.Close()
}
