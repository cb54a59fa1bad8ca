package server

import (
	"bytes"
	"io"
	"os"
)

// spool holds bytes until they are whole: in memory while they are few, then in a file.
// So a body that comes slowly, and an answer that is taken slowly, cost no memory.
type spool struct {
	few  []byte
	file *os.File
	size int64
}

// spoolMemory is how many bytes a spool holds in memory.
const spoolMemory = 256 << 10

// Write implements io.Writer.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil && len(s.few)+len(p) > spoolMemory {
		f, err := os.CreateTemp("", "sucai-")
		if err != nil {
			return 0, err
		}
		os.Remove(f.Name()) // where that is not possible, Close does it
		s.file = f
		if _, err := f.Write(s.few); err != nil {
			return 0, err
		}
		s.few = nil
	}
	s.size += int64(len(p))
	if s.file != nil {
		return s.file.Write(p)
	}
	s.few = append(s.few, p...)
	return len(p), nil
}

// reader gives what was written, from the start: a file, where it is one.
func (s *spool) reader() (io.Reader, error) {
	if s.file == nil {
		return bytes.NewReader(s.few), nil
	}
	_, err := s.file.Seek(0, io.SeekStart)
	return s.file, err
}

// bytes gives what was written, in memory: room for it has to be made before.
func (s *spool) bytes() ([]byte, error) {
	if s.file == nil {
		return s.few, nil
	}
	data := make([]byte, s.size)
	_, err := s.file.ReadAt(data, 0)
	return data, err
}

// Close lets go of the file.
func (s *spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	os.Remove(s.file.Name())
	return err
}
