package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"sucai/internal/library"
)

const componentColumns = `id, appid, salt, hash, created, settings, ticket, ticket_made, next_ticket`

var (
	insertComponent = sqlText(`insert into component (appid, salt, hash, created, settings, ticket, ticket_made, next_ticket)
		values ($1, $2, $3, $4, $5, $6, $7, $8) returning id`)
	selectComponent     = sqlText(`select ` + componentColumns + ` from component where appid = $1`)
	lockComponent       = sqlText(`select ` + componentColumns + ` from component where appid = $1` + forUpdate)
	selectComponentByID = sqlText(`select ` + componentColumns + ` from component where id = $1`)
	selectComponents    = sqlText(`select ` + componentColumns + ` from component order by appid`)
	selectTicketsDue    = sqlText(`select appid from component where next_ticket > 0 and next_ticket <= $1 order by next_ticket limit $2`)
	updateComponent     = sqlText(`update component set salt = $2, hash = $3, settings = coalesce($4, settings), ticket = $5, ticket_made = $6, next_ticket = $7 where id = $1`)
	deleteComponent     = sqlText(`delete from component where appid = $1 returning id`)

	endComponentGrants    = sqlText(`update access_grant set ends = $3 where component = $1 and account = $2 and component > 0 and ends > $3 and expires > $4`)
	deleteComponentGrants = sqlText(`delete from access_grant where component = $1 and component > 0`)

	insertCode         = sqlText(`insert into component_code (hash, component, kind, account, expires) values ($1, $2, $3, $4, $5)`)
	takeCode           = sqlText(`delete from component_code where hash = $1 and component = $2 and kind = $3 returning account, expires`)
	deleteAccountCodes = sqlText(`delete from component_code where component = $1 and account = $2 and account > 0`)
	deleteCodes        = sqlText(`delete from component_code where component = $1`)
	deleteExpiredCodes = sqlText(`delete from component_code where expires < $1`)
)

func scanComponent(row interface{ Scan(...any) error }) (*library.Component, error) {
	c := &library.Component{}
	var settings string
	err := row.Scan(&c.ID, &c.AppID, &c.Salt, &c.Hash, &c.Created, &settings, &c.Ticket, &c.TicketMade, &c.NextTicket)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(settings), &c.Settings); err != nil {
		return nil, fmt.Errorf("settings of %s: %w", c.AppID, err)
	}
	return c, nil
}

// CreateComponent implements library.Components.
func (s *Store) CreateComponent(ctx context.Context, c *library.Component) error {
	settings, err := json.Marshal(c.Settings)
	if err != nil {
		return err
	}
	return s.change(ctx, callTime, func(q query) error {
		return q.row(insertComponent, c.AppID, c.Salt, c.Hash, c.Created, string(settings), c.Ticket, c.TicketMade, c.NextTicket).Scan(&c.ID)
	})
}

func (s *Store) component(ctx context.Context, by statement, arg any) (c *library.Component, err error) {
	err = s.look(ctx, func(q query) error {
		c, err = scanComponent(q.row(by, arg))
		return err
	})
	return c, err
}

// Component implements library.Components.
func (s *Store) Component(ctx context.Context, appID string) (*library.Component, error) {
	if impossible(appID) {
		return nil, library.ErrNotFound
	}
	return s.component(ctx, selectComponent, appID)
}

// ComponentByID implements library.Components.
func (s *Store) ComponentByID(ctx context.Context, id int64) (*library.Component, error) {
	return s.component(ctx, selectComponentByID, id)
}

// ComponentList implements library.Components.
func (s *Store) ComponentList(ctx context.Context) (list []*library.Component, err error) {
	err = s.look(ctx, func(q query) error {
		list = nil
		rows, err := q.rows(selectComponents)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scanComponent(rows)
			if err != nil {
				return err
			}
			list = append(list, c)
		}
		return rows.Err()
	})
	return list, err
}

// TicketsDue implements library.Components.
func (s *Store) TicketsDue(ctx context.Context, now, limit int64) (appIDs []string, err error) {
	err = s.look(ctx, func(q query) error {
		appIDs, err = column[string](q, selectTicketsDue, now, limit)
		return err
	})
	return appIDs, err
}

// ChangeComponent implements library.Components.
func (s *Store) ChangeComponent(ctx context.Context, appID string, change func(*library.Component, library.Holdings) error) error {
	if impossible(appID) {
		return library.ErrNotFound
	}
	return s.change(ctx, callTime, func(q query) error {
		c, err := scanComponent(q.row(lockComponent, appID))
		if err != nil {
			return err
		}
		before, err := json.Marshal(c.Settings)
		if err != nil {
			return err
		}
		h := &holdings{q: q, component: c.ID}
		if err := change(c, h); h.err != nil {
			return h.err // ours, however it was passed on
		} else if err != nil {
			return &callbackError{err}
		}
		settings, err := changed(before, c.Settings)
		if err != nil {
			return err
		}
		_, err = q.exec(updateComponent, c.ID, c.Salt, c.Hash, settings, c.Ticket, c.TicketMade, c.NextTicket)
		return err
	})
}

// RemoveComponent implements library.Components.
func (s *Store) RemoveComponent(ctx context.Context, appID string) error {
	if impossible(appID) {
		return library.ErrNotFound
	}
	return s.change(ctx, callTime, func(q query) error {
		var id int64
		if err := q.row(deleteComponent, appID).Scan(&id); err != nil {
			return err
		}
		for _, st := range []statement{deleteComponentGrants, deleteCodes, deleteAuthorizations, deletePushes} {
			if _, err := q.exec(st, id); err != nil {
				return err
			}
		}
		_, err := q.exec(deleteBuckets, authorizersOf(id))
		return err
	})
}

// holdings implements library.Holdings inside a transaction, which its first error
// spoils. That there is no row is none: it goes to the callback as the contract has it.
type holdings struct {
	q         query
	component int64
	err       error
}

// do runs one step, unless there was an error before it.
func (h *holdings) do(step func() error) error {
	if h.err != nil {
		return h.err
	}
	switch err := step(); {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows), err == library.ErrNotFound:
		return library.ErrNotFound
	default:
		h.err = err
		return err
	}
}

func (h *holdings) exec(st statement, args ...any) error {
	return h.do(func() error {
		_, err := h.q.exec(st, args...)
		return err
	})
}

func (h *holdings) AddGrant(g *library.Grant) error {
	g.Component = h.component
	return h.do(func() error { return h.q.addGrant(g) })
}

func (h *holdings) EndGrants(account, at, now int64) error {
	return h.exec(endComponentGrants, h.component, account, at, now)
}

func (h *holdings) AddCode(c *library.Code) error {
	c.Component = h.component
	return h.exec(insertCode, c.Hash[:], c.Component, c.Kind, c.Account, c.Expires)
}

func (h *holdings) TakeCode(hash [32]byte, kind library.CodeKind) (*library.Code, error) {
	c := &library.Code{Hash: hash, Component: h.component, Kind: kind}
	err := h.do(func() error { return h.q.row(takeCode, hash[:], h.component, kind).Scan(&c.Account, &c.Expires) })
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ForgetComponents implements library.Components.
func (s *Store) ForgetComponents(ctx context.Context, before int64) error {
	return s.change(ctx, batchTime, func(q query) error {
		if _, err := q.exec(deleteExpiredCodes, before); err != nil {
			return err
		}
		_, err := q.exec(deleteDonePushes, before)
		return err
	})
}
