package blobs

import (
	"io"
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
