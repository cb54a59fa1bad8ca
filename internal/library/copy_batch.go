package library

import (
	"cmp"
	"context"
	"errors"
	"io"
	"math"

	"golang.org/x/sync/errgroup"
)

// A copy in pieces: so many rows or bytes are committed at once, and may have to be done
// again when a pass breaks off.
const (
	copyRows     = 200
	copyBytes    = 64 << 20
	copyArticles = 4 << 20 // in memory
)

// batch is rows that are copied together.
type batch struct {
	*copying
	account *Account
	target  int64
	rows    []*copiedRow
	bytes   int64
}

type copiedRow struct {
	m       *Material // of the source
	replace bool      // the target has another state of it
	blob    string    // in the target, once it is there
}

func (b *batch) add(ctx context.Context, m *Material, replace bool) error {
	b.rows = append(b.rows, &copiedRow{m: m, replace: replace})
	if b.bytes += m.Size; len(b.rows) < copyRows && b.bytes < copyBytes {
		return nil
	}
	return b.flush(ctx)
}

// flush copies blobs, then rows. When it is broken off, what is complete is kept.
func (b *batch) flush(ctx context.Context) error {
	rows := b.rows
	b.rows, b.bytes = nil, 0
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for _, r := range rows {
		if r.m.Blob != "" && inner.Err() == nil {
			g.Go(func() error { return b.copyBlob(inner, r) })
		}
	}
	failed := g.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return cmp.Or(failed, b.commit(ctx, rows, failed != nil))
}

// copyBlob copies the bytes of a row. Where the source has lost them, it tells so, unless
// the row is gone too.
func (b *batch) copyBlob(ctx context.Context, r *copiedRow) error {
	var blob Blob
	bad, err := insistWhole(ctx, b.from.Blobs, r.m, func(bytes io.Reader) (err error) {
		blob, err = b.to.Blobs.Put(ctx, bytes, func(io.ReaderAt, int64) error { return nil })
		return err
	})
	if err != nil {
		return err
	}
	if bad == nil {
		r.blob = blob.Name
		return nil
	}
	same, err := stands(ctx, b.from.Materials, r.m)
	if err == nil && same {
		count := &b.done.Failed
		if notNow := unreadable(""); errors.As(bad, &notNow) {
			count = &b.done.Unreadable
		}
		b.progress.fault(count, Fault{b.account.AppID, r.m.MediaID, inWords(r.m, bad)})
		b.progress.step()
	}
	return err
}

// commit adds the rows whose bytes are there; articles are fetched now, unless broken.
func (b *batch) commit(ctx context.Context, rows []*copiedRow, broken bool) error {
	keep := context.WithoutCancel(ctx)
	var ready []*Material
	var articles int64
	write := func() error {
		if len(ready) == 0 {
			return nil
		}
		n, err := b.to.Materials.Import(keep, b.target, ready)
		if err != nil {
			return err
		}
		b.done.Materials += int64(n)
		for _, m := range ready {
			b.done.Bytes += m.Size
			b.progress.step()
		}
		ready, articles = nil, 0
		return nil
	}
	for _, r := range rows {
		m := *r.m
		switch {
		case r.blob != "":
			m.Blob = r.blob
		case r.m.Blob != "" || broken:
			continue // lost, or not reached
		default:
			now, err := b.from.Materials.Material(ctx, m.Account, m.MediaID, math.MaxInt64)
			if errors.Is(err, ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			m = *now
		}
		if r.replace {
			err := b.to.Materials.Delete(keep, b.target, m.MediaID)
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		ready = append(ready, &m)
		if articles += int64(len(m.Articles)); articles < copyArticles {
			continue
		}
		if err := write(); err != nil {
			return err
		}
	}
	return write()
}
