package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"time"

	"sucai/internal/library"
)

var (
	insertStore = sqlText(`insert into store (one, id, root_key, place) values (1, $1, $2, $1) on conflict do nothing`)
	selectStore = sqlText(`select id, root_key, place, claimed, copied, unfinished from store`)
	setClaimed  = sqlText(`update store set claimed = true where not claimed`)
	ownStore    = sqlText(`update store set copied = false, pass = '' where copied and not unfinished`)
	finishCopy  = sqlText(`update store set unfinished = false where unfinished`)
	movePlace   = sqlText(`update store set place = $1`)
)

// errUnfinished is of a store that lacks what a copy was still to bring.
const errUnfinished = unfitError("is a copy that is not finished: run the same copy again, until it succeeds; where its source is gone for good, serve what there is by --accept-unfinished-copy")

// begin gives a new store its id and root key; of several who try, one does. A copy that
// a server opens is a store of its own from then on; one that is not finished it leaves.
func (s *Store) begin(ctx context.Context, role Role) error {
	key := make([]byte, 32)
	rand.Read(key)
	q := query{ctx, s.write, nil, s.prepared[s.write]}
	if _, err := q.exec(insertStore, rand.Text(), key); err != nil || role != Server {
		return err
	}
	if _, err := q.exec(ownStore); err != nil {
		return err
	}
	if st, err := s.Store(ctx); err != nil || !st.Unfinished { // looked at afterwards: a copy may have begun
		return err
	}
	return errUnfinished
}

// Store implements library.Accounts.
func (s *Store) Store(ctx context.Context) (*library.Store, error) {
	st := &library.Store{}
	err := s.look(ctx, func(q query) error {
		return q.row(selectStore).Scan(&st.ID, &st.RootKey, &st.Place, &st.Claimed, &st.Copied, &st.Unfinished)
	})
	return st, err
}

// SetClaimed implements library.Accounts.
func (s *Store) SetClaimed(ctx context.Context) error { return s.changeStore(ctx, setClaimed) }

// FinishCopy implements library.Accounts.
func (s *Store) FinishCopy(ctx context.Context) error { return s.changeStore(ctx, finishCopy) }

func (s *Store) changeStore(ctx context.Context, st statement, args ...any) error {
	return s.change(ctx, callTime, func(q query) error {
		_, err := q.exec(st, args...)
		return err
	})
}

// Clock implements library.Accounts.
func (s *Store) Clock(ctx context.Context) (time.Time, error) { return s.clock(ctx) }

const accountColumns = `id, appid, uin, salt, hash, created, settings, stable`

var (
	insertAccount = sqlText(`insert into account (appid, uin, salt, hash, created, settings) values ($1, $2, $3, $4, $5, $6) returning id`)
	selectAccount = sqlText(`select ` + accountColumns + ` from account where appid = $1`)
	lockAccount   = sqlText(`select ` + accountColumns + ` from account where appid = $1` + forUpdate)
	selectByID    = sqlText(`select ` + accountColumns + ` from account where id = $1`)
	selectByUin   = sqlText(`select ` + accountColumns + ` from account where uin = $1`)
	selectAll     = sqlText(`select ` + accountColumns + ` from account order by appid`)
	updateAccount = sqlText(`update account set salt = $2, hash = $3, settings = coalesce($4, settings), stable = $5 where id = $1`)
	deleteAccount = sqlText(`delete from account where appid = $1 returning id`)
	stayAccount   = sqlText(`select id from account where appid = $1` + forStay)
	stayByID      = sqlText(`select id from account where id = $1` + forStay)
	insertCounter = sqlText(`insert into counter (account, type, next, live) values ($1, 'image', 1, 0), ($1, 'voice', 1, 0), ($1, 'video', 1, 0), ($1, 'news', 1, 0)`)
)

func scanAccount(row interface{ Scan(...any) error }) (*library.Account, error) {
	a := &library.Account{}
	var settings, stable string
	err := row.Scan(&a.ID, &a.AppID, &a.Uin, &a.Salt, &a.Hash, &a.Created, &settings, &stable)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(settings), &a.Settings); err != nil {
		return nil, fmt.Errorf("settings of %s: %w", a.AppID, err)
	}
	if err := json.Unmarshal([]byte(stable), &a.Stable); err != nil {
		return nil, fmt.Errorf("stable token of %s: %w", a.AppID, err)
	}
	return a, nil
}

// CreateAccount implements library.Accounts.
func (s *Store) CreateAccount(ctx context.Context, a *library.Account) error {
	settings, err := json.Marshal(a.Settings)
	if err != nil {
		return err
	}
	return s.change(ctx, callTime, func(q query) error {
		row := q.row(insertAccount, a.AppID, a.Uin, a.Salt, a.Hash, a.Created, string(settings))
		if err := row.Scan(&a.ID); err != nil {
			return err
		}
		_, err := q.exec(insertCounter, a.ID)
		return err
	})
}

func (s *Store) account(ctx context.Context, by statement, arg any) (a *library.Account, err error) {
	err = s.look(ctx, func(q query) error {
		a, err = scanAccount(q.row(by, arg))
		return err
	})
	return a, err
}

// Account implements library.Accounts.
func (s *Store) Account(ctx context.Context, appID string) (*library.Account, error) {
	if impossible(appID) {
		return nil, library.ErrNotFound
	}
	return s.account(ctx, selectAccount, appID)
}

// AccountByID implements library.Accounts.
func (s *Store) AccountByID(ctx context.Context, id int64) (*library.Account, error) {
	return s.account(ctx, selectByID, id)
}

// AccountByUin implements library.Accounts.
func (s *Store) AccountByUin(ctx context.Context, uin int64) (*library.Account, error) {
	return s.account(ctx, selectByUin, uin)
}

// AccountList implements library.Accounts.
func (s *Store) AccountList(ctx context.Context) (list []*library.Account, err error) {
	err = s.look(ctx, func(q query) error {
		list = nil
		rows, err := q.rows(selectAll)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanAccount(rows)
			if err != nil {
				return err
			}
			list = append(list, a)
		}
		return rows.Err()
	})
	return list, err
}

// changed gives settings as they are stored, nil where they are what they were before: a
// node of the release before knows fewer, and each token would take away the others.
func changed(before []byte, settings any) (any, error) {
	after, err := json.Marshal(settings)
	if err != nil || bytes.Equal(before, after) {
		return nil, err
	}
	return string(after), nil
}

// ChangeAccount implements library.Accounts.
func (s *Store) ChangeAccount(ctx context.Context, appID string, change func(*library.Account, library.Grants) error) error {
	if impossible(appID) {
		return library.ErrNotFound
	}
	return s.change(ctx, callTime, func(q query) error {
		a, err := scanAccount(q.row(lockAccount, appID))
		if err != nil {
			return err
		}
		before, err := json.Marshal(a.Settings)
		if err != nil {
			return err
		}
		g := &grants{q: q, account: a.ID}
		if err := change(a, g); g.err != nil {
			return g.err // ours, however it was passed on
		} else if err != nil {
			return &callbackError{err}
		}
		settings, err := changed(before, a.Settings)
		if err != nil {
			return err
		}
		stable, err := json.Marshal(a.Stable)
		if err != nil {
			return err
		}
		_, err = q.exec(updateAccount, a.ID, a.Salt, a.Hash, settings, string(stable))
		return err
	})
}

// RemoveAccount implements library.Accounts.
func (s *Store) RemoveAccount(ctx context.Context, appID string) error {
	if impossible(appID) {
		return library.ErrNotFound
	}
	return s.change(ctx, callTime, func(q query) error {
		a, err := scanAccount(q.row(selectAccount, appID))
		if err != nil {
			return err
		}
		if _, err := q.lockComponents(a.ID); err != nil { // before the account, as their changes do
			return err
		}
		var id int64
		if err := q.row(deleteAccount, appID).Scan(&id); err != nil {
			return err
		}
		if err := q.withdrawAll(id); err != nil {
			return err
		}
		if _, err := q.exec(deleteGrants, id); err != nil {
			return err
		}
		if err := removeClouds(q, id); err != nil {
			return err
		}
		_, err = q.exec(deleteCalls, id)
		return err
	})
}
