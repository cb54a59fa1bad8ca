package sqlstore_test

import (
	"database/sql"
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

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
)

func TestManyNodesStartAtOnce(t *testing.T) {
	t.Parallel()
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

// The address says how many connections there are, and the server is not told of it.
func TestPoolSize(t *testing.T) {
	t.Parallel()
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

// Each thing that can be wrong with a database is one line that names it and a way out.
func TestRefusals(t *testing.T) {
	t.Setenv("TEST_POSTGRES_URL", "") // a server of its own is reconfigured
	address := storetest.Postgres(t)
	server, err := storetest.StartedPostgres()
	must(t, err)
	admin, err := sql.Open("pgx", server.URL)
	must(t, err)
	t.Cleanup(func() { admin.Close() })
	t.Cleanup(func() {
		for _, text := range []string{`drop database if exists plain`, `drop role if exists asked, poor`} {
			if _, err := admin.Exec(text); err != nil {
				t.Error(err)
			}
		}
	})
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

	var all sync.WaitGroup // some take their time
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
		all.Go(func() {
			s, err := sqlstore.OpenPostgres(t.Context(), c.address, sqlstore.Server)
			if err == nil {
				s.Close()
				t.Errorf("%s: it opens", c.what)
				return
			}
			text := err.Error()
			if !regexp.MustCompile(c.want).MatchString(text) || strings.Contains(text, "\n") || strings.Contains(text, "horse") {
				t.Errorf("%s: %s", c.what, text)
			}
		})
	}
	all.Wait()
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

// Authorisations from before they were counted in buckets are found too.
func TestOlderAuthorizations(t *testing.T) {
	t.Parallel()
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
