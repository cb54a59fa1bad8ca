package library

import (
	"context"
	"fmt"
	"time"
)

// maxSkew is how far a machine's clock may be from the store's, so that two nodes are never
// further apart than twice that. What a node ends at once does not depend on it. What ends
// at a time does, to that extent: tokens at their own end and 5 minutes after the next
// one, quotas at midnight, codes, tickets and signed addresses. And two promises need it:
// a message to a platform is its taker's alone for pushLease, of which it uses pushTime,
// and a forced refresh does nothing within forceRest of the last.
const maxSkew = 5 * time.Second

// CheckClock compares this machine's clock with the store's. The error says by how much
// they differ, where that is too much, or why it is not known.
func (ls *Libraries) CheckClock(ctx context.Context) error { return checkClock(ctx, ls.Accounts) }

func checkClock(ctx context.Context, a Accounts) error {
	before := time.Now()
	theirs, err := a.Clock(ctx)
	if err != nil {
		return err
	}
	// Theirs was read at some time between ours.
	word, off := "behind", time.Until(theirs)
	if early := before.Sub(theirs); early > off {
		word, off = "ahead of", early
	}
	if off <= maxSkew {
		return nil
	}
	return fmt.Errorf("the clock of this machine is %s %s that of the database, and tokens end by both: set both, by NTP for instance, so that they are less than %s apart",
		off.Round(time.Second), word, maxSkew)
}
