package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"sucai/internal/library"
)

const pushColumns = `id, component, account, info_type, message, created, due, tries, outcome, delivered`

var (
	insertPush = sqlText(`insert into component_push (component, account, info_type, message, created, due, tries) values ($1, $2, $3, $4, $5, $6, $7) returning id`)
	selectDue  = sqlText(`select p.id, p.component from component_push p where p.due is not null and p.due <= $1
		and (select c.push_from from component c where c.id = p.component) <= $1 order by p.due limit 1`)
	takePush = sqlText(`update component_push set due = $2, tries = tries + 1 where id = $1 and due <= $3
		and (select c.push_from from component c where c.id = component_push.component) <= $3 returning ` + pushColumns)
	leasePushes = sqlText(`update component set push_from = $2 where id = $1`)
	freePushes  = sqlText(`update component set push_from = $3 where id = $1 and push_from = $2`)
	// The number of tries tells whose a message is.
	finishPush = sqlText(`update component_push set due = $3, outcome = $4, delivered = $5, message = case when cast($3 as bigint) is null then '' else message end
		where id = $1 and tries = $2 and due is not null`)
	dropPushes       = sqlText(`update component_push set due = null, message = '', outcome = $3 where component = $1 and info_type = $2 and due is not null`)
	dropAllPushes    = sqlText(`update component_push set due = null, message = '', outcome = $2 where component = $1 and due is not null`)
	selectEvent      = sqlText(`select info_type from component_push where component = $1 and account = $2 and due is not null order by id desc limit 1`)
	dropEvents       = sqlText(`update component_push set due = null, message = '', outcome = $3 where component = $1 and account = $2 and due is not null`)
	selectPushes     = sqlText(`select ` + pushColumns + ` from component_push where component = $1 order by component, id desc limit $2`)
	deletePushes     = sqlText(`delete from component_push where component = $1`)
	deleteDonePushes = sqlText(`delete from component_push where due is null and created < $1`)
)

func scanPush(row interface{ Scan(...any) error }) (*library.Push, error) {
	p := &library.Push{}
	var due sql.NullInt64
	err := row.Scan(&p.ID, &p.Component, &p.Account, &p.InfoType, &p.Message, &p.Created, &due, &p.Tries, &p.Outcome, &p.Delivered)
	p.Due = due.Int64
	return p, err
}

func (h *holdings) AddPush(p *library.Push) error {
	p.Component = h.component
	return h.do(func() error {
		return h.q.row(insertPush, p.Component, p.Account, p.InfoType, p.Message, p.Created, p.Due, p.Tries).Scan(&p.ID)
	})
}

func (h *holdings) DropPushes(infoType, outcome string) error {
	if infoType == "" {
		return h.exec(dropAllPushes, h.component, outcome)
	}
	return h.exec(dropPushes, h.component, infoType, outcome)
}

func (h *holdings) DropEvents(account int64, outcome string) (infoType string, err error) {
	err = h.do(func() error { return h.q.row(selectEvent, h.component, account).Scan(&infoType) })
	switch err {
	case nil:
		return infoType, h.exec(dropEvents, h.component, account, outcome)
	case library.ErrNotFound:
		return "", nil
	}
	return "", err
}

// TakePush implements library.Components. It looks before it writes: most of the time
// nothing is due, and a write waits for a disk.
func (s *Store) TakePush(ctx context.Context, now, until int64) (p *library.Push, err error) {
	due := func(q query) (id, component int64, err error) {
		err = q.row(selectDue, now).Scan(&id, &component)
		return id, component, err
	}
	err = s.look(ctx, func(q query) error {
		_, _, err := due(q)
		return err
	})
	if err != nil {
		return nil, err
	}
	for taken := true; taken && err == nil; {
		err = s.change(ctx, callTime, func(q query) error {
			id, component, err := due(q)
			if err != nil {
				return err
			}
			if err := q.lockComponent(component); err != nil {
				return err
			}
			p, err = scanPush(q.row(takePush, id, until, now))
			if taken = errors.Is(err, sql.ErrNoRows); taken {
				return nil // somebody was faster
			}
			if err != nil {
				return err
			}
			_, err = q.exec(leasePushes, component, until)
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	p.Lease = until
	return p, nil
}

// FinishPush implements library.Components.
func (s *Store) FinishPush(ctx context.Context, p *library.Push, next int64) error {
	var finished int64
	err := s.change(ctx, callTime, func(q query) (err error) {
		if err := q.lockComponent(p.Component); err != nil {
			return err
		}
		due := sql.NullInt64{Int64: p.Due, Valid: p.Due > 0}
		if finished, err = q.exec(finishPush, p.ID, p.Tries, due, p.Outcome, p.Delivered); err != nil {
			return err
		}
		_, err = q.exec(freePushes, p.Component, p.Lease, next)
		return err
	})
	if err == nil && finished == 0 {
		return library.ErrConflict // behind the commit, which lets the component go
	}
	return err
}

// Pushes implements library.Components.
func (s *Store) Pushes(ctx context.Context, component, count int64) (list []*library.Push, err error) {
	err = s.look(ctx, func(q query) error {
		list = nil
		rows, err := q.rows(selectPushes, component, count)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p, err := scanPush(rows)
			if err != nil {
				return err
			}
			list = append(list, p)
		}
		return rows.Err()
	})
	return list, err
}
