package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// connections is how many a process holds to PostgreSQL at most, unless the address says
// otherwise by the parameter poolSize. A server allows 100 in all unless it is told
// otherwise, and a few more of ours would only wait for each other.
const (
	connections    = 16
	poolSize       = "pool_max_conns" // as pgx and its users call it
	connectionLife = 30 * time.Minute // so that all follow, in the end, when a database moves
	connectionIdle = 5 * time.Minute
)

// abandoned is after how long the database ends a transaction that its client has left
// open: a machine that vanished must not hold the counter of an account for hours.
const abandoned = "10s"

// oldestPostgres is the first release of PostgreSQL that is supported.
const oldestPostgres = 13

// postgresMigrations are numbered from 1. What one leaves can be read by the release
// before, since its servers run on while others are updated.
var postgresMigrations, _ = fs.Sub(migrations, "migrations/postgres") // the name is a constant, and valid

// OpenPostgres opens the database that a postgres:// address names; what it leaves open
// is taken from where PostgreSQL's own tools take it (PGPASSWORD, a password file, a
// service file, PGSSLMODE and so on). Any number of processes may open one database, as
// a server or not. Each holds at most 16 connections, or as many as pool_max_conns in the
// address says.
//
// A server brings the schema up to date, one at a time. A command does so only where
// there is no schema yet: servers of the release before may be running on it.
//
// Errors name what is wrong with the address, the server, the user or the database, in
// one line, and never hold the password.
func OpenPostgres(ctx context.Context, address string, role Role) (*Store, error) {
	s, at, err := connectPostgres(ctx, address)
	if err != nil {
		return nil, err
	}
	if err := s.openPostgres(ctx, role); err != nil {
		s.Close()
		return nil, at.explain(err)
	}
	return s, nil
}

// PostgresIsEmpty tells whether a database holds no store yet. Errors as of OpenPostgres.
func PostgresIsEmpty(ctx context.Context, address string) (bool, error) {
	s, at, err := connectPostgres(ctx, address)
	if err != nil {
		return false, err
	}
	defer s.Close()
	have, err := s.schemaVersion(ctx)
	return have == 0, at.explain(err)
}

// connectPostgres gives a store that has seen its server, and nothing of its tables.
func connectPostgres(ctx context.Context, address string) (*Store, *postgresPlace, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, nil, misread(address, err)
	}
	most, err := takePoolSize(config.RuntimeParams)
	if err != nil {
		return nil, nil, err
	}
	if config.ConnectTimeout == 0 {
		// One that keeps silent leaves time for the others, and for the call.
		config.ConnectTimeout = callTime / time.Duration(len(config.Fallbacks)+2)
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "sucai"
	}
	config.ValidateConnect = validate(config.ValidateConnect)
	s := &Store{
		lock:     func(context.Context) (func(), error) { return func() {}, nil }, // rows are locked instead
		close:    func() error { return nil },
		snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		writing:  &sql.TxOptions{Isolation: sql.LevelReadCommitted},
	}
	db := sql.OpenDB(stdlib.GetConnector(*config, stdlib.OptionAfterConnect(noteBirth),
		stdlib.OptionShouldPing(leadsNowhere), stdlib.OptionResetSession(s.dropDistrusted)))
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	db.SetConnMaxLifetime(connectionLife)
	db.SetConnMaxIdleTime(connectionIdle)
	s.read, s.write = db, db
	s.clock = s.postgresClock
	at := &postgresPlace{config}
	if err := s.checkPostgres(ctx); err != nil {
		s.Close()
		return nil, nil, at.explain(err)
	}
	return s, at, nil
}

// Connections break together, when a server restarts or gives its place to another. So
// when one of them has, those that are as old are not used again: each would fail a call.
const bornAt = "sucai: made at"

func noteBirth(_ context.Context, c *pgx.Conn) error {
	c.PgConn().CustomData()[bornAt] = time.Now()
	return nil
}

func (s *Store) dropDistrusted(_ context.Context, c *pgx.Conn) error {
	broke, born := s.broke.Load(), c.PgConn().CustomData()[bornAt]
	if at, ok := born.(time.Time); broke != nil && ok && at.Before(*broke) {
		return driver.ErrBadConn
	}
	return nil
}

// leadsNowhere looks at a connection that was idle for a while before it is used. What
// stood on its way may have vanished without a word; two such and a new one must fit into
// the time of a call. The driver, told so, looks again, at what is closed then, and takes
// another.
func leadsNowhere(ctx context.Context, p stdlib.ShouldPingParams) bool {
	if p.IdleDuration < time.Second {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, callTime/4)
	defer cancel()
	return p.Conn.PgConn().Ping(ctx) != nil
}

// takePoolSize takes the size of the pool out of the parameters of an address, which are
// for the server otherwise.
func takePoolSize(parameters map[string]string) (int, error) {
	text, given := parameters[poolSize]
	if !given {
		return connections, nil
	}
	delete(parameters, poolSize)
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("the address of the database: %s=%s: a number of connections is wanted", poolSize, text)
	}
	return n, nil
}

// validate makes a check of each new connection: that the server is new enough for us, and
// that one can write on it, so that after a failover nobody keeps talking to what has
// become a standby. It also sets what a connection needs: a commit that is answered is on
// disk, whatever the server's default is. Poolers refuse such settings in the start-up
// message, and old servers do not know them.
func validate(asked pgconn.ValidateConnectFunc) pgconn.ValidateConnectFunc {
	return func(ctx context.Context, c *pgconn.PgConn) error {
		if asked != nil {
			if err := asked(ctx, c); err != nil {
				return err
			}
		}
		if err := fitVersion(c.ParameterStatus("server_version")); err != nil {
			return err
		}
		results, err := c.Exec(ctx, "show transaction_read_only; set idle_in_transaction_session_timeout = '"+abandoned+
			"'; select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit', true) = 'off'").ReadAll()
		if err != nil {
			return err
		}
		if len(results) > 0 && len(results[0].Rows) == 1 && string(results[0].Rows[0][0]) == "on" {
			return pgconn.ErrReadOnlyConnection
		}
		return nil
	}
}

// checkPostgres tells whether the server can hold a store.
func (s *Store) checkPostgres(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*callTime)
	defer cancel()
	var encoding string
	var schema sql.NullString
	err := s.write.QueryRowContext(ctx, `select current_setting('server_encoding'), current_schema()`).Scan(&encoding, &schema)
	if err != nil {
		return err
	}
	return fitPostgres(encoding, schema.String)
}

// fitVersion looks at the version that a server or a pooler tells, such as 15.18 or 18beta1.
func fitVersion(text string) error {
	var major int
	if n, err := fmt.Sscanf(text, "%d", &major); n == 1 && err == nil && major < oldestPostgres {
		return unfitError(fmt.Sprintf("is kept by PostgreSQL %s, sucai needs %d or newer: update the server", text, oldestPostgres))
	}
	return nil
}

// fitPostgres looks at what a server says of a database.
func fitPostgres(encoding, schema string) error {
	switch {
	case encoding != "UTF8":
		return unfitError(fmt.Sprintf("is kept in %s and cannot hold every text: create it anew with encoding UTF8", encoding))
	case schema == "":
		return unfitError("has none of the schemas in the user's search_path: create one, or name another by ?search_path=")
	}
	return nil
}

func (s *Store) openPostgres(ctx context.Context, role Role) error {
	// Seconds, tries: many may start at once, and the first may have much to do.
	one, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, s.write, postgresMigrations, goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(one))
	if err != nil {
		return err
	}
	sources := p.ListSources()
	want := sources[len(sources)-1].Version
	have, err := s.schemaVersion(ctx)
	switch {
	case err != nil:
		return err
	case have > want:
		return unfitError(fmt.Sprintf("has a schema of version %d, this sucai knows %d: use a newer sucai", have, want))
	case have < want && have > 0 && role == Command:
		return unfitError(fmt.Sprintf("has a schema of version %d, this sucai needs %d: start a server of this version first, or use the sucai of the servers", have, want))
	case have < want:
		// Only now: the lock is one of the session, which poolers do not keep well.
		if _, err := p.Up(ctx); err != nil {
			return err
		}
	}
	return s.begin(ctx, role)
}

// postgresClock is the server's, to the millisecond.
func (s *Store) postgresClock(ctx context.Context) (time.Time, error) {
	var ms int64
	err := s.look(ctx, func(q query) error {
		return q.runner().QueryRowContext(q.ctx, `select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`).Scan(&ms)
	})
	return time.UnixMilli(ms), err
}

// schemaVersion is that of the last migration; 0 where there was none yet.
func (s *Store) schemaVersion(ctx context.Context) (version int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var table sql.NullString
	if err := s.write.QueryRowContext(ctx, `select to_regclass('goose_db_version')::text`).Scan(&table); err != nil || !table.Valid {
		return 0, err
	}
	err = s.write.QueryRowContext(ctx, `select coalesce(max(version_id), 0) from goose_db_version where is_applied`).Scan(&version)
	return version, err
}
