package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"sucai/internal/library"
	"sucai/wechat"
)

const authorizationColumns = `select a.component, a.account, b.appid, a.sets, a.refresh, a.created, a.updated
	from component_authorization a join account b on b.id = a.account `

// The authorisations of a component are listed by account, and counted in buckets as the
// materials of an account are: under this type, and the negative of the component's id,
// which no account has.
const (
	authorizationPage  = authorizationColumns + `where a.component = $1 and a.account >= `
	authorizationOrder = ` order by a.component, a.account limit $2`

	authorizer wechat.Type = "authorizer"
)

func authorizersOf(component int64) (account int64) { return -component }

var (
	selectAuthorization  = sqlText(authorizationColumns + `where a.component = $1 and a.account = $2`)
	selectAuthorizations = sqlText(authorizationPage + `$3` + authorizationOrder)
	newestAuthorizations = sqlText(authorizationPage + `(select account from component_authorization where component = $1 and account <= $3 and account >= $4 order by account desc limit 1 offset $5)` + authorizationOrder)
	oldestAuthorizations = sqlText(authorizationPage + `(select account from component_authorization where component = $1 and account <= $3 and account >= $4 order by account asc limit 1 offset $5)` + authorizationOrder)
	selectAuthorized     = sqlText(`select authorized from component where id = $1`)
	insertAuthorization  = sqlText(`insert into component_authorization (component, account, sets, refresh, created, updated) values ($1, $2, $3, $4, $5, $6)`)
	updateAuthorization  = sqlText(`update component_authorization set sets = $3, refresh = $4, created = $5, updated = $6 where component = $1 and account = $2`)
	deleteAuthorization  = sqlText(`delete from component_authorization where component = $1 and account = $2`)
	deleteAuthorizations = sqlText(`delete from component_authorization where component = $1`)
	addAuthorized        = sqlText(`update component set authorized = authorized + $2 where id = $1`)
	selectAuthorizedBy   = sqlText(`select component from component_authorization where account = $1`)
	lockComponentByID    = sqlText(`select id from component where id = $1` + forUpdate)
)

func scanAuthorization(row interface{ Scan(...any) error }) (*library.Authorization, error) {
	a := &library.Authorization{}
	var sets string
	if err := row.Scan(&a.Component, &a.Account, &a.AppID, &sets, &a.RefreshToken, &a.Created, &a.Updated); err != nil {
		return nil, err
	}
	for _, text := range strings.FieldsFunc(sets, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Errorf("permission sets of %s: %w", a.AppID, err)
		}
		a.Sets = append(a.Sets, n)
	}
	return a, nil
}

// Authorization implements library.Components.
func (s *Store) Authorization(ctx context.Context, component, account int64) (a *library.Authorization, err error) {
	err = s.look(ctx, func(q query) error {
		a, err = scanAuthorization(q.row(selectAuthorization, component, account))
		return err
	})
	return a, err
}

// AuthorizationPage implements library.Components.
func (s *Store) AuthorizationPage(ctx context.Context, component, offset, count int64) (list []*library.Authorization, total int64, err error) {
	err = s.view(ctx, callTime, func(q query) error {
		list = nil
		if err := q.row(selectAuthorized, component).Scan(&total); err != nil {
			return err
		}
		if offset >= total {
			return nil
		}
		st, args := selectAuthorizations, []any{component, count, 0}
		if offset > 0 {
			// The lowest comes first, where lists of materials begin with the highest number.
			at, err := q.placeOf(authorizersOf(component), authorizer, total-1-offset, total, math.MaxInt64)
			if err != nil {
				return err
			}
			if st = oldestAuthorizations; at.newest {
				st = newestAuthorizations
			}
			args = append(args[:2], at.high, at.low, at.skip)
		}
		rows, err := q.rows(st, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			a, err := scanAuthorization(rows)
			if err != nil {
				return err
			}
			list = append(list, a)
		}
		return rows.Err()
	})
	return list, total, err
}

func (h *holdings) Authorization(account int64) (a *library.Authorization, err error) {
	err = h.do(func() (err error) {
		a, err = scanAuthorization(h.q.row(selectAuthorization, h.component, account))
		return err
	})
	return a, err
}

func (h *holdings) SetAuthorization(a *library.Authorization) error {
	a.Component = h.component
	return h.do(func() error {
		var id int64
		if err := h.q.row(stayByID, a.Account).Scan(&id); err != nil {
			return err
		}
		if _, err := h.q.exec(deleteAccountCodes, h.component, a.Account); err != nil {
			return err
		}
		args := []any{a.Component, a.Account, library.SetsText(a.Sets), a.RefreshToken, a.Created, a.Updated}
		n, err := h.q.exec(updateAuthorization, args...)
		if err != nil || n > 0 {
			return err
		}
		if _, err := h.q.exec(insertAuthorization, args...); err != nil {
			return err
		}
		return h.q.countAuthorized(h.component, a.Account, 1)
	})
}

func (h *holdings) RemoveAuthorization(account int64) error {
	return h.do(func() error { return h.q.withdraw(h.component, account) })
}

func (q query) withdraw(component, account int64) error {
	n, err := q.exec(deleteAuthorization, component, account)
	if err != nil || n == 0 {
		return orNotFound(err)
	}
	if _, err := q.exec(deleteAccountCodes, component, account); err != nil {
		return err
	}
	return q.countAuthorized(component, account, -1)
}

// countAuthorized counts n more authorisations of a component.
func (q query) countAuthorized(component, account, n int64) error {
	if _, err := q.exec(addAuthorized, component, n); err != nil {
		return err
	}
	return q.addToBuckets(authorizersOf(component), authorizer, account, n)
}

// lockComponents gives the components that an account has authorised, which nobody else
// changes until the transaction ends. All lock them in one order.
func (q query) lockComponents(account int64) (ids []int64, err error) {
	if ids, err = column[int64](q, selectAuthorizedBy, account); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := q.lockComponent(id); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// lockComponent keeps others from changing a component until the transaction ends. One
// that is gone needs no lock.
func (q query) lockComponent(id int64) error {
	err := q.row(lockComponentByID, id).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// withdrawAll removes the authorisations of a removed account.
func (q query) withdrawAll(account int64) error {
	ids, err := q.lockComponents(account)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := q.withdraw(id, account); err != nil && err != library.ErrNotFound {
			return err
		}
	}
	return nil
}
