package library

import (
	"context"
	"time"
)

// SweepAge is how old an unreferenced blob must be before sweep removes it: older than
// any upload can still be under way.
const SweepAge = 24 * time.Hour

// Tidy forgets tokens and codes that need not be remembered, calls of days gone by, messages
// to platforms that are done, temporary media that have expired, and what is left of
// removed accounts.
func (ls *Libraries) Tidy(ctx context.Context) error {
	now := ls.now().Unix()
	if err := ls.Accounts.ForgetGrants(ctx, now, now-remembered); err != nil {
		return err
	}
	if err := ls.Accounts.ForgetCalls(ctx, ls.day()); err != nil {
		return err
	}
	if err := ls.Accounts.ForgetComponents(ctx, now-remembered); err != nil {
		return err
	}
	if err := ls.Materials.DeleteExpired(ctx, now); err != nil {
		return err
	}
	removed, err := ls.Materials.RemovedAccounts(ctx)
	if err != nil {
		return err
	}
	for _, id := range removed {
		if err := ls.Materials.DeleteAll(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes the blobs last written before the given time that no row names, and
// tells how many.
func (ls *Libraries) Sweep(ctx context.Context, before time.Time) (removed int, err error) {
	err = ls.Blobs.List(ctx, before, func(names []string) error {
		free, err := ls.Materials.Unreferenced(ctx, names)
		if err != nil {
			return err
		}
		for _, name := range free {
			if err := ls.Blobs.Remove(ctx, name); err != nil {
				return err
			}
			removed++
		}
		return nil
	})
	ls.done.swept.Add(int64(removed))
	if err != nil {
		ls.done.sweepsFailed.Add(1)
		return removed, err
	}
	ls.done.sweeps.Add(1)
	ls.done.lastSweep.Store(ls.now().Unix())
	return removed, nil
}
