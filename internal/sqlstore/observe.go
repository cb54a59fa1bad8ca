package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"sucai/internal/library"
)

// Observe has each call told to fn from now on. It is set before the store is used.
func (s *Store) Observe(fn library.Observe) { s.observe = fn }

// Pools gives figures of the connections by what they are for: "read" and "write", or
// where one pool is for both, "all".
func (s *Store) Pools() map[string]sql.DBStats {
	if s.read == s.write {
		return map[string]sql.DBStats{"all": s.read.Stats()}
	}
	return map[string]sql.DBStats{"read": s.read.Stats(), "write": s.write.Stats()}
}

// told tells the observer of a call that began at start and ended with err, of the driver
// or of a callback, and gives the error as the contract has it.
func (s *Store) told(caller context.Context, op library.Operation, start time.Time, err error) error {
	if err == nil {
		s.observe.Tell(caller, op, start, nil)
		return nil
	}
	out := wrap(err)
	var own *callbackError
	if errors.As(err, &own) {
		err = nil // it was not the store's
	} else {
		err = out
	}
	s.observe.Tell(caller, op, start, err)
	return out
}
