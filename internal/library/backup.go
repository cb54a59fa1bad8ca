package library

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// BackedUp is what a backup holds.
type BackedUp struct{ Accounts, Materials, Blobs, Bytes int64 }

// Backup gives put the blob of each material that a snapshot of the database holds, one
// after the other, with its bytes checked against their sha256: put sees an error in
// place of their end where they are wrong. What was deleted since, with its blob, goes
// from the snapshot too, so it is to be written behind the blobs. Others may write to the
// store meanwhile, and sweep it. A material that has lost its blob, or whose blob is
// damaged, is an error, and so is a store that is a copy without an end.
func (ls *Libraries) Backup(ctx context.Context, snapshot Engines, w Watch, put func(m *Material, r io.Reader) error) (*BackedUp, error) {
	if st, err := snapshot.Accounts.Store(ctx); err != nil {
		return nil, err
	} else if st.Unfinished {
		return nil, errors.New("the store is a copy that is not finished: run the copy that was to make it again first")
	}
	removed, err := snapshot.Materials.RemovedAccounts(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range removed { // nobody can reach their rows, whose blobs may go any time
		if err := snapshot.Materials.DeleteAll(ctx, id); err != nil {
			return nil, err
		}
	}
	list, err := snapshot.Accounts.AccountList(ctx)
	if err != nil {
		return nil, err
	}
	p, err := newProgress(ctx, snapshot.Materials, list, w)
	if err != nil {
		return nil, err
	}
	done := &BackedUp{}
	for _, a := range list {
		done.Accounts++
		for m, err := range rowsOf(ctx, snapshot.Materials, a.ID) {
			if err != nil {
				return nil, err
			}
			kept, err := ls.backUp(ctx, snapshot, m, put)
			if err != nil {
				return nil, fmt.Errorf("material %s of %s: %w", m.MediaID, a.AppID, err)
			}
			p.step()
			if !kept {
				continue
			}
			done.Materials++
			done.Bytes += m.Size
			if m.Blob != "" {
				done.Blobs++
			}
		}
	}
	return done, nil
}

// backUp gives put one blob; the row goes where the material was deleted since.
func (ls *Libraries) backUp(ctx context.Context, snapshot Engines, m *Material, put func(*Material, io.Reader) error) (kept bool, err error) {
	if m.Blob == "" {
		return true, nil
	}
	bad, err := readWhole(ctx, ls.Blobs, m, func(r io.Reader) error { return put(m, r) })
	switch {
	case bad == nil:
		return err == nil, err
	case !errors.Is(bad, ErrNotFound):
		return false, fmt.Errorf("%w; `sucai verify` finds all that is damaged", bad)
	}
	same, err := stands(ctx, ls.Materials, m)
	if err != nil {
		return false, err
	}
	if same {
		return false, fmt.Errorf("%s; `sucai verify` finds all that is missing", inWords(m, bad))
	}
	return false, snapshot.Materials.Delete(ctx, m.Account, m.MediaID)
}
