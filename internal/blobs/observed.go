package blobs

import (
	"context"
	"io"
	"time"

	"sucai/internal/library"
)

// Observed gives blobs of which each call is told to fn. What Open hands out is the
// engine's own reader: an *os.File stays one.
func Observed(b library.Blobs, fn library.Observe) library.Blobs { return &observed{b, fn} }

type observed struct {
	library.Blobs
	observe library.Observe
}

// Put implements library.Blobs. What came too slowly, broke off or was not accepted tells
// nothing of the store.
func (o *observed) Put(ctx context.Context, r io.Reader, accept func(io.ReaderAt, int64) error) (library.Blob, error) {
	start, from := time.Now(), &source{Reader: r}
	var refused error
	b, err := o.Blobs.Put(ctx, from, func(r io.ReaderAt, size int64) error {
		refused = accept(r, size)
		start = time.Now()
		return refused
	})
	if from.broken == nil && refused == nil {
		o.observe.Tell(ctx, library.BlobPut, start, err)
	}
	return b, err
}

// source remembers that it broke off.
type source struct {
	io.Reader
	broken error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF {
		s.broken = err
	}
	return n, err
}

// Open implements library.Blobs.
func (o *observed) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	start := time.Now()
	r, err := o.Blobs.Open(ctx, name, offset, length)
	o.observe.Tell(ctx, library.BlobOpen, start, err)
	return r, err
}

// Remove implements library.Blobs.
func (o *observed) Remove(ctx context.Context, name string) error {
	start := time.Now()
	err := o.Blobs.Remove(ctx, name)
	o.observe.Tell(ctx, library.BlobRemove, start, err)
	return err
}

// List implements library.Blobs.
func (o *observed) List(ctx context.Context, after string, before time.Time) (names []string, next string, err error) {
	start := time.Now()
	names, next, err = o.Blobs.List(ctx, after, before)
	o.observe.Tell(ctx, library.BlobList, start, err)
	return names, next, err
}

// Ready implements library.Blobs.
func (o *observed) Ready(ctx context.Context) error {
	start := time.Now()
	err := o.Blobs.Ready(ctx)
	o.observe.Tell(ctx, library.BlobReady, start, err)
	return err
}
