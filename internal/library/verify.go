package library

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"golang.org/x/sync/errgroup"

	"sucai/wechat"
)

// Verified is what Verify found.
type Verified struct {
	Accounts, Materials int64
	Blobs, Bytes        int64 // that were read

	Missing     int64 // materials without their blob
	Damaged     int64 // materials whose bytes or articles are not what was stored
	Unreadable  int64 // materials whose bytes the store did not give just now, though it gave others
	CountsWrong int64 // counts that differ from the rows
	Copied      bool  // the store is a copy, and no server has run on it yet
	Unfinished  bool  // and has not come to its end
	// Unreferenced are blobs that no row names: what was deleted and not swept yet, and
	// uploads that broke off. Those of the last hour are not looked at.
	Unreferenced int64
	Overdue      int64 // of these, older than two days, where no server has swept for as long
}

// Verify looks at no unreferenced blob that may belong to an upload under way. Others are
// a fault only where the sweep is long due: one that was deleted a minute ago may be years old.
const (
	uploadAge  = time.Hour
	overdueAge = 2 * SweepAge
)

// Sound tells whether everything is there, unharmed and counted.
func (v *Verified) Sound() bool {
	return v.Missing+v.Damaged+v.Unreadable+v.CountsWrong == 0 && !v.Unfinished
}

// Verify reads every material and every blob, and tells what is not as it must be. It may
// run while others write: what is deleted or changed meanwhile is no fault. Memory does
// not grow with the store.
func (ls *Libraries) Verify(ctx context.Context, w Watch) (*Verified, error) {
	ctx = withPatience(ctx)
	list, err := ls.Accounts.AccountList(ctx)
	if err != nil {
		return nil, err
	}
	p, err := newProgress(ctx, ls.Materials, list, w)
	if err != nil {
		return nil, err
	}
	v := &verifying{ls: ls, progress: p, large: make(turns, 1)}
	for _, a := range list {
		if err := v.account(ctx, a); err != nil {
			return &v.found, err
		}
	}
	st, err := ls.Accounts.Store(ctx)
	if err != nil {
		return &v.found, err
	}
	v.found.Copied, v.found.Unfinished = st.Copied, st.Unfinished
	err = ls.unreferenced(ctx, time.Now().Add(-uploadAge), func(string) { v.found.Unreferenced++ })
	if err != nil || v.found.Unreferenced == 0 {
		return &v.found, err
	}
	limit := time.Now().Add(-overdueAge)
	due, err := ls.Materials.SweepDue(ctx)
	if err == nil && due < limit.Unix() {
		err = ls.unreferenced(ctx, limit, func(name string) {
			p.fault(&v.found.Overdue, Fault{What: "blob " + name + " is older than two days and belongs to no material"})
		})
	}
	return &v.found, err
}

// verifying is one run of Verify.
type verifying struct {
	ls       *Libraries
	progress *progress
	found    Verified
	large    turns // articles that are held in memory at once
}

func (v *verifying) account(ctx context.Context, a *Account) error {
	v.found.Accounts++
	g, inner := errgroup.WithContext(ctx)
	g.SetLimit(blobsAtOnce)
	for m, err := range rowsOf(inner, v.ls.Materials, a.ID) {
		if err != nil {
			g.Go(func() error { return err })
			break
		}
		g.Go(func() error { return v.material(inner, a, m) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	wrong, err := v.ls.Materials.Miscounts(ctx, a.ID)
	if err != nil || len(wrong) == 0 {
		return err
	}
	if _, err := v.ls.Accounts.AccountByID(ctx, a.ID); err != nil {
		if errors.Is(err, ErrNotFound) { // its rows are being deleted
			return nil
		}
		return err
	}
	for _, what := range wrong {
		v.progress.fault(&v.found.CountsWrong, Fault{AppID: a.AppID, What: "the counts do not add up: " + what})
	}
	return nil
}

// material checks one row, and once more where it was changed meanwhile.
func (v *verifying) material(ctx context.Context, a *Account, m *Material) error {
	defer v.progress.step()
	for {
		bad, err := v.content(ctx, m)
		if err != nil {
			return err
		}
		if bad == nil {
			v.progress.lock(func() {
				v.found.Materials++
				v.found.Bytes += m.Size
				if m.Blob != "" {
					v.found.Blobs++
				}
			})
			return nil
		}
		same, err := stands(ctx, v.ls.Materials, m)
		if err != nil {
			return err
		}
		if same {
			count := &v.found.Damaged
			var notNow unreadable
			switch {
			case errors.Is(bad, ErrNotFound):
				count = &v.found.Missing
			case errors.As(bad, &notNow):
				count = &v.found.Unreadable
			}
			v.progress.lock(func() { v.found.Materials++ })
			v.progress.fault(count, Fault{a.AppID, m.MediaID, inWords(m, bad)})
			return nil
		}
		m, err = v.ls.Materials.Material(ctx, m.Account, m.MediaID, 0)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// content reads all of a material; bad is what is wrong with it.
func (v *verifying) content(ctx context.Context, m *Material) (bad, err error) {
	if m.Type != wechat.News {
		return insistWhole(ctx, v.ls.Blobs, m, func(r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
	}
	if m.Size <= SmallArticles {
		return v.articles(ctx, m)
	}
	turn := v.large.do(ctx, func() { bad, err = v.articles(ctx, m) })
	return bad, cmp.Or(err, turn)
}

// articles reads a news as it is now.
func (v *verifying) articles(ctx context.Context, m *Material) (bad, err error) {
	now, err := v.ls.Materials.Material(ctx, m.Account, m.MediaID, math.MaxInt64)
	switch {
	case errors.Is(err, ErrNotFound):
		return damage("it is gone"), nil
	case err != nil:
		return nil, err
	case int64(len(now.Articles)) != now.Size:
		return damage(fmt.Sprintf("its articles have %d bytes, %d were stored", len(now.Articles), now.Size)), nil
	}
	if err := now.readable(); err != nil {
		return damage(err.Error()), nil
	}
	if _, err := now.Articles.Decode("http://localhost"); err != nil {
		return damage("its articles cannot be read: " + err.Error()), nil
	}
	return nil, nil
}

// unreferenced calls found with each blob last written before a time that no row names.
func (ls *Libraries) unreferenced(ctx context.Context, before time.Time, found func(name string)) error {
	for after, ended := "", false; !ended; {
		names, next, err := ls.Blobs.List(ctx, after, before)
		if err != nil {
			return err
		}
		free, err := ls.Materials.Unreferenced(ctx, names)
		if err != nil {
			return err
		}
		for _, name := range free {
			found(name)
		}
		after, ended = next, next == ""
	}
	return nil
}
