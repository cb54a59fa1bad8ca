package sqlstore_test

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
)

// Idle connections that lead nowhere any more, because what stood between has vanished
// without a word, cost a little time, and no call.
func TestForgottenConnections(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	p, through := newProxy(t, address)
	s := open(t, through, sqlstore.Server)
	a := account(t, s, "a", 1)
	var wg sync.WaitGroup
	for i := range 3 * sqlstore.Connections { // all that there can be
		wg.Go(func() {
			if err := s.Insert(t.Context(), image(a, fmt.Sprint(i)), math.MaxInt64); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	before := s.DB().Stats().OpenConnections
	if before < 4 {
		t.Fatalf("%d connections: nothing is tested", before)
	}
	time.Sleep(1100 * time.Millisecond) // who was used just now is not looked at
	p.Forget()
	var failed []error
	for i := range sqlstore.Connections {
		if _, err := s.Material(t.Context(), a.ID, fmt.Sprint(i), 0); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) > 1 { // one, where the machine is slow
		t.Errorf("%d calls failed: %v", len(failed), failed)
	}
}
