package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"sucai/internal/blobs"
	"sucai/internal/library/storetest"
)

// Each part of an outgrown store that is missing or wrong is one line that names it and
// the way out, with status 1, and no password or secret is in it.
func TestWhatIsWrongAtAStart(t *testing.T) {
	t.Setenv("TEST_POSTGRES_URL", "") // roles and databases are made, which is for a server of ours
	o := newOutgrown(t)
	db, bucket := o.env["SUCAI_DB"], o.env["SUCAI_BLOBS"]
	admin, err := sql.Open("pgx", db)
	must(t, err)
	defer admin.Close()
	o.preparePostgres(t, admin)
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	must(t, err)
	defer silent.Close()

	at := func(address string, change func(u *url.URL, q url.Values)) string {
		u, err := url.Parse(address)
		must(t, err)
		q := u.Query()
		change(u, q)
		u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
		return u.String()
	}
	host := func(host string) string { return at(db, func(u *url.URL, _ url.Values) { u.Host = host }) }
	user := func(name *url.Userinfo) string { return at(db, func(u *url.URL, _ url.Values) { u.User = name }) }
	database := func(name string) string { return at(db, func(u *url.URL, _ url.Values) { u.Path = name }) }
	parameter := func(name, value string) string { return at(db, func(_ *url.URL, q url.Values) { q.Set(name, value) }) }
	endpoint := func(to string) string { return at(bucket, func(_ *url.URL, q url.Values) { q.Set("endpoint", to) }) }
	says := func(status int, text string) string {
		return endpoint(serveUntilEnd(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", map[bool]string{true: "application/xml", false: "text/html"}[strings.HasPrefix(text, "<Error")])
			w.WriteHeader(status)
			io.WriteString(w, text)
		})))
	}
	code := func(code string) string { return "<Error><Code>" + code + "</Code><Message>no</Message></Error>" }
	schema := func(address string) string { u, _ := url.Parse(address); return u.Query().Get("search_path") }
	none := map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
	with := func(keyValues ...string) map[string]string {
		env := maps.Clone(none)
		for i := 0; i < len(keyValues); i += 2 {
			env[keyValues[i]] = keyValues[i+1]
		}
		return env
	}
	broken := filepath.Join(t.TempDir(), "broken")
	must(t, os.WriteFile(broken, []byte("[default]\naws_access_key_id = k\nright horse\n"), 0o600))

	newer := storetest.Postgres(t)
	_, err = o.run(t, map[string]string{"SUCAI_DB": newer, "SUCAI_BLOBS": storetest.S3(t)}, "account", "add")
	must(t, err)
	_, err = admin.Exec(`insert into ` + schema(newer) + `.goose_db_version (version_id, is_applied) values (99999, true)`)
	must(t, err)
	claimed := storetest.S3(t)
	_, err = o.run(t, map[string]string{"SUCAI_DB": storetest.Postgres(t), "SUCAI_BLOBS": claimed}, "account", "add")
	must(t, err)
	home := storetest.Postgres(t) // its blobs are elsewhere
	_, err = o.run(t, map[string]string{"SUCAI_DB": home, "SUCAI_BLOBS": storetest.S3(t)}, "account", "add")
	must(t, err)
	unmarked := storetest.S3(t)
	o.put(t, unmarked)
	wrongClock := func(off string) string {
		address := storetest.Postgres(t)
		_, err := admin.Exec(`create function ` + schema(address) + `.clock_timestamp() returns timestamptz language sql as
			$$ select pg_catalog.clock_timestamp() + interval '` + off + `' $$`)
		must(t, err)
		return at(address, func(_ *url.URL, q url.Values) { q.Set("search_path", schema(address)+",pg_catalog") })
	}

	dbIs := func(address string) map[string]string { return map[string]string{"SUCAI_DB": address} }
	blobsAre := func(address string) map[string]string { return map[string]string{"SUCAI_BLOBS": address} }
	var wg sync.WaitGroup
	turns := make(chan struct{}, 4)
	for _, c := range []struct {
		what string
		env  map[string]string // what is other than it should be
		want string
	}{
		{"wrong password", dbIs(user(url.UserPassword("asked", "wrong horse"))), `user asked is refused .*check the user .* password .*PGPASSWORD`},
		{"no such user", dbIs(user(url.User("stranger"))), `user stranger is refused`},
		{"no such database", dbIs(database("/absent")), `there is no database absent: create it, or name another`},
		{"no connection left", dbIs(user(url.User("crowded"))), `it has no connection left .*: raise max_connections there, or put a pooler in front`},
		{"nobody listens", dbIs(host("127.0.0.1:1")), `nothing answers at 127\.0\.0\.1:1: check the address in --db, and that PostgreSQL runs`},
		{"no such host", dbIs(host("no-such-host.invalid")), `there is no host no-such-host\.invalid: check the address in --db`},
		{"silence", dbIs(host(silent.Addr().String())), `does not answer in time: check the address in --db, and firewalls`},
		{"no TLS", dbIs(parameter("sslmode", "require")), `PostgreSQL at .*TLS`},
		{"not PostgreSQL", dbIs(host(o.s3Host(t))), `PostgreSQL at .*: `},
		{"old", dbIs(at(db, func(u *url.URL, q url.Values) { u.Host = oldPostgres(t) })), `is kept by PostgreSQL 9\.4\.26, sucai needs 13 or newer: update the server`},
		{"a standby", dbIs(parameter("default_transaction_read_only", "on")), `is read-only, a standby perhaps: name the primary`},
		{"not UTF8", dbIs(database("/plain")), `is kept in SQL_ASCII .*create it anew with encoding UTF8`},
		{"no rights", dbIs(user(url.User("poor"))), `user poor lacks a right .*: make the user its owner, or grant it create and usage`},
		{"no schema", dbIs(parameter("search_path", "absent")), `create one, or name another by`},
		{"newer schema", dbIs(newer), `has a schema of version 99999, this sucai knows \d+: use a newer sucai`},
		{"no address", dbIs("postgres://me:right horse/@host:1/x"), `this is no address of a database: postgres://`},
		{"a clock behind", dbIs(wrongClock("1 minute")), `the clock of this machine is (59s|1m\ds) behind that of the database.*set both, by NTP`},
		{"a clock ahead", dbIs(wrongClock("-1 minute")), `the clock of this machine is (59s|1m\ds) ahead of that of the database.*set both, by NTP`},

		{"no such bucket", blobsAre(at(bucket, func(u *url.URL, _ url.Values) { u.Host = "no-such-bucket" })), `there is no such bucket: create it, or correct --blobs \(`},
		{"wrong region", blobsAre(at(bucket, func(_ *url.URL, q url.Values) { q.Set("region", "xx-nowhere-1") })), `the bucket is in the region .*: correct region in --blobs`},
		{"wrong key", map[string]string{"AWS_ACCESS_KEY_ID": "stranger"}, `the access key is unknown there: check AWS_ACCESS_KEY_ID`},
		{"wrong secret", map[string]string{"AWS_SECRET_ACCESS_KEY": "wrong horse"}, `the secret key is wrong: check AWS_SECRET_ACCESS_KEY`},
		{"no access", blobsAre(says(403, code("AccessDenied"))), `access is denied: the credentials must allow to list the bucket, and to get`},
		{"old session", blobsAre(says(400, code("ExpiredToken"))), `the session token is not valid any more: check AWS_SESSION_TOKEN`},
		{"overloaded", blobsAre(says(503, code("SlowDown"))), `it is overloaded or not ready`},
		{"nobody listens for S3", blobsAre(endpoint("http://127.0.0.1:1")), `it cannot be reached: check the endpoint in --blobs, and that the store runs`},
		{"no such host for S3", blobsAre(endpoint("http://no-such-host.invalid:9000")), `it cannot be reached: check the endpoint in --blobs.*no such host`},
		{"https for http", blobsAre(endpoint("https://" + o.s3Host(t))), `it cannot be reached: check the endpoint in --blobs.*HTTP response to HTTPS client`},
		{"a web page", blobsAre(says(200, "<html><p>log in first")), `is no S3: check the endpoint in --blobs`},
		{"an empty page", blobsAre(says(200, "")), `is no S3: check the endpoint in --blobs`},
		{"a missing page", blobsAre(says(404, "<html>not found</html>")), `if what answers is no S3, check the endpoint in --blobs`},
		{"a database for S3", blobsAre(endpoint("http://" + o.dbHost(t))), `check the endpoint in --blobs`},
		{"silent S3", blobsAre(endpoint("http://" + silent.Addr().String())), `no answer for 3s: is it overloaded, or behind a firewall`},
		{"clock of S3", blobsAre(endpoint(o.shifted(t))), `its clock and that of this machine differ too much: set both, by NTP`},
		{"another's blobs", blobsAre(claimed), `belong to another database \(its place is called .*\): check --db and --blobs`},
		{"an empty place", map[string]string{"SUCAI_DB": home, "SUCAI_BLOBS": storetest.S3(t)}, `there are no blobs in .*, but the database has some elsewhere: check --db and --blobs`},
		{"an empty directory", map[string]string{"SUCAI_DB": home, "SUCAI_BLOBS": filepath.Join(t.TempDir(), "blobs")}, `there are no blobs in .*, but the database has some elsewhere: check --db and --blobs`},
		{"blobs of nobody", blobsAre(unmarked), `holds something, but not the object .* choose an empty bucket or another prefix for --blobs`},

		{"no credentials", with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x?secret=horse"), `there are none: set AWS_ACCESS_KEY_ID .*asked for a role: .*connection refused`},
		{"no such profile", with("AWS_SHARED_CREDENTIALS_FILE", o.credentialsFile(t), "AWS_PROFILE", "absent", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"), `the shared AWS file .* lacks the profile \(AWS_PROFILE\)`},
		{"a broken file", with("AWS_SHARED_CREDENTIALS_FILE", broken, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/"), `the shared AWS file cannot be read`},
	} {
		wg.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			_, err := o.run(t, c.env, "serve", "--listen", "127.0.0.1:0")
			var failed *failure
			if !errors.As(err, &failed) {
				t.Errorf("%s: it starts, or %v", c.what, err)
				return
			}
			text := failed.stderr
			if failed.status != 1 || failed.stdout != "" || strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "sucai: ") {
				t.Errorf("%s: status %d, %q, %s", c.what, failed.status, failed.stdout, text)
			}
			if !regexp.MustCompile(c.want).MatchString(text) {
				t.Errorf("%s: %s", c.what, text)
			}
			for _, secret := range []string{"horse", o.env["AWS_SECRET_ACCESS_KEY"], "goroutine"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s: %q is in: %s", c.what, secret, text)
				}
			}
		})
	}
	wg.Wait()
}

// preparePostgres makes users and databases that sucai cannot work with.
func (o *outgrown) preparePostgres(t *testing.T, admin *sql.DB) {
	t.Helper()
	for _, text := range []string{
		`create role asked login password 'right horse'`,
		`create role poor login`,
		`create role crowded login connection limit 0`,
		`create database plain encoding 'SQL_ASCII' template template0`,
	} {
		if _, err := admin.Exec(text); err != nil && !strings.Contains(err.Error(), "already exists") { // -count=2
			t.Fatal(err)
		}
	}
	u, err := url.Parse(o.env["SUCAI_DB"])
	must(t, err)
	_, err = admin.Exec(`grant usage on schema ` + u.Query().Get("search_path") + ` to poor`)
	must(t, err)
	server, err := storetest.StartedPostgres()
	must(t, err)
	rules := filepath.Join(server.Dir, "data", "pg_hba.conf")
	old, err := os.ReadFile(rules)
	must(t, err)
	must(t, os.WriteFile(rules, append([]byte("host all asked 127.0.0.1/32 scram-sha-256\n"), old...), 0o600)) // the first counts
	_, err = admin.Exec(`select pg_reload_conf()`)
	must(t, err)
}

func (o *outgrown) dbHost(t *testing.T) string {
	u, err := url.Parse(o.env["SUCAI_DB"])
	must(t, err)
	return u.Host
}

func (o *outgrown) s3Host(t *testing.T) string {
	u, err := url.Parse(o.env["SUCAI_BLOBS"])
	must(t, err)
	u, err = url.Parse(u.Query().Get("endpoint"))
	must(t, err)
	return u.Host
}

// put leaves a blob at a place that nobody has claimed.
func (o *outgrown) put(t *testing.T, address string) {
	s, err := blobs.OpenS3(address, t.TempDir())
	must(t, err)
	defer s.Close()
	_, err = s.Put(t.Context(), strings.NewReader("x"), func(io.ReaderAt, int64) error { return nil })
	must(t, err)
}

// shifted is the real S3 behind a proxy that makes our clock look an hour late.
func (o *outgrown) shifted(t *testing.T) string {
	to := &url.URL{Scheme: "http", Host: o.s3Host(t)}
	return serveUntilEnd(t, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Set("X-Amz-Date", time.Now().Add(-time.Hour).UTC().Format("20060102T150405Z"))
	}})
}

// credentialsFile is a shared AWS file with the credentials in a profile.
func (o *outgrown) credentialsFile(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "credentials")
	must(t, os.WriteFile(path, fmt.Appendf(nil, "[default]\n[tests]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n",
		o.env["AWS_ACCESS_KEY_ID"], o.env["AWS_SECRET_ACCESS_KEY"], o.env["AWS_SESSION_TOKEN"]), 0o600))
	return path
}

func serveUntilEnd(t *testing.T, h http.Handler) (address string) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// oldPostgres is the address of a server from long ago: it does not know our settings.
func oldPostgres(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := pgproto3.NewBackend(c, c)
				if _, err := b.ReceiveStartupMessage(); err != nil {
					return
				}
				b.Send(&pgproto3.AuthenticationOk{})
				b.Send(&pgproto3.ParameterStatus{Name: "server_version", Value: "9.4.26"})
				b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				for b.Flush() == nil {
					if _, err := b.Receive(); err != nil {
						return
					}
					b.Send(&pgproto3.ErrorResponse{Severity: "ERROR", Code: "42704", Message: "unrecognized configuration parameter"})
					b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'})
				}
			}()
		}
	}()
	return l.Addr().String()
}
