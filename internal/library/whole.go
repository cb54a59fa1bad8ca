package library

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"strings"
	"sync"
	"time"
)

// What works through a whole store asks for rows in pieces, so that memory does not grow
// with it, and for a few blobs at a time, so that one slow answer does not hold up all.
const (
	rowsAtOnce  = 500
	blobsAtOnce = 8
	blobTries   = 3
)

type patient struct{}

// withPatience is for work on a whole store: nobody waits for one answer of it, and a
// database that is far away may take its time over nine megabytes of news.
func withPatience(ctx context.Context) context.Context {
	return context.WithValue(ctx, patient{}, true)
}

// IsPatient tells an engine that a call may take a minute, where others have seconds.
func IsPatient(ctx context.Context) bool { return ctx.Value(patient{}) != nil }

// Fault is something in a store that is not as it must be.
type Fault struct {
	AppID   string // of the account; "" where it is about none
	MediaID string // "" where it is about no single material
	What    string // in words
}

func (f Fault) String() string {
	switch {
	case f.AppID == "":
		return f.What
	case f.MediaID == "":
		return f.AppID + ": " + f.What
	}
	return f.AppID + " " + f.MediaID + ": " + f.What
}

// Watch is told, by one goroutine at a time, how work on a whole store goes. Each may be
// nil.
type Watch struct {
	Fault    func(f Fault)           // one was found; the work goes on
	Progress func(done, total int64) // of materials; the total is a good guess
}

// progress counts the materials that are done, and passes on what a Watch is told.
type progress struct {
	watch Watch
	mu    sync.Mutex
	done  int64
	total int64
}

// newProgress knows how much there is to do before it begins.
func newProgress(ctx context.Context, ms Materials, accounts []*Account, w Watch) (*progress, error) {
	p := &progress{watch: w}
	for _, a := range accounts {
		n, err := listed(ctx, ms, a.ID)
		if err != nil {
			return nil, err
		}
		p.total += n
	}
	return p, nil
}

// listed is how many materials an account has in its lists.
func listed(ctx context.Context, ms Materials, account int64) (total int64, err error) {
	counts, err := ms.Counts(ctx, account)
	for _, n := range counts {
		total += n
	}
	return total, err
}

// lock runs fn, which changes what several goroutines change.
func (p *progress) lock(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
}

func (p *progress) step() {
	p.lock(func() {
		p.done++
		p.total = max(p.total, p.done) // what is never listed was not counted
		if p.watch.Progress != nil {
			p.watch.Progress(p.done, p.total)
		}
	})
}

// fault tells of one, and counts it.
func (p *progress) fault(count *int64, f Fault) {
	p.lock(func() {
		*count++
		if p.watch.Fault != nil {
			p.watch.Fault(f)
		}
	})
}

// rowsOf gives all rows of an account, in the order of media_ids. An error is the last.
func rowsOf(ctx context.Context, ms Materials, account int64) iter.Seq2[*Material, error] {
	return func(yield func(*Material, error) bool) {
		for after := ""; ; {
			piece, err := ms.Rows(ctx, account, after, rowsAtOnce)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, m := range piece {
				if !yield(m, nil) {
					return
				}
			}
			if len(piece) < rowsAtOnce {
				return
			}
			after = piece[len(piece)-1].MediaID
		}
	}
}

// stands tells whether a row is still as it was read.
func stands(ctx context.Context, ms Materials, m *Material) (bool, error) {
	now, err := ms.Material(ctx, m.Account, m.MediaID, 0)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && now.Blob == m.Blob && now.Version == m.Version && now.Key == m.Key, err
}

// damage says what is wrong with a blob that is there.
type damage string

func (d damage) Error() string { return string(d) }

// unreadable is what is wrong with a blob that its store does not give, though it gives
// others: it may do so another time.
type unreadable string

func (u unreadable) Error() string { return string(u) }

// sumOf is the part of a blob's name that is the sha256 of its bytes, in hex.
func sumOf(blob string) string {
	sum, _, _ := strings.Cut(blob, "-")
	return sum
}

// wholeReader reads a blob and, in place of its end, fails with a damage unless it was
// what its row and its name say.
type wholeReader struct {
	r    io.Reader
	sum  hash.Hash
	m    *Material
	have int64
	err  error // how it ended
}

func (w *wholeReader) Read(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.r.Read(p)
	w.sum.Write(p[:n])
	w.have += int64(n)
	if w.have > w.m.Size {
		n, err = 0, damage(fmt.Sprintf("its blob %s has more than its %d bytes", w.m.Blob, w.m.Size))
	} else if err == io.EOF {
		err = w.end()
	}
	w.err = err
	return n, err
}

func (w *wholeReader) end() error {
	switch {
	case w.have < w.m.Size:
		return damage(fmt.Sprintf("its blob %s has %d of %d bytes", w.m.Blob, w.have, w.m.Size))
	case hex.EncodeToString(w.sum.Sum(nil)) != sumOf(w.m.Blob):
		return damage(fmt.Sprintf("its blob %s holds other bytes than were stored: they have another sha256", w.m.Blob))
	}
	return io.EOF
}

// readWhole gives sink the bytes of a row's blob, in whose place of an end it sees an
// error unless they are right. bad is what is wrong with the blob, ErrNotFound where there
// is none; err is trouble, of the store or of sink. Both are set where the trouble is with
// this blob alone.
func readWhole(ctx context.Context, from Blobs, m *Material, sink func(io.Reader) error) (bad, err error) {
	body, err := from.Open(ctx, m.Blob, 0, m.Size)
	if err != nil {
		return explainBad(ctx, from, m, err)
	}
	defer body.Close()
	w := &wholeReader{r: body, sum: sha256.New(), m: m}
	err = sink(w)
	if w.err != nil && w.err != io.EOF {
		return explainBad(ctx, from, m, w.err)
	}
	return nil, err
}

// explainBad tells what is wrong with one blob from trouble of the whole store.
func explainBad(ctx context.Context, from Blobs, m *Material, failed error) (bad, err error) {
	var d damage
	var short *ShortError
	switch {
	case errors.As(failed, &short):
		return damage(fmt.Sprintf("its blob %s has %d of %d bytes", m.Blob, short.Have, m.Size)), nil
	case errors.As(failed, &d):
		return failed, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := from.Ready(ctx); err != nil { // in a directory that is not mounted nothing is found
		return nil, err
	}
	if errors.Is(failed, ErrNotFound) {
		return failed, nil
	}
	return unreadable(fmt.Sprintf("its blob %s cannot be read: %s", m.Blob, failed)), failed
}

// insistWhole is readWhole that is tried again after trouble. Where that lasts while the
// store answers otherwise, it is the blob's.
func insistWhole(ctx context.Context, from Blobs, m *Material, sink func(io.Reader) error) (bad, err error) {
	for try := 1; ; try++ {
		bad, err = readWhole(ctx, from, m, sink)
		if err == nil || ctx.Err() != nil {
			return bad, err
		}
		if try == blobTries {
			if bad != nil {
				err = nil
			}
			return bad, err
		}
		select {
		case <-time.After(time.Duration(try) * 200 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// inWords is a bad blob as people are told.
func inWords(m *Material, bad error) string {
	if errors.Is(bad, ErrNotFound) {
		return fmt.Sprintf("its blob %s is missing", m.Blob)
	}
	return bad.Error()
}
