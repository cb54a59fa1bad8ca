package blobs

import (
	"io"
	"net"
	"sync"
	"time"
)

// sending is the body of a request. Each piece that the store takes gives it more time;
// after the last, it has the time that keeping so many bytes may take.
type sending struct {
	*io.SectionReader
	watch  *watch
	limits limits
}

func (s *sending) Read(p []byte) (int, error) {
	n, err := s.SectionReader.Read(p)
	if at, _ := s.Seek(0, io.SeekCurrent); at < s.Size() {
		s.watch.extend(s.limits.stall)
	} else {
		s.watch.extend(s.limits.answer + time.Duration(s.Size())*time.Second/storeRate)
	}
	return n, err
}

// once is the body of one attempt. A request that was answered before its body was read is
// made again with the same bytes: they must not go to the one that is over, whose connection
// may take some still.
type once struct {
	io.ReadCloser
	mu   sync.Mutex
	over bool
}

func (o *once) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return 0, net.ErrClosed
	}
	return o.ReadCloser.Read(p)
}

// end returns when nobody reads any more.
func (o *once) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
}
