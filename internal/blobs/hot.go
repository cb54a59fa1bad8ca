package blobs

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"sucai/internal/library"
)

// hotBlob is a blob that is there or on its way.
type hotBlob struct {
	name    string
	readers int           // who keep it, with who fills it; under hotBlobs.mu
	place   *list.Element // in the order; nil before it is there

	data []byte
	mu   sync.Mutex    // for what follows
	head bool          // the store has begun to answer
	have int           // bytes of data that may be read
	err  error         // why no more come
	more chan struct{} // closed at the next change
}

func (b *hotBlob) cost() int64 { return int64(len(b.data)) + hotCost }

// errNotHot means that a blob is to be read from the store.
var errNotHot = errors.New("not in memory")

// open is Open for blobs in memory; errNotHot for all others. Many who want one that is
// on its way share it; that one of them leaves is nothing to the others.
func (h *hotBlobs) open(ctx context.Context, s *S3, name string, offset, length int64) (io.ReadCloser, error) {
	b, isNew := h.take(name, offset, length)
	if b == nil {
		return nil, errNotHot
	}
	if isNew {
		s.fills.Go(func() { h.fill(s, b) })
	}
	r := &hotReader{h: h, b: b, ctx: ctx, at: offset}
	err := b.wait(ctx, func() bool { return b.head })
	if have := int64(len(b.data)); err == nil && have < offset+length {
		err = &library.ShortError{Blob: name, Have: have, Want: offset + length}
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	if b.isWhole() {
		return struct {
			*bytes.Reader
			io.Closer
		}{bytes.NewReader(b.data[offset : offset+length]), r}, nil
	}
	return r, nil
}

// fill brings a blob from the store, for nobody in particular.
func (h *hotBlobs) fill(s *S3, b *hotBlob) {
	err := s.read(b)
	h.mu.Lock()
	switch {
	case err == nil && h.known[b.name] == b:
		b.place = h.order.PushFront(b)
	case err != nil:
		h.forget(b)
	}
	if err == errNotHot {
		h.uses[b.name] = notHot
	}
	h.mu.Unlock()
	if err != nil {
		b.change(func() { b.err = err })
	}
	h.release(b)
}

// read reads all of a blob. What was read is there for readers at once, but for the last
// byte, which waits until the whole is what its name says: so that a damaged one never
// looks whole.
func (s *S3) read(b *hotBlob) error {
	body, size, err := s.fetch(s.filling, b.name, 0, int64(len(b.data)))
	if err != nil {
		return err
	}
	defer body.Close()
	if size != int64(len(b.data)) {
		return errNotHot
	}
	b.change(func() { b.head = true })
	sum := sha256.New()
	for have := 0; have < len(b.data); {
		n, err := body.Read(b.data[have:])
		sum.Write(b.data[have : have+n])
		have += n
		b.change(func() { b.have = min(have, len(b.data)-1) })
		if err != nil && have < len(b.data) {
			return err
		}
	}
	if hex.EncodeToString(sum.Sum(nil)) != b.name[:sumLen] {
		return s.explain(fmt.Errorf("blob %s is damaged: its bytes are not those that its name tells; restore it from a copy", b.name))
	}
	b.change(func() { b.have = len(b.data) })
	return nil
}

func (b *hotBlob) change(fn func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fn()
	close(b.more)
	b.more = make(chan struct{})
}

func (b *hotBlob) isWhole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.have == len(b.data)
}

// wait waits until there is what somebody waits for, or why that never comes.
func (b *hotBlob) wait(ctx context.Context, there func() bool) error {
	for {
		b.mu.Lock()
		ok, err, more := there(), b.err, b.more
		b.mu.Unlock()
		switch {
		case ok:
			return nil
		case err != nil:
			return err
		}
		select {
		case <-more:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// hotReader reads a blob that is on its way.
type hotReader struct {
	h   *hotBlobs
	b   *hotBlob
	ctx context.Context
	at  int64
}

// Read implements io.Reader.
func (r *hotReader) Read(p []byte) (int, error) {
	if r.at == int64(len(r.b.data)) {
		return 0, io.EOF
	}
	var have int64
	if err := r.b.wait(r.ctx, func() bool { have = int64(r.b.have); return have > r.at }); err != nil {
		return 0, err
	}
	n := copy(p, r.b.data[r.at:have])
	r.at += int64(n)
	return n, nil
}

// Close implements io.Closer. A second time is nothing.
func (r *hotReader) Close() error {
	if r.h != nil {
		r.h.release(r.b)
		r.h = nil
	}
	return nil
}
