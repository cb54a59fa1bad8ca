package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
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
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return library.Engines{Materials: db, Accounts: db, Blobs: b}
}

// Postgres gives the address of a schema of its own on a real server, which goes when the
// test ends: the server of TEST_POSTGRES_URL, or else one that is started, once in a
// process, from the PostgreSQL that is installed. Where there is none, the test is
// skipped, but fails where CI is set.
func Postgres(t testing.TB) string {
	t.Helper()
	address, drop, err := newSchema()
	if errors.Is(err, errNoPostgres) && os.Getenv("CI") == "" {
		t.Skip(err)
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
	URL  string // of its administrator, in the database postgres; no password is asked for
	Port int    // on 127.0.0.1
	Dir  string // holds its data, its log, and its socket

	programs string
	guard    io.Closer
}

var errNoPostgres = errors.New("no PostgreSQL is installed (apt-get install postgresql), and TEST_POSTGRES_URL is not set")

// StartedPostgres is the server of this process, which is started when it is first asked
// for and ends with the process.
var StartedPostgres = sync.OnceValues(StartPostgres)

// StartPostgres starts a server on a free port. It ends, and its files with it, when Stop
// is called or this process ends in any way.
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
	s := &PostgresServer{Dir: dir, programs: programs}
	for range 3 { // somebody else may take the port first
		if err = s.start(data, as); err == nil {
			return s, nil
		}
	}
	return nil, errors.Join(err, os.RemoveAll(dir))
}

// guarded runs a server, its arguments, until standard input ends, and then removes the
// directory, its name. It outlives a test that is killed, and so does its duty.
const guarded = `
"$@" &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf -- "$0"
`

func (s *PostgresServer) start(data string, as *syscall.Credential) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(s.Dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("sh", "-c", guarded, s.Dir, filepath.Join(s.programs, "postgres"),
		"-D", data, "-p", strconv.Itoa(s.Port), "-k", s.Dir, "-c", "listen_addresses=127.0.0.1",
		"-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=256MB")
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // an interrupt at the terminal is not for it
	if s.guard, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.URL = fmt.Sprintf("postgres://postgres@127.0.0.1:%d/postgres?sslmode=disable", s.Port)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.Port)); err == nil {
			c.Close()
			if db, err := sql.Open("pgx", s.URL); err == nil {
				err = db.Ping()
				if db.Close(); err == nil {
					return nil
				}
			}
		}
		if text, err := os.ReadFile(filepath.Join(s.Dir, "log")); err == nil && strings.Contains(string(text), "FATAL:  could not") {
			return fmt.Errorf("postgres: %s", text)
		}
	}
	return errors.New("postgres does not answer")
}

// Stop ends the server at once and removes its files.
func (s *PostgresServer) Stop() error {
	if err := s.guard.Close(); err != nil {
		return err
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(s.Dir); errors.Is(err, os.ErrNotExist) {
			return nil
		}
	}
	return fmt.Errorf("the server in %s does not end", s.Dir)
}

// postgresPrograms is the directory of initdb and postgres; of several the newest.
func postgresPrograms() (string, error) {
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
