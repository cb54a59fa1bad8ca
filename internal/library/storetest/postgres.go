package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/sqlstore"
)

// PostgresAt opens the store of a database and a directory of blobs, until the test ends:
// one more node of it each time.
func PostgresAt(t testing.TB, address, dir string) library.Engines {
	t.Helper()
	b, err := blobs.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return onPostgres(t, address, b)
}

// onPostgres joins blobs with a database.
func onPostgres(t testing.TB, address string, b library.Blobs) library.Engines {
	t.Helper()
	db, err := sqlstore.OpenPostgres(context.Background(), address, sqlstore.Server)
	if err != nil {
		t.Fatal(err)
	}
	return with(t, db, b)
}

// Postgres gives the address of a schema of its own on a real server, which goes when the
// test ends: the server of TEST_POSTGRES_URL, or else one that is started, once in a
// process, from the PostgreSQL that is installed. Where there is none, it is Missing.
func Postgres(t testing.TB) string {
	t.Helper()
	address, drop, err := newSchema()
	if errors.Is(err, errNoPostgres) {
		Missing(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return address
}

// newSchema gives the address of a new schema, and what removes it.
func newSchema() (address string, drop func() error, err error) {
	server := os.Getenv("TEST_POSTGRES_URL")
	if server == "" {
		started, err := StartedPostgres()
		if err != nil {
			return "", nil, err
		}
		server = started.URL
	}
	u, err := url.Parse(server)
	if err != nil {
		return "", nil, errors.New("TEST_POSTGRES_URL cannot be understood")
	}
	schema := "test_" + strings.ToLower(rand.Text()[:12])
	db, err := sql.Open("pgx", server)
	if err != nil {
		return "", nil, err
	}
	if _, err := db.Exec("create schema " + schema); err != nil {
		return "", nil, errors.Join(err, db.Close())
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String(), func() error {
		_, err := db.Exec("drop schema " + schema + " cascade")
		return errors.Join(err, db.Close())
	}, nil
}

// PostgresServer is a server that tests have started.
type PostgresServer struct {
	*guard
	URL  string // of its administrator, in the database postgres; no password is asked for
	Port int    // on 127.0.0.1
}

var errNoPostgres = errors.New("no PostgreSQL is installed (apt-get install postgresql), and TEST_POSTGRES_URL is not set")

// StartedPostgres is the server of this process, which is started when it is first asked
// for and ends with the process.
var StartedPostgres = sync.OnceValues(StartPostgres)

// StartPostgres starts a server. It ends, and its files with it, when Stop is called or
// this process ends in any way.
func StartPostgres() (*PostgresServer, error) {
	programs, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sucai-pg-")
	if err != nil {
		return nil, err
	}
	as, err := postgresUser(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	data := filepath.Join(dir, "data")
	create := exec.Command(filepath.Join(programs, "initdb"), "-D", data, "-A", "trust", "-N", "-U", "postgres", "-E", "UTF8", "--locale=C")
	create.Dir, create.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	if out, err := create.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, out), os.RemoveAll(dir))
	}
	port, err := freePort()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &PostgresServer{Port: port, URL: fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", port)}
	s.guard, err = startGuard(dir, "QUIT", "INT", as, filepath.Join(programs, "postgres"),
		"-D", data, "-p", strconv.Itoa(port), "-k", dir, "-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=256MB")
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.answers(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Start makes a server run again that was halted, and waits until it answers.
func (s *PostgresServer) Start() error {
	if err := s.tell("start"); err != nil {
		return err
	}
	return s.answers()
}

// answers waits until somebody may connect.
func (s *PostgresServer) answers() error {
	db, err := sql.Open("pgx", s.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = db.Ping(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("postgres does not answer: %w\n%s", err, s.said())
}

// postgresPrograms is the directory of initdb and postgres; of several the newest.
func postgresPrograms() (string, error) {
	if alone() != nil {
		return "", errNoPostgres
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errNoPostgres
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(strings.Split(path, "/")[4]) // 0 for another name
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// postgresUser gives the directory to the user postgres where we are root, as whom the
// server refuses to run, and says whom it is to run as; nil for ourselves.
func postgresUser(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, os.Chown(dir, int(uid), int(gid))
}
