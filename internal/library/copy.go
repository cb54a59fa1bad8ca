package library

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
)

// CopyOptions say what a copy takes along and who is told of it.
type CopyOptions struct {
	Grants bool // access tokens too, so that clients need no new ones
	Watch
}

// Copied is what one pass of a copy did.
type Copied struct {
	Accounts  int64 // in the source
	Materials int64 // copied: new, or changed since the last pass
	Unchanged int64 // there already
	Removed   int64 // from the target, since the source has them no more
	Bytes     int64 // of what was copied
	Failed    int64 // not copied, since the source has lost or damaged their bytes
}

// Copy makes to a copy of this store, of any shape: identity, accounts, third-party
// platforms, environments and materials with their media_ids, numbers, keys and bytes, so
// that addresses and signatures made by one are good at the other. Each blob is checked
// against its sha256 on the way.
//
// What the target has already is compared by rows alone, so another pass takes what has
// changed, and finishes one that broke off. What the source has no more is removed. The
// source may be served meanwhile. The target is opened by no server until a pass has come to
// its end, and is refused where one has run on it since, or where it is the source itself; so
// is a source that is itself a copy without an end.
//
// Counts of calls, codes and messages under way are not taken along; access tokens only
// with Grants. An error leaves what was copied so far.
func (ls *Libraries) Copy(ctx context.Context, to Engines, o CopyOptions) (*Copied, error) {
	c := &copying{from: ls, to: to, o: o, accounts: map[int64]int64{}, components: map[int64]int64{}}
	if err := c.begin(ctx); err != nil {
		return &c.done, err
	}
	list, err := c.copyAccounts(ctx)
	if err != nil {
		return &c.done, err
	}
	if err := c.copyComponents(ctx); err != nil {
		return &c.done, err
	}
	if err := c.copyCloudEnvs(ctx); err != nil {
		return &c.done, err
	}
	if c.progress, err = newProgress(ctx, ls.Materials, list, o.Watch); err != nil {
		return &c.done, err
	}
	for _, a := range list {
		if err := c.copyMaterials(ctx, a); err != nil {
			return &c.done, fmt.Errorf("materials of %s: %w", a.AppID, err)
		}
	}
	if err := c.copyGrants(ctx, list); err != nil {
		return &c.done, err
	}
	return &c.done, to.Accounts.FinishCopy(ctx)
}

// copying is one run of Copy.
type copying struct {
	from *Libraries
	to   Engines
	o    CopyOptions
	done Copied

	accounts   map[int64]int64 // IDs in the target by those in the source
	components map[int64]int64
	progress   *progress
}

// errOwn means that a target is not to be overwritten.
var errOwn = errors.New("the target is the source itself, another store, or a copy on which a server has run since: nothing is overwritten there; copy to an empty place")

// begin makes the target a copy of the source, or makes sure that it is one.
func (c *copying) begin(ctx context.Context) error {
	st, err := c.from.Accounts.Store(ctx)
	if err != nil {
		return err
	}
	have, err := c.to.Accounts.Store(ctx)
	if err != nil {
		return err
	}
	switch {
	case st.Unfinished:
		return errors.New("the source is itself a copy that is not finished: run the copy that was to make it again first, or are --from and --to the wrong way round?")
	case have.ID == st.ID && !have.Copied:
		return errOwn
	case have.ID != st.ID && have.Claimed:
		return errOwn
	}
	// It has a name of its own, so that neither takes the other's blobs for unreferenced.
	if err := c.to.Blobs.Claim(ctx, have.Place, !have.Claimed); err != nil {
		return err
	}
	if err := c.to.Accounts.Adopt(ctx, st); err != nil {
		if errors.Is(err, ErrConflict) {
			return errOwn
		}
		return err
	}
	removed, err := c.to.Materials.RemovedAccounts(ctx) // by a pass that broke off
	for _, id := range removed {
		if err := c.to.Materials.DeleteAll(ctx, id); err != nil {
			return err
		}
	}
	return err
}

// copyMaterials makes the rows of one account in the target those of the source. Both are
// walked side by side, in the order of media_ids.
func (c *copying) copyMaterials(ctx context.Context, a *Account) (err error) {
	target := c.accounts[a.ID]
	source, stop := iter.Pull2(rowsOf(ctx, c.from.Materials, a.ID))
	defer stop()
	old, stopOld := iter.Pull2(rowsOf(ctx, c.to.Materials, target))
	defer stopOld()
	b := &batch{copying: c, account: a, target: target}
	m, err, more := source()
	have, oldErr, moreOld := old()
	for more || moreOld {
		if err = cmp.Or(err, oldErr); err != nil {
			return err
		}
		order := 1 // the target has a row that the source has not
		switch {
		case more && moreOld:
			order = cmp.Compare(m.MediaID, have.MediaID)
		case more:
			order = -1
		}
		switch {
		case order > 0:
			if err := c.to.Materials.Delete(ctx, target, have.MediaID); err != nil {
				return err
			}
			c.done.Removed++
		case order == 0 && sameRow(m, have):
			c.done.Unchanged++
			c.progress.step()
		default:
			if err := b.add(ctx, m, order == 0); err != nil {
				return err
			}
		}
		if order <= 0 {
			m, err, more = source()
		}
		if order >= 0 {
			have, oldErr, moreOld = old()
		}
	}
	return b.flush(ctx)
}

// sameRow tells whether two rows stand for the same material in the same state. A copy's
// blob has the same sha256 in its name, and another ending.
func sameRow(a, b *Material) bool {
	x, y := *a, *b
	x.Account, y.Account = 0, 0
	x.Blob, y.Blob = sumOf(x.Blob), sumOf(y.Blob)
	return reflect.DeepEqual(x, y)
}
