package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"sucai/internal/library"
)

const pushColumns = `id, component, info_type, message, created, due, tries, outcome, delivered`

var (
	insertPush = sqlText(`insert into component_push (component, info_type, message, created, due, tries) values ($1, $2, $3, $4, $5, $6) returning id`)
	selectDue  = sqlText(`select id from component_push where due is not null and due <= $1 order by due limit 1`)
	takePush   = sqlText(`update component_push set due = $2, tries = tries + 1 where id = $1 and due <= $3 returning ` + pushColumns)
	// The number of tries tells whose a message is.
	finishPush = sqlText(`update component_push set due = $3, outcome = $4, delivered = $5, message = case when cast($3 as bigint) is null then '' else message end
		where id = $1 and tries = $2 and due is not null`)
	dropPushes       = sqlText(`update component_push set due = null, message = '', outcome = $3 where component = $1 and info_type = $2 and due is not null`)
	selectPushes     = sqlText(`select ` + pushColumns + ` from component_push where component = $1 order by component, id desc limit $2`)
	deletePushes     = sqlText(`delete from component_push where component = $1`)
	deleteDonePushes = sqlText(`delete from component_push where due is null and created < $1`)
)

func scanPush(row interface{ Scan(...any) error }) (*library.Push, error) {
	p := &library.Push{}
	var due sql.NullInt64
	err := row.Scan(&p.ID, &p.Component, &p.InfoType, &p.Message, &p.Created, &due, &p.Tries, &p.Outcome, &p.Delivered)
	p.Due = due.Int64
	return p, err
}

func (h *holdings) AddPush(p *library.Push) error {
	p.Component = h.component
	return h.do(func() error {
		return h.q.row(insertPush, p.Component, p.InfoType, p.Message, p.Created, p.Due, p.Tries).Scan(&p.ID)
	})
}

func (h *holdings) DropPushes(infoType, outcome string) error {
	return h.exec(dropPushes, h.component, infoType, outcome)
}

// TakePush implements library.Components. It looks before it writes: most of the time
// nothing is due, and a write waits for a disk.
func (s *Store) TakePush(ctx context.Context, now, until int64) (p *library.Push, err error) {
	due := func(q query) (id int64, err error) {
		err = q.row(selectDue, now).Scan(&id)
		return id, err
	}
	err = s.look(ctx, func(q query) error {
		_, err := due(q)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, callTime, func(q query) error {
		for {
			id, err := due(q)
			if err != nil {
				return err
			}
			p, err = scanPush(q.row(takePush, id, until, now))
			if !errors.Is(err, sql.ErrNoRows) { // else somebody took it meanwhile
				return err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// FinishPush implements library.Components.
func (s *Store) FinishPush(ctx context.Context, p *library.Push) error {
	return s.change(ctx, callTime, func(q query) error {
		due := sql.NullInt64{Int64: p.Due, Valid: p.Due > 0}
		n, err := q.exec(finishPush, p.ID, p.Tries, due, p.Outcome, p.Delivered)
		if err == nil && n == 0 {
			return library.ErrConflict
		}
		return err
	})
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
