package sqlstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
)

// Each call is told once, as what it was and how it ended, on both databases; the caller's
// own errors, and his leaving, tell nothing of the store.
func TestObserve(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) (*sqlstore.Store, error){
		"SQLite": func(t *testing.T) (*sqlstore.Store, error) {
			return sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "sucai.db"), sqlstore.Server)
		},
		"PostgreSQL": func(t *testing.T) (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(t.Context(), storetest.Postgres(t), sqlstore.Server)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := open(t)
			must(t, err)
			type call struct {
				op  library.Operation
				err error
			}
			var calls []call
			s.Observe(func(op library.Operation, took time.Duration, err error) {
				if took <= 0 || took > time.Minute {
					t.Errorf("%v took %s", op, took)
				}
				calls = append(calls, call{op, err})
			})
			ctx, own := t.Context(), errors.New("the caller's")
			left, leave := context.WithCancel(ctx)
			leave()
			account := &library.Account{AppID: "wxone", Uin: 1, Salt: []byte{1}, Hash: []byte{1}}
			none := []call{}
			for _, c := range []struct {
				what string
				do   func() error
				err  error
				want []call
			}{
				{"a change", func() error { return s.CreateAccount(ctx, account) }, nil, []call{{library.DatabaseWrite, nil}}},
				{"one that finds a name taken", func() error { return s.CreateAccount(ctx, account) }, library.ErrExists, []call{{library.DatabaseWrite, nil}}},
				{"a read", func() error { return s.Ready(ctx) }, nil, []call{{library.DatabaseRead, nil}}},
				{"one of nothing", func() error { _, err := s.Account(ctx, "wxnone"); return err }, library.ErrNotFound, []call{{library.DatabaseRead, library.ErrNotFound}}},
				{"a page", func() error {
					_, err := s.Page(ctx, account.ID, "image", 0, 20, func(int64) error { return nil }, func(*library.Material) error { return nil })
					return err
				}, nil, []call{{library.DatabaseSnapshot, nil}}},
				{"a change that the caller ends", func() error {
					return s.ChangeAccount(ctx, "wxone", func(*library.Account, library.Grants) error { return own })
				}, own, []call{{library.DatabaseWrite, nil}}},
				{"a read for who has left", func() error { return s.Ready(left) }, context.Canceled, none},
				{"a change for who has left", func() error { return s.CreateAccount(left, &library.Account{AppID: "wxtwo", Uin: 2}) }, context.Canceled, none},
			} {
				calls = none
				if err := c.do(); !errors.Is(err, c.err) {
					t.Errorf("%s: %v", c.what, err)
				}
				same := len(calls) == len(c.want)
				for i := range calls {
					same = same && calls[i].op == c.want[i].op && errors.Is(calls[i].err, c.want[i].err)
				}
				if !same {
					t.Errorf("%s: told %v, want %v", c.what, calls, c.want)
				}
			}
			pools := s.Pools()
			if len(pools) == 0 {
				t.Error("no pools")
			}
			for pool, stats := range pools {
				if stats.MaxOpenConnections == 0 {
					t.Errorf("pool %s: %+v", pool, stats)
				}
			}
			must(t, s.Close())
			calls = none
			if err := s.Ready(ctx); err == nil || len(calls) != 1 || calls[0].err == nil {
				t.Errorf("closed: %v, told %v", err, calls)
			}
		})
	}
}

// A database whose file was taken away is not ready, though SQLite goes on with what it
// has open: all that is written would be lost.
func TestReadyKnowsItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sucai.db")
	s, err := sqlstore.OpenSQLite(t.Context(), path, sqlstore.Server)
	must(t, err)
	defer s.Close()
	must(t, s.Ready(t.Context()))
	must(t, os.Rename(path, path+".away"))
	if err := s.Ready(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without its file: %v", err)
	}
	// What goes on meanwhile, on connections that are opened for it, leaves nothing behind.
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			s.Page(t.Context(), 1, "image", 0, 20, func(int64) error { return nil }, func(*library.Material) error { return nil })
		})
	}
	wg.Wait()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another file took its place: %v", err)
	}
	must(t, os.WriteFile(path, nil, 0o600))
	if err := s.Ready(t.Context()); err == nil {
		t.Error("ready with another file")
	}
	must(t, os.Rename(path+".away", path))
	for range 16 {
		wg.Go(func() {
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("with its file again: %v", err)
			}
		})
	}
	wg.Wait()
}
