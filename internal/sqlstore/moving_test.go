package sqlstore_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
)

// onBoth runs a test on SQLite and PostgreSQL; reopen opens its store, once more each time.
func onBoth(t *testing.T, run func(t *testing.T, reopen func(sqlstore.Role) *sqlstore.Store)) {
	t.Run("SQLite", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "sucai.db")
		run(t, func(role sqlstore.Role) *sqlstore.Store {
			s, err := sqlstore.OpenSQLite(t.Context(), path, role)
			must(t, err)
			return s
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		address := storetest.Postgres(t)
		run(t, func(role sqlstore.Role) *sqlstore.Store {
			s, err := sqlstore.OpenPostgres(t.Context(), address, role)
			must(t, err)
			return s
		})
	})
}

// Each count that is wrong is found, and named.
func TestMiscounts(t *testing.T) {
	onBoth(t, func(t *testing.T, reopen func(sqlstore.Role) *sqlstore.Store) {
		s := reopen(sqlstore.Server)
		defer s.Close()
		a := account(t, s, "a", 1)
		for i := range 40 {
			must(t, s.Insert(t.Context(), image(a, fmt.Sprint(i)), math.MaxInt64))
		}
		for _, c := range []struct{ wrong, right, want string }{
			{`update counter set live = 41 where type = 'image'`, `update counter set live = 40 where type = 'image'`, "image: 41 are counted, 40 are there"},
			{`update counter set live = 1 where type = 'news'`, `update counter set live = 0 where type = 'news'`, "news: 1 are counted, 0 are there"},
			{`update counter set next = 40 where type = 'image'`, `update counter set next = 41 where type = 'image'`, "image: the next number is 40, but 40 is taken"},
			{`delete from counter where type = 'voice'`, fmt.Sprintf(`insert into counter (account, type, next, live) values (%d, 'voice', 1, 0)`, a.ID), "voice: there is no counter"},
			{`update bucket set live = live + 1 where level = 1 and bucket = 1`, `update bucket set live = live - 1 where level = 1 and bucket = 1`, "image: from number 32 to 63, 10 are counted, 9 are there"},
			{`delete from bucket where level = 2`, fmt.Sprintf(`insert into bucket (account, type, level, bucket, live) values (%d, 'image', 2, 0, 40)`, a.ID), "image: from number 0 to 1023, 0 are counted, 40 are there"},
			{fmt.Sprintf(`insert into bucket (account, type, level, bucket, live) values (%d, 'video', 4, 1, 3)`, a.ID), `delete from bucket where type = 'video'`, "video: from number 1048576 to 2097151, 3 are counted, 0 are there"},
		} {
			_, err := s.DB().Exec(c.wrong)
			must(t, err)
			wrong, err := s.Miscounts(t.Context(), a.ID)
			must(t, err)
			if strings.Join(wrong, "; ") != c.want {
				t.Errorf("%s: %q, want %q", c.wrong, wrong, c.want)
			}
			_, err = s.DB().Exec(c.right)
			must(t, err)
		}
		if wrong, err := s.Miscounts(t.Context(), a.ID); err != nil || len(wrong) > 0 {
			t.Errorf("%q, %v", wrong, err)
		}
	})
}

// A copy is one until a server opens it, and no longer.
func TestServedCopy(t *testing.T) {
	onBoth(t, func(t *testing.T, reopen func(sqlstore.Role) *sqlstore.Store) {
		st := &library.Store{ID: "one", RootKey: make([]byte, 32)}
		s := reopen(sqlstore.Copier)
		must(t, s.Adopt(t.Context(), st))
		account(t, s, "a", 1)
		must(t, s.Close())
		for _, role := range []sqlstore.Role{sqlstore.Command, sqlstore.Copier} {
			s = reopen(role)
			must(t, s.Adopt(t.Context(), st))
			must(t, s.Close())
		}
		s = reopen(sqlstore.Copier)
		must(t, s.FinishCopy(t.Context()))
		must(t, s.Close())
		must(t, reopen(sqlstore.Server).Close())
		s = reopen(sqlstore.Copier)
		defer s.Close()
		if err := s.Adopt(t.Context(), st); err != library.ErrConflict {
			t.Errorf("a store that was served since: %v", err)
		}
		if got, err := s.Store(t.Context()); err != nil || got.Copied || got.ID != "one" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
