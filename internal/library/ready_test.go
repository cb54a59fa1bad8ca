package library

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowStore answers after a time, whatever its context says.
type slowStore struct {
	takes time.Duration
	err   error
	asked atomic.Int64
}

func (s *slowStore) Ready(context.Context) error {
	s.asked.Add(1)
	time.Sleep(s.takes)
	return s.err
}

type slowDatabase struct {
	Materials
	store *slowStore
}

func (d slowDatabase) Ready(ctx context.Context) error { return d.store.Ready(ctx) }

type slowBlobs struct {
	Blobs
	store *slowStore
}

func (b slowBlobs) Ready(ctx context.Context) error { return b.store.Ready(ctx) }

func slowLibraries(database, blobs *slowStore) *Libraries {
	return &Libraries{Engines: Engines{Materials: slowDatabase{nil, database}, Blobs: slowBlobs{nil, blobs}}}
}

// Both stores are asked at the same time, and one that says nothing keeps nobody longer
// than the limit. Which is away is told.
func TestReadyInTime(t *testing.T) {
	away := errors.New("away")
	for what, c := range map[string]struct {
		database, blobs *slowStore
		databaseIsAway  bool
		blobsAreAway    bool
		after           time.Duration
	}{
		"both are slow":        {database: &slowStore{takes: 2 * time.Second}, blobs: &slowStore{takes: 2 * time.Second}, after: 2 * time.Second},
		"the database hangs":   {database: &slowStore{takes: time.Hour}, blobs: &slowStore{}, databaseIsAway: true, after: readyTime},
		"the blobs hang":       {database: &slowStore{}, blobs: &slowStore{takes: time.Hour}, blobsAreAway: true, after: readyTime},
		"both hang":            {database: &slowStore{takes: time.Hour}, blobs: &slowStore{takes: time.Hour}, databaseIsAway: true, blobsAreAway: true, after: readyTime},
		"one hangs, one fails": {database: &slowStore{takes: time.Hour}, blobs: &slowStore{err: away}, databaseIsAway: true, blobsAreAway: true, after: readyTime},
		"the database fails":   {database: &slowStore{err: away}, blobs: &slowStore{}, databaseIsAway: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			defer time.Sleep(2 * time.Hour) // until what hangs has ended
			ls, start := slowLibraries(c.database, c.blobs), time.Now()
			err := ls.Ready(t.Context())
			var told *NotReady
			if errors.As(err, &told) != (c.databaseIsAway || c.blobsAreAway) || time.Since(start) != c.after {
				t.Fatalf("%s: %v after %s", what, err, time.Since(start))
			}
			if told != nil && ((told.Database != nil) != c.databaseIsAway || (told.Blobs != nil) != c.blobsAreAway) {
				t.Errorf("%s: %v", what, err)
			}
			if c.database.err != nil && !errors.Is(err, away) {
				t.Errorf("%s: %v", what, err)
			}
		})
	}
}

// However often it is asked for, a store that hangs is asked once, and again when it has
// answered.
func TestReadyAsksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		database, blobs := &slowStore{takes: time.Minute}, &slowStore{}
		ls := slowLibraries(database, blobs)
		for range 5 {
			if err := ls.Ready(t.Context()); err == nil {
				t.Error("ready while the database hangs")
			}
		}
		left, leave := context.WithCancel(t.Context())
		leave()
		if err := ls.Ready(left); !errors.Is(err, context.Canceled) {
			t.Errorf("for who has left: %v", err)
		}
		if n := database.asked.Load(); n != 1 {
			t.Errorf("the database was asked %d times at once", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		database.takes = 0
		if err := ls.Ready(t.Context()); err != nil || database.asked.Load() != 2 {
			t.Errorf("afterwards: %v, asked %d times", err, database.asked.Load())
		}
	})
}
