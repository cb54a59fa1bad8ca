package sqlstore

import (
	"context"
	"database/sql"
	"errors"
)

var (
	countCall = sqlText(`insert into calls (account, endpoint, day, used) values ($1, $2, $3, 1)
		on conflict (account, endpoint, day) do update set used = calls.used + 1 where calls.used < $4 returning used`)
	forgetCalls = sqlText(`delete from calls where day < $1`)
	deleteCalls = sqlText(`delete from calls where account = $1`)
)

// CountCall implements library.Accounts.
func (s *Store) CountCall(ctx context.Context, account int64, endpoint string, day, limit int64) (within bool, err error) {
	if limit < 1 {
		return false, nil
	}
	err = s.change(ctx, callTime, func(q query) error {
		var used int64
		err := q.row(countCall, account, endpoint, day, limit).Scan(&used)
		within = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return within, err
}

// ForgetCalls implements library.Accounts.
func (s *Store) ForgetCalls(ctx context.Context, before int64) error {
	return s.change(ctx, batchTime, func(q query) error {
		_, err := q.exec(forgetCalls, before)
		return err
	})
}
