package blobs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

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
