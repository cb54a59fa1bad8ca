package library_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
)

// otherClock is a store whose clock is off, and which takes a while to say so.
type otherClock struct {
	library.Accounts
	off, takes time.Duration
	err        error
}

func (o *otherClock) Clock(context.Context) (time.Time, error) {
	time.Sleep(o.takes / 2)
	at := time.Now().Add(o.off)
	time.Sleep(o.takes / 2)
	return at, o.err
}

// A machine whose clock is too far from the store's does not serve it.
func TestClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		engines := storetest.Engines[0].Open(t)
		clock := &otherClock{Accounts: engines.Accounts}
		engines.Accounts = clock
		ls, err := library.Open(t.Context(), engines, library.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			off, takes time.Duration
			want       string // "": they agree
		}{
			{4 * time.Second, 0, ""},
			{-4 * time.Second, 0, ""},
			{6 * time.Second, 0, "the clock of this machine is 6s behind that of the database"},
			{-90 * time.Minute, 0, "the clock of this machine is 1h30m0s ahead of that of the database"},
			{-6 * time.Second, 2500 * time.Millisecond, ""}, // as far as one can tell
			{-8 * time.Second, 2500 * time.Millisecond, "ahead of"},
			{6 * time.Second, 2500 * time.Millisecond, ""},
			{8 * time.Second, 2500 * time.Millisecond, "behind"},
		} {
			clock.off, clock.takes = c.off, c.takes
			_, opening := library.Open(t.Context(), engines, library.Options{})
			for _, err := range []error{opening, ls.CheckClock(t.Context())} {
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s off, said in %s: %v", c.off, c.takes, err)
				}
			}
		}
		clock.err = errors.New("away")
		if err := ls.CheckClock(t.Context()); err != clock.err {
			t.Errorf("a clock that cannot be asked: %v", err)
		}
	})
}
