package library

import "context"

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
