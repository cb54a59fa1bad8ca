package sqlstore

import (
	"context"

	"sucai/internal/library"
)

var (
	insertGrant  = sqlText(`insert into access_grant (hash, account, component, kind, expires, ends) values ($1, $2, $3, $4, $5, $6)`)
	selectGrant  = sqlText(`select account, component, kind, expires, ends from access_grant where hash = $1`)
	endGrants    = sqlText(`update access_grant set ends = $3 where account = $1 and kind = $2 and ends > $3 and expires > $4`)
	deleteGrants = sqlText(`delete from access_grant where account = $1`)
	forgetGrants = sqlText(`delete from access_grant where ends < $1 and (ends < expires or expires < $2)`)
)

// grants implements library.Grants inside a transaction, which its first error spoils.
type grants struct {
	q       query
	account int64
	err     error
}

func (g *grants) Add(n *library.Grant) error {
	n.Account = g.account
	if g.err == nil {
		g.err = g.q.addGrant(n)
	}
	return g.err
}

func (q query) addGrant(n *library.Grant) error {
	_, err := q.exec(insertGrant, n.Hash[:], n.Account, n.Component, n.Kind, n.Expires, n.Ends)
	return err
}

func (g *grants) End(kind library.GrantKind, at, now int64) error {
	if g.err == nil {
		_, g.err = g.q.exec(endGrants, g.account, kind, at, now)
	}
	return g.err
}

// Grant implements library.Accounts.
func (s *Store) Grant(ctx context.Context, hash [32]byte) (*library.Grant, error) {
	g := &library.Grant{Hash: hash}
	err := s.look(ctx, func(q query) error {
		return q.row(selectGrant, hash[:]).Scan(&g.Account, &g.Component, &g.Kind, &g.Expires, &g.Ends)
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// ForgetGrants implements library.Accounts.
func (s *Store) ForgetGrants(ctx context.Context, ended, expired int64) error {
	return s.change(ctx, batchTime, func(q query) error {
		_, err := q.exec(forgetGrants, ended, expired)
		return err
	})
}
