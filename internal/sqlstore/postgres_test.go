package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

// The contract is tested in storetest; here is what only PostgreSQL has.

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, address string, role sqlstore.Role) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.OpenPostgres(t.Context(), address, role)
	must(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

func account(t testing.TB, s *sqlstore.Store, appID string, uin int64) *library.Account {
	t.Helper()
	a := &library.Account{AppID: appID, Uin: uin, Salt: []byte{1}, Hash: []byte{1}}
	must(t, s.CreateAccount(t.Context(), a))
	return a
}

func image(a *library.Account, id string) *library.Material {
	return &library.Material{Account: a.ID, MediaID: id, Type: wechat.Image, Name: id, Key: fmt.Sprint("key ", a.ID, id), Blob: "blob " + id, Format: "png", Version: 1}
}

// listed gives the media_ids of an account's images, and checks that the counts add up.
func listed(t testing.TB, s *sqlstore.Store, a *library.Account) (ids []string) {
	t.Helper()
	total, err := s.Page(t.Context(), a.ID, wechat.Image, 0, 1<<20, nil, func(m *library.Material) error {
		ids = append(ids, m.MediaID)
		return nil
	})
	must(t, err)
	if total != int64(len(ids)) {
		t.Errorf("%d are listed, %d counted", len(ids), total)
	}
	rows, err := s.DB().Query(`select level, sum(live) from bucket where account = $1 and type = 'image' group by level`, a.ID)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var level, live int64
		must(t, rows.Scan(&level, &live))
		if live != total {
			t.Errorf("the buckets of level %d hold %d of %d", level, live, total)
		}
	}
	must(t, rows.Err())
	return ids
}

func TestManyNodesStartAtOnce(t *testing.T) {
	address := storetest.Postgres(t)
	var wg sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wg.Go(func() {
			s, err := sqlstore.OpenPostgres(t.Context(), address, sqlstore.Role(i%2))
			if err != nil {
				t.Errorf("%d: %v", i, err)
				return
			}
			defer s.Close()
			st, err := s.Store(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = st.ID
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("they see several stores: %q", ids)
		}
	}
}

// Several nodes add, import and delete at once, in two accounts and two types.
func TestManyNodesWriteAtOnce(t *testing.T) {
	address := storetest.Postgres(t)
	nodes := []*sqlstore.Store{open(t, address, sqlstore.Server), open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)}
	a, b := account(t, nodes[0], "a", 1), account(t, nodes[0], "b", 2)
	const each = 30
	var wg sync.WaitGroup
	for i, node := range nodes {
		for w := range 3 {
			wg.Go(func() {
				for n := range each {
					id := fmt.Sprintf("%d-%d-%d", i, w, n)
					check := func(what string, err error) {
						if err != nil {
							t.Errorf("%s %s: %v", what, id, err)
						}
					}
					check("insert", node.Insert(t.Context(), image(a, id), math.MaxInt64))
					check("insert", node.Insert(t.Context(), image(b, id), math.MaxInt64))
					if n%3 == 0 {
						check("delete", node.Delete(t.Context(), a.ID, id))
					}
					// Types in an order that differs from node to node.
					voice, more := image(a, id+"v"), image(a, id+"i")
					voice.Type, voice.Number, more.Number = wechat.Voice, library.NextNumber, library.NextNumber
					list := []*library.Material{voice, more}
					if i%2 == 0 {
						list[0], list[1] = more, voice
					}
					_, err := node.Import(t.Context(), a.ID, list)
					check("import", err)
				}
			})
		}
	}
	wg.Wait()
	const n = 3 * 3 * each
	if got := len(listed(t, nodes[1], a)); got != 2*n-n/3 {
		t.Errorf("%d in a, want %d", got, 2*n-n/3)
	}
	if got := len(listed(t, nodes[2], b)); got != n {
		t.Errorf("%d in b, want %d", got, n)
	}
}

// A restart breaks many connections that were used a moment ago: no call meets them all.
func TestManyConnectionsBreak(t *testing.T) {
	address := storetest.Postgres(t)
	s, other := open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)
	account(t, s, "a", 1)
	for range 3 {
		for range 2 { // the driver looks after what is used again for the first time, and after long rests
			var held []*sql.Conn
			for range 12 {
				c, err := s.DB().Conn(t.Context())
				must(t, err)
				held = append(held, c)
			}
			for _, c := range held {
				must(t, c.Close())
			}
		}
		_, err := other.DB().Exec(`select pg_terminate_backend(a.pid) from pg_stat_activity a, pg_stat_activity me
			where me.pid = pg_backend_pid() and a.datname = me.datname and a.pid <> me.pid and a.application_name = 'sucai'`)
		must(t, err)
		_, err = s.Account(t.Context(), "a")
		must(t, err)
	}
}

// A database that has become read-only behind a pooler is left for one that can be written to.
func TestBecomesStandby(t *testing.T) {
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	a := account(t, s, "a", 1)
	s.DB().SetMaxOpenConns(1)
	_, err := s.DB().Exec(`set default_transaction_read_only = on`) // of the one connection
	must(t, err)
	must(t, s.Insert(t.Context(), image(a, "x"), math.MaxInt64))
}

// A server that has no connection left for now is asked again.
func TestNoConnectionLeft(t *testing.T) {
	t.Setenv("TEST_POSTGRES_URL", "")
	address := storetest.Postgres(t)
	s := open(t, address, sqlstore.Server)
	account(t, s, "a", 1)
	server, err := storetest.StartedPostgres()
	must(t, err)
	admin, err := sql.Open("pgx", server.URL)
	must(t, err)
	defer admin.Close()
	_, err = admin.Exec(`create role few login`)
	must(t, err)
	schema := mustQuery(t, address, "search_path")
	_, err = admin.Exec(`grant all on schema ` + schema + ` to few; grant all on all tables in schema ` + schema + ` to few`)
	must(t, err)
	t.Cleanup(func() { admin.Exec(`drop owned by few; drop role few`) })
	few := strings.Replace(address, "postgres@", "few@", 1)
	one, two := open(t, few, sqlstore.Server), open(t, few, sqlstore.Server)
	_, err = admin.Exec(`alter role few connection limit 1`)
	must(t, err)
	one.DB().SetMaxIdleConns(0)
	two.DB().SetMaxIdleConns(0)
	for left := 1; left > 0; time.Sleep(time.Millisecond) {
		must(t, admin.QueryRow(`select count(*) from pg_stat_activity where usename = 'few'`).Scan(&left))
	}
	held, err := one.DB().Conn(t.Context())
	must(t, err)
	time.AfterFunc(300*time.Millisecond, func() { held.Close() })
	_, err = two.Account(t.Context(), "a")
	must(t, err)
}

// Where the server's default is to answer a commit before it is on disk, ours is not.
func TestCommitsAreOnDisk(t *testing.T) {
	for given, want := range map[string]string{"off": "on", "local": "local", "remote_apply": "remote_apply"} {
		s := open(t, withParameter(t, storetest.Postgres(t), "synchronous_commit", given), sqlstore.Server)
		var got string
		must(t, s.DB().QueryRow(`show synchronous_commit`).Scan(&got))
		if got != want {
			t.Errorf("%s became %s", given, got)
		}
	}
}

// Connections that the server has ended are replaced without anybody noticing.
func TestServerEndsConnections(t *testing.T) {
	address := storetest.Postgres(t)
	s, other := open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)
	a := account(t, s, "a", 1)
	for round := range 5 {
		var wg sync.WaitGroup // several idle connections
		for i := range 8 {
			wg.Go(func() {
				if err := s.Insert(t.Context(), image(a, fmt.Sprintf("%d-%d", round, i)), math.MaxInt64); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		_, err := other.DB().Exec(`select pg_terminate_backend(a.pid) from pg_stat_activity a, pg_stat_activity me
			where me.pid = pg_backend_pid() and a.datname = me.datname and a.pid <> me.pid and a.application_name = 'sucai'`)
		must(t, err)
		switch round {
		case 0:
			_, err = s.Material(t.Context(), a.ID, "0-0", 0)
		case 1:
			err = s.Delete(t.Context(), a.ID, "0-1")
		case 2:
			_, err = s.Counts(t.Context(), a.ID)
		case 3:
			_, err = s.Page(t.Context(), a.ID, wechat.Image, 0, 20, nil, func(*library.Material) error { return nil })
		}
		must(t, err)
	}
	if got := len(listed(t, s, a)); got != 39 {
		t.Errorf("%d are there", got)
	}
}

// The address says how many connections there are, and the server is not told of it.
func TestPoolSize(t *testing.T) {
	for value, want := range map[string]int{"": sqlstore.Connections, "1": 1, "3": 3} {
		address := storetest.Postgres(t)
		if value != "" {
			address = withParameter(t, address, "pool_max_conns", value)
		}
		s := open(t, address, sqlstore.Server)
		if got := s.DB().Stats().MaxOpenConnections; got != want {
			t.Errorf("pool_max_conns=%s: %d connections", value, got)
		}
		a := account(t, s, "a", 1)
		must(t, s.Insert(t.Context(), image(a, "x"), math.MaxInt64))
		listed(t, s, a)
	}
}

// A media_id that is deleted by somebody else and imported again, at another place, while a
// delete waits, is left: no count is taken from the place that it has no more.
func TestDeleteBesideImport(t *testing.T) {
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	a := account(t, s, "a", 1)
	must(t, s.Insert(t.Context(), image(a, "x"), math.MaxInt64))
	tx, err := s.DB().BeginTx(t.Context(), nil)
	must(t, err)
	defer tx.Rollback()
	_, err = tx.Exec(`select 1 from counter where account = $1 for update`, a.ID)
	must(t, err)
	deleted := make(chan error)
	go func() { deleted <- s.Delete(t.Context(), a.ID, "x") }()
	for waiting := 0; waiting == 0; time.Sleep(time.Millisecond) {
		must(t, s.DB().QueryRow(`select count(*) from pg_stat_activity a, pg_locks l where l.pid = a.pid and not l.granted and a.application_name = 'sucai' and a.pid in
			(select pid from pg_locks where relation = 'counter'::regclass)`).Scan(&waiting))
	}
	_, err = tx.Exec(`with gone as (delete from material where media_id = 'x' returning *)
		insert into material (account, media_id, type, number, name, introduction, key, blob, size, format, width, height, articles_format, created, updated, expires, version)
		select account, media_id, type, number + 1000, name, introduction, key || 'x', blob, size, format, width, height, articles_format, created, updated, expires, version from gone`)
	must(t, err)
	must(t, tx.Commit())
	if err := <-deleted; err != library.ErrNotFound {
		t.Errorf("the delete of what is gone: %v", err)
	}
	m, err := s.Material(t.Context(), a.ID, "x", 0)
	must(t, err)
	if m.Number != 1001 {
		t.Errorf("number %d", m.Number)
	}
}

// A row that somebody holds, and a pool that is used up, are trouble in time.
func TestNobodyWaitsLong(t *testing.T) {
	t.Parallel()
	address := storetest.Postgres(t)
	s, other := open(t, address, sqlstore.Server), open(t, address, sqlstore.Server)
	a := account(t, s, "a", 1)
	trouble := func(what string, call func() error) {
		t.Helper()
		start := time.Now()
		err := call()
		if took := time.Since(start); err == nil || errors.Is(err, library.ErrNotFound) || took > 4*time.Second {
			t.Errorf("%s: %v after %s", what, err, took)
		}
	}
	tx, err := other.DB().Begin()
	must(t, err)
	_, err = tx.Exec(`update counter set live = live where account = $1`, a.ID)
	must(t, err)
	trouble("a held counter", func() error { return s.Insert(t.Context(), image(a, "x"), math.MaxInt64) })
	must(t, tx.Rollback())

	var held []*sql.Conn
	for range sqlstore.Connections {
		c, err := s.DB().Conn(t.Context())
		must(t, err)
		held = append(held, c)
	}
	trouble("no connection", func() error { _, err := s.Material(t.Context(), a.ID, "x", 0); return err })
	for _, c := range held {
		must(t, c.Close())
	}
	must(t, s.Insert(t.Context(), image(a, "x"), math.MaxInt64))
	if got := listed(t, s, a); len(got) != 1 {
		t.Errorf("afterwards there is %q", got)
	}
}

// Each thing that can be wrong with a database is one line that names it and a way out.
func TestRefusals(t *testing.T) {
	t.Setenv("TEST_POSTGRES_URL", "") // a server of its own is reconfigured
	address := storetest.Postgres(t)
	server, err := storetest.StartedPostgres()
	must(t, err)
	admin, err := sql.Open("pgx", server.URL)
	must(t, err)
	defer admin.Close()
	for _, text := range []string{
		`create role asked login password 'right horse'`,
		`create role poor login`,
		`create database plain encoding 'SQL_ASCII' template template0`,
	} {
		_, err := admin.Exec(text)
		must(t, err)
	}
	// What comes first counts.
	rules := filepath.Join(server.Dir, "data", "pg_hba.conf")
	old, err := os.ReadFile(rules)
	must(t, err)
	must(t, os.WriteFile(rules, append([]byte("host all asked 127.0.0.1/32 scram-sha-256\nhost all nobody 127.0.0.1/32 reject\n"), old...), 0o600))
	_, err = admin.Exec(`select pg_reload_conf()`)
	must(t, err)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	must(t, err)
	defer silent.Close()

	with := func(change func(u *url.URL)) string {
		u, err := url.Parse(address)
		must(t, err)
		change(u)
		return u.String()
	}
	newer := storetest.Postgres(t)
	s := open(t, newer, sqlstore.Server)
	_, err = s.DB().Exec(`insert into goose_db_version (version_id, is_applied) values (99999, true)`)
	must(t, err)
	older := storetest.Postgres(t)
	s = open(t, older, sqlstore.Server)
	_, err = s.DB().Exec(`update goose_db_version set version_id = 0.5 where version_id > 0`)
	must(t, err)

	for _, c := range []struct{ what, address, want string }{
		{"wrong password", with(func(u *url.URL) { u.User = url.UserPassword("asked", "wrong horse") }), `user asked is refused .*check the user .* password .*PGPASSWORD`},
		{"no such user", with(func(u *url.URL) { u.User = url.User("stranger") }), `user stranger is refused`},
		{"rejected", with(func(u *url.URL) { u.User = url.User("nobody") }), `user nobody is refused`},
		{"no such database", with(func(u *url.URL) { u.Path = "/absent" }), `there is no database absent: create it, or name another`},
		{"nobody listens", with(func(u *url.URL) { u.Host = "127.0.0.1:1" }), `nothing answers at 127\.0\.0\.1:1: check the address`},
		{"no such host", with(func(u *url.URL) { u.Host = "no-such-host.invalid" }), `there is no host no-such-host\.invalid`},
		{"silence", with(func(u *url.URL) { u.Host = silent.Addr().String() }), `does not answer in time`},
		{"no TLS", withParameter(t, address, "sslmode", "require"), `PostgreSQL at .*TLS`},
		{"read-only", withParameter(t, address, "default_transaction_read_only", "on"), `is read-only, a standby perhaps: name the primary`},
		{"encoding", with(func(u *url.URL) { u.Path = "/plain" }), `is kept in SQL_ASCII .*create it anew with encoding UTF8`},
		{"no right", with(func(u *url.URL) { u.User = url.User("poor") }), `create one, or name another by`},
		{"no schema", withParameter(t, address, "search_path", "absent"), `create one, or name another by`},
		{"newer", newer, fmt.Sprintf(`has a schema of version 99999, this sucai knows %d: use a newer sucai`, sqlstore.LastMigration(t))},
		{"no address", "postgres://me:right horse/@host:1/x", `this is no address of a database: postgres://`},
		{"no size of a pool", withParameter(t, address, "pool_max_conns", "none"), `the address of the database: pool_max_conns=none: a number`},
		{"no pool at all", withParameter(t, address, "pool_max_conns", "0"), `the address of the database: pool_max_conns=0: a number`},
		{"no such mode", withParameter(t, address, "sslmode", "perhaps"), `the address of the database: .*sslmode`},
	} {
		s, err := sqlstore.OpenPostgres(t.Context(), c.address, sqlstore.Server)
		if err == nil {
			s.Close()
			t.Errorf("%s: it opens", c.what)
			continue
		}
		text := err.Error()
		if !regexp.MustCompile(c.want).MatchString(text) || strings.Contains(text, "\n") || strings.Contains(text, "horse") {
			t.Errorf("%s: %s", c.what, text)
		}
	}
	open(t, with(func(u *url.URL) { u.User = url.UserPassword("postgres", "unused") }), sqlstore.Server)
	open(t, strings.Replace(address, "@127", "@127.0.0.1:1,127", 1), sqlstore.Server) // the second host answers

	// The first host is gone: what is sent to it gets no answer.
	s = open(t, strings.Replace(address, "@127", "@"+silent.Addr().String()+",127", 1), sqlstore.Server)
	for range 3 {
		s.DB().SetMaxIdleConns(0) // the next call connects anew
		must(t, s.Ready(t.Context()))
	}

	_, err = admin.Exec(`grant usage on schema ` + mustQuery(t, older, "search_path") + ` to poor`)
	must(t, err)
	if _, err := sqlstore.OpenPostgres(t.Context(), strings.Replace(older, "postgres@", "poor@", 1), sqlstore.Server); err == nil || !strings.Contains(err.Error(), "user poor lacks a right in database postgres") {
		t.Errorf("no right to read: %v", err)
	}
}

func withParameter(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return strings.ReplaceAll(u.String(), "+", "%20")
}

func mustQuery(t *testing.T, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	return u.Query().Get(name)
}

// Behind a pooler that knows no prepared statements, the address turns them off.
func TestWithoutPreparedStatements(t *testing.T) {
	address := storetest.Postgres(t)
	for _, mode := range []string{"exec", "cache_describe", "describe_exec"} {
		s := open(t, withParameter(t, address, "default_query_exec_mode", mode), sqlstore.Server)
		a := account(t, s, mode, int64(len(mode)))
		for i := range 70 {
			must(t, s.Insert(t.Context(), image(a, fmt.Sprint(i)), math.MaxInt64))
		}
		m := image(a, "news")
		m.Type, m.Number, m.Articles = wechat.News, library.NextNumber, wechat.Articles("\x01")
		_, err := s.Import(t.Context(), a.ID, []*library.Material{m})
		must(t, err)
		m.Version++
		must(t, s.UpdateArticles(t.Context(), m))
		must(t, s.Delete(t.Context(), a.ID, "69"))
		if _, err := s.Material(t.Context(), a.ID, "69", 0); err != library.ErrNotFound {
			t.Errorf("%s: %v", mode, err)
		}
		if got := listed(t, s, a); len(got) != 69 || got[0] != "68" {
			t.Errorf("%s: %q", mode, got)
		}
		_, err = s.Page(t.Context(), a.ID, wechat.Image, 34, 1, nil, func(m *library.Material) error {
			if m.MediaID != "34" {
				t.Errorf("%s: %s in the middle", mode, m.MediaID)
			}
			return nil
		})
		must(t, err)
		g := &library.Grant{Hash: [32]byte{byte(len(mode))}, Kind: library.PlainGrant, Expires: 9, Ends: 9}
		must(t, s.ChangeAccount(t.Context(), mode, func(_ *library.Account, gs library.Grants) error {
			return errors.Join(gs.End(library.PlainGrant, 5, 0), gs.Add(g))
		}))
		_, err = s.Grant(t.Context(), g.Hash)
		must(t, err)
		within, err := s.CountCall(t.Context(), a.ID, "x", 1, 1)
		must(t, err)
		if !within {
			t.Errorf("%s: not counted", mode)
		}
		must(t, s.ForgetGrants(t.Context(), 1, 1))
		must(t, s.RemoveAccount(t.Context(), mode))
		must(t, s.DeleteAll(t.Context(), a.ID))
	}
}

func TestFitPostgres(t *testing.T) {
	for _, c := range []struct {
		version, encoding, schema string
		want                      string
	}{
		{"12.22", "UTF8", "public", "is kept by PostgreSQL 12.22, sucai needs 13 or newer: update the server"},
		{"9.4.26 (Debian 9.4.26-1)", "UTF8", "public", "is kept by PostgreSQL 9.4.26"},
		{"13.0", "LATIN1", "public", "is kept in LATIN1"},
		{"15.18 (Debian 15.18-0+deb12u1)", "UTF8", "", "create one"},
		{"13beta1", "UTF8", "public", ""},
		{"18.4", "UTF8", "x", ""},
		{"", "UTF8", "x", ""}, // what does not tell is tried
		{"unknown", "UTF8", "x", ""},
	} {
		err := sqlstore.FitVersion(c.version)
		if err == nil {
			err = sqlstore.FitPostgres(c.encoding, c.schema)
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A command makes a store, but does not bring one up to date: servers may be running.
func TestCommandsLeaveTheSchemaAlone(t *testing.T) {
	address := storetest.Postgres(t)
	if empty, err := sqlstore.PostgresIsEmpty(t.Context(), address); err != nil || !empty {
		t.Fatalf("a new schema: %v, %v", empty, err)
	}
	s := open(t, address, sqlstore.Command)
	if empty, err := sqlstore.PostgresIsEmpty(t.Context(), address); err != nil || empty {
		t.Fatalf("after a command: %v, %v", empty, err)
	}
	want := fmt.Sprintf("has a schema of version %d, this sucai needs 99998: start a server of this version first", sqlstore.LastMigration(t))
	sqlstore.AddMigration(t, "99998_more.sql", "-- +goose Up\ncreate table more (one integer);\n")
	_, err := sqlstore.OpenPostgres(t.Context(), address, sqlstore.Command)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("a command on an older schema: %v", err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := sqlstore.OpenPostgres(t.Context(), address, sqlstore.Server)
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	wg.Wait()
	_, err = s.DB().Exec(`select * from more`)
	must(t, err)
	_, err = s.Store(t.Context()) // who was running goes on
	must(t, err)
}

// tidying finds the statements that remove many rows in the background. They may gather
// the ids of a piece, and may scan a table of which they remove a large part, but must
// not have to.
var tidying = regexp.MustCompile(`limit 1000|where day <|where ends <`)

// No statement reads more than it gives, be its plan made for these arguments or for
// any: no scan of a table, no sorting (but of the few buckets of one range), no counting.
func TestPostgresPlans(t *testing.T) {
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	for _, text := range []string{
		`insert into account (appid, uin, salt, hash, created, settings) select 'wx' || n, n, '', '', 0, '{}' from generate_series(1, 5000) n`,
		`insert into access_grant select sha256(n::text::bytea), n % 5000, n % 7 * (n % 300), 'token', n, n from generate_series(1, 20000) n`,
		`insert into counter select n, t, 1000, 1000 from generate_series(1, 2000) n, unnest(array['image', 'voice', 'video', 'news']) t`,
		`insert into calls select n % 2000, 'e' || n % 10, n / 1000, 1 from generate_series(1, 20000) n on conflict do nothing`,
		`insert into bucket select n % 20, 'image', 1, n / 20, 32 from generate_series(1, 20000) n`,
		`insert into material (account, media_id, type, number, name, introduction, key, blob, size, format, width, height, articles_format, created, updated, expires, version, articles)
			select n % 20, 'm' || n, case when n % 3 = 0 then 'news' else 'image' end, n, '', '', 'k' || n, 'b' || n, 1, 'png', 1, 1, 1, n, n, case when n % 100 = 0 then n else 0 end, 1, ''
			from generate_series(1, 60000) n`,
		`insert into cloud_env select 'env' || n, 'id' || n, '', '', n, '[]', n from generate_series(1, 5000) n`,
		`insert into cloud_allow select 'env' || n, n % 3000 from generate_series(1, 5000) n`,
		`insert into component (appid, salt, hash, created, settings, ticket, ticket_made, next_ticket) select 'wx' || n, '', '', 0, '{}', '', 0, n from generate_series(1, 5000) n`,
		`insert into component_authorization select c, n, '1', '', 0, 0 from generate_series(1, 5000) n, generate_series(10, 20) c`,
		`insert into component_code select sha256(n::text::bytea), n % 1000, 'preauth', 0, n from generate_series(1, 20000) n`,
		`insert into component_push (component, account, info_type, message, created, due) select 10 + n % 10, n % 50, 'image', '', n, case when n % 3 = 0 then n end from generate_series(1, 20000) n`,
		`analyze`,
	} {
		_, err := s.DB().Exec(text)
		must(t, err)
	}
	c, err := s.DB().Conn(t.Context())
	must(t, err)
	defer c.Close()
	for i, text := range sqlstore.Statements(false) {
		if strings.Contains(strings.ToLower(text), "count(") {
			t.Errorf("counts rows: %s", text)
		}
		_, err := c.ExecContext(t.Context(), fmt.Sprintf("prepare plan_%d as %s", i, text))
		must(t, err)
		var types string
		must(t, c.QueryRowContext(t.Context(), `select array_to_string(parameter_types, ',') from pg_prepared_statements where name = $1`, fmt.Sprintf("plan_%d", i)).Scan(&types))
		var args []string
		for _, name := range strings.Split(types, ",") {
			args = append(args, map[string]string{"text": "'image'", "bytea": `'\x00'`, "bigint": "15", "integer": "1", "boolean": "true"}[name])
		}
		execute := fmt.Sprintf("explain execute plan_%d", i)
		if types != "" {
			execute += "(" + strings.Join(args, ", ") + ")"
		}
		for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
			_, err := c.ExecContext(t.Context(), "set plan_cache_mode = "+mode)
			must(t, err)
			bad := regexp.MustCompile(`Seq Scan|Sort|Aggregate`)
			switch {
			case tidying.MatchString(text):
				bad = regexp.MustCompile(`Seq Scan|Sort`)
			case strings.HasPrefix(text, "select bucket"), strings.HasPrefix(text, "with l"):
				bad = regexp.MustCompile(`Seq Scan|Aggregate`)
			}
			_, err = c.ExecContext(t.Context(), fmt.Sprint("set enable_seqscan = ", !tidying.MatchString(text)))
			must(t, err)
			plan := explain(t, c, execute)
			if bad.MatchString(plan) {
				t.Errorf("%s, %s:\n%s", text, mode, plan)
			}
		}
	}
}

// What nodes have to tell each other stands in rows, and is locked by rows: engines that
// speak the protocol of PostgreSQL without being one know no more, nor do poolers.
func TestPlainSQL(t *testing.T) {
	beyond := regexp.MustCompile(`(?i)\b(notify|listen|pg_advisory|advisory|lock table|skip locked|create temp)\b`)
	if !beyond.MatchString("NOTIFY x") || len(sqlstore.AllStatements()) < 50 {
		t.Fatal("nothing is looked at")
	}
	for _, text := range sqlstore.AllStatements() {
		if beyond.MatchString(text) {
			t.Errorf("not what all share: %s", text)
		}
	}
}

func explain(t *testing.T, c *sql.Conn, text string) string {
	t.Helper()
	rows, err := c.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		must(t, rows.Scan(&line))
		plan.WriteString(line + "\n")
	}
	must(t, rows.Err())
	return plan.String()
}

// What was cancelled is not committed, whenever that was.
func TestCancelledInserts(t *testing.T) {
	s := open(t, storetest.Postgres(t), sqlstore.Server)
	a := account(t, s, "a", 1)
	told := map[string]bool{}
	for i := range 60 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
		id := fmt.Sprint(i)
		switch err := s.Insert(ctx, image(a, id), math.MaxInt64); {
		case err == nil:
			told[id] = true
		case errors.Is(err, library.ErrNotFound), errors.Is(err, library.ErrExists):
			t.Errorf("%d: %v", i, err)
		}
		cancel()
	}
	there := map[string]bool{}
	for _, id := range listed(t, s, a) {
		there[id] = true
	}
	for id := range told {
		if !there[id] {
			t.Errorf("%s is lost", id)
		}
	}
}

// Authorisations from before they were counted in buckets are found too.
func TestOlderAuthorizations(t *testing.T) {
	lite, err := sqlstore.OpenSQLite(t.Context(), filepath.Join(t.TempDir(), "sucai.db"), sqlstore.Server)
	must(t, err)
	defer lite.Close()
	for migration, s := range map[string]*sqlstore.Store{
		"sqlite/00003_authorizer.sql":   lite,
		"postgres/00002_authorizer.sql": open(t, storetest.Postgres(t), sqlstore.Server),
	} {
		var ids []int64
		for i := range 100 {
			ids = append(ids, account(t, s, fmt.Sprintf("a%02d", i), int64(i)).ID)
		}
		c := &library.Component{AppID: "c", Salt: []byte{1}, Hash: []byte{1}}
		must(t, s.CreateComponent(t.Context(), c))
		must(t, s.ChangeComponent(t.Context(), "c", func(_ *library.Component, h library.Holdings) error {
			for _, id := range ids {
				if err := h.SetAuthorization(&library.Authorization{Account: id}); err != nil {
					return err
				}
			}
			return nil
		}))
		text, err := os.ReadFile("migrations/" + migration)
		must(t, err)
		for _, text := range []string{`delete from bucket`, string(text)} {
			_, err := s.DB().Exec(text)
			must(t, err)
		}
		for _, offset := range []int64{1, 40, 60, 99} {
			list, total, err := s.AuthorizationPage(t.Context(), c.ID, offset, 1)
			if err != nil || total != 100 || len(list) != 1 || list[0].AppID != fmt.Sprintf("a%02d", offset) {
				t.Errorf("%s, at %d: %v of %d, %v", migration, offset, list, total, err)
			}
		}
	}
}
