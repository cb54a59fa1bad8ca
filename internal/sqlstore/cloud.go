package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"sucai/internal/library"
)

const cloudColumns = `e.id, e.secret_id, e.secret_key, e.ticket, e.methods, e.created, a.appid from cloud_env e join account a on a.id = e.owner`

var (
	insertCloud   = sqlText(`insert into cloud_env (id, secret_id, secret_key, ticket, methods, created, owner) values ($1, $2, $3, $4, $5, $6, $7)`)
	insertAllow   = sqlText(`insert into cloud_allow (env, account) values ($1, $2)`)
	selectCloud   = sqlText(`select ` + cloudColumns + ` where e.id = $1`)
	selectBySID   = sqlText(`select ` + cloudColumns + ` where e.secret_id = $1`)
	selectClouds  = sqlText(`select id from cloud_env order by id`)
	selectAllowed = sqlText(`select a.appid from cloud_allow c join account a on a.id = c.account where c.env = $1`)
	updateCloud   = sqlText(`update cloud_env set secret_id = $2, secret_key = $3, ticket = $4 where id = $1`)
	deleteCloud   = sqlText(`delete from cloud_env where id = $1`)
	deleteAllowed = sqlText(`delete from cloud_allow where env = $1`)
	deleteOfOwner = sqlText(`delete from cloud_env where owner = $1 returning id`)
	deleteAllow   = sqlText(`delete from cloud_allow where account = $1`)
)

// CreateCloudEnv implements library.CloudEnvs.
func (s *Store) CreateCloudEnv(ctx context.Context, e *library.CloudEnv) error {
	methods, err := json.Marshal(e.Methods)
	if err != nil {
		return err
	}
	return s.change(ctx, callTime, func(q query) error {
		owner, err := q.stay(e.Owner)
		if err != nil {
			return err
		}
		if _, err := q.exec(insertCloud, e.ID, e.SecretID, e.SecretKey, e.Ticket, string(methods), e.Created, owner); err != nil {
			return err
		}
		for _, appID := range e.Allow {
			account, err := q.stay(appID)
			if err != nil {
				return err
			}
			if _, err := q.exec(insertAllow, e.ID, account); err != nil {
				return err
			}
		}
		return nil
	})
}

// stay gives the id of an account that is not removed before the transaction ends.
func (q query) stay(appID string) (id int64, err error) {
	if impossible(appID) {
		return 0, library.ErrNotFound
	}
	err = q.row(stayAccount, appID).Scan(&id)
	return id, err
}

// orNotFound is the error of a statement that failed, or found no row to work on.
func orNotFound(err error) error {
	if err == nil {
		return library.ErrNotFound
	}
	return err
}

// CloudEnv implements library.CloudEnvs.
func (s *Store) CloudEnv(ctx context.Context, id string) (*library.CloudEnv, error) {
	return s.cloudEnv(ctx, selectCloud, id)
}

// CloudEnvBySecretID implements library.CloudEnvs.
func (s *Store) CloudEnvBySecretID(ctx context.Context, secretID string) (*library.CloudEnv, error) {
	return s.cloudEnv(ctx, selectBySID, secretID)
}

func (s *Store) cloudEnv(ctx context.Context, by statement, arg string) (e *library.CloudEnv, err error) {
	if impossible(arg) {
		return nil, library.ErrNotFound
	}
	err = s.view(ctx, callTime, func(q query) error {
		e, err = readCloudEnv(q, by, arg)
		return err
	})
	return e, err
}

// readCloudEnv reads an environment with its accounts, in one snapshot.
func readCloudEnv(q query, by statement, arg string) (*library.CloudEnv, error) {
	e := &library.CloudEnv{Allow: []string{}}
	var methods string
	if err := q.row(by, arg).Scan(&e.ID, &e.SecretID, &e.SecretKey, &e.Ticket, &methods, &e.Created, &e.Owner); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(methods), &e.Methods); err != nil {
		return nil, fmt.Errorf("methods of %s: %w", e.ID, err)
	}
	allowed, err := column[string](q, selectAllowed, e.ID)
	if err != nil {
		return nil, err
	}
	e.Allow = append(e.Allow, allowed...)
	slices.Sort(e.Allow)
	return e, nil
}

// column gives the one column of the rows of a statement.
func column[T any](q query, st statement, args ...any) (list []T, err error) {
	rows, err := q.rows(st, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var value T
		if err := rows.Scan(&value); err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	return list, rows.Err()
}

// CloudEnvList implements library.CloudEnvs.
func (s *Store) CloudEnvList(ctx context.Context) (list []*library.CloudEnv, err error) {
	err = s.view(ctx, callTime, func(q query) error {
		list = nil
		ids, err := column[string](q, selectClouds)
		if err != nil {
			return err
		}
		for _, id := range ids {
			e, err := readCloudEnv(q, selectCloud, id)
			if err != nil {
				return err
			}
			list = append(list, e)
		}
		return nil
	})
	return list, err
}

// SetCloudKeys implements library.CloudEnvs.
func (s *Store) SetCloudKeys(ctx context.Context, e *library.CloudEnv) error {
	if impossible(e.ID) {
		return library.ErrNotFound
	}
	return s.change(ctx, callTime, func(q query) error {
		if n, err := q.exec(updateCloud, e.ID, e.SecretID, e.SecretKey, e.Ticket); err != nil || n == 0 {
			return orNotFound(err)
		}
		return nil
	})
}

// RemoveCloudEnv implements library.CloudEnvs.
func (s *Store) RemoveCloudEnv(ctx context.Context, id string) error {
	if impossible(id) {
		return library.ErrNotFound
	}
	return s.change(ctx, callTime, func(q query) error {
		if n, err := q.exec(deleteCloud, id); err != nil || n == 0 {
			return orNotFound(err)
		}
		_, err := q.exec(deleteAllowed, id)
		return err
	})
}

// removeClouds removes what a removed account owned, and it from what others allow.
func removeClouds(q query, account int64) error {
	owned, err := column[string](q, deleteOfOwner, account)
	if err != nil {
		return err
	}
	for _, id := range owned {
		if _, err := q.exec(deleteAllowed, id); err != nil {
			return err
		}
	}
	_, err = q.exec(deleteAllow, account)
	return err
}
