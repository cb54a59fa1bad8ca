package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The codes of PostgreSQL's errors that are told apart.
const (
	codeUnique        = "23505"
	codeSerialization = "40001"
	codeUnknownCommit = "40003"
	codeDeadlock      = "40P01"
	codeNoPrivilege   = "42501"
	codeNoStatement   = "26000"
	codeTwoStatements = "42P05"
	codeReadOnly      = "25006"
	codeNoRoom        = "53300"
	codeStarting      = "57P03"
)

func postgresCode(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// isConflict tells whether a transaction was undone because of others at work: it may
// succeed when it is run again.
func isConflict(err error) bool {
	code := postgresCode(err)
	return code == codeSerialization || code == codeDeadlock
}

// isBusy tells whether a server took no connection, but may take one soon.
func isBusy(err error) bool {
	code := postgresCode(err)
	return isConnecting(err) && (code == codeNoRoom || code == codeStarting)
}

func isConnecting(err error) bool {
	var connecting *pgconn.ConnectError
	return errors.As(err, &connecting)
}

// isLost tells whether an open connection broke, its server is going down, or has become
// a standby. What had not been committed on it never will be.
func isLost(err error) bool {
	if isConnecting(err) {
		return false // there is no other server to turn to
	}
	if code := postgresCode(err); code != "" {
		return code == codeReadOnly || strings.HasPrefix(code, "57P0") || strings.HasPrefix(code, "08")
	}
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, pgconn.ErrConnClosed, driver.ErrBadConn} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// isUndone tells whether a commit that failed is known to have changed nothing. Only the
// server's word counts: the driver calls a commit safe to repeat, as if it had not been
// sent, when the connection breaks before its answer.
func isUndone(err error) bool {
	code := postgresCode(err)
	return code != codeUnknownCommit && strings.HasPrefix(code, "40") || errors.Is(err, pgx.ErrTxCommitRollback)
}

// unfitError says, in words that follow the name of a database, why it cannot be used.
type unfitError string

func (e unfitError) Error() string { return "the database " + string(e) }

// misread explains an address that cannot be understood, without showing it: a password
// with signs that have a meaning in addresses may be why.
func misread(address string, err error) error {
	var parsing *pgconn.ParseConfigError
	if _, malformed := url.Parse(address); malformed == nil && errors.As(err, &parsing) && parsing.Unwrap() != nil {
		return fmt.Errorf("the address of the database: %w", parsing.Unwrap())
	}
	return errors.New("this is no address of a database: postgres://USER@HOST:PORT/DATABASE is wanted, with other signs than letters and digits in a password written as %XX")
}

// postgresPlace names a database to people, without its password.
type postgresPlace struct{ config *pgx.ConnConfig }

func (p *postgresPlace) server() string {
	hosts := []string{net.JoinHostPort(p.config.Host, strconv.Itoa(int(p.config.Port)))}
	for _, f := range p.config.Fallbacks { // the same one again, where TLS is only preferred
		if h := net.JoinHostPort(f.Host, strconv.Itoa(int(f.Port))); h != hosts[len(hosts)-1] {
			hosts = append(hosts, h)
		}
	}
	return strings.Join(hosts, ", ")
}

func (p *postgresPlace) database() string {
	if p.config.Database == "" {
		return p.config.User // as PostgreSQL does
	}
	return p.config.Database
}

// explain makes one line of an error of opening: which part is wrong, and the way out.
func (p *postgresPlace) explain(err error) error {
	if err == nil {
		return nil
	}
	server, user, database := p.server(), p.config.User, p.database()
	var unfit unfitError
	var refused *pgconn.PgError
	var unknown *net.DNSError
	switch {
	case errors.As(err, &unfit):
		return fmt.Errorf("database %s at %s %s", database, server, string(unfit))
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return fmt.Errorf("PostgreSQL at %s is read-only, a standby perhaps: name the primary in --db, or all of them as HOST1:PORT,HOST2:PORT", server)
	case errors.As(err, &refused):
		return fmt.Errorf("PostgreSQL at %s: %s", server, refusal(refused, user, database))
	case errors.As(err, &unknown):
		return fmt.Errorf("PostgreSQL at %s: there is no host %s: check the address in --db", server, unknown.Name)
	case errors.Is(err, context.Canceled):
		return err
	}
	var connecting *pgconn.ConnectError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("nothing answers at %s: check the address in --db, and that PostgreSQL runs and listens there", server)
	case errors.As(err, &connecting) && (pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded)):
		return fmt.Errorf("PostgreSQL at %s does not answer in time: check the address in --db, and firewalls on the way", server)
	case errors.As(err, &connecting):
		return fmt.Errorf("PostgreSQL at %s: %s", server, lastLine(connecting.Unwrap().Error()))
	}
	return fmt.Errorf("database %s at %s: %w", database, server, err)
}

// refusal says in a line what a server answered, and the way out where we know one.
func refusal(e *pgconn.PgError, user, database string) string {
	text := strings.TrimSpace(strings.ReplaceAll(e.Message, "\n", " "))
	switch e.Code {
	case "28P01", "28000":
		return fmt.Sprintf("user %s is refused (%s): check the user in --db and the password in PGPASSWORD, in a password file or in SUCAI_DB", user, text)
	case "3D000":
		return fmt.Sprintf("there is no database %s: create it, or name another in --db", database)
	case codeNoPrivilege:
		return fmt.Sprintf("user %s lacks a right in database %s (%s): make the user its owner, or grant it create and usage on the schema", user, database, text)
	case codeNoRoom:
		return fmt.Sprintf("it has no connection left (%s): raise max_connections there, or put a pooler in front", text)
	case codeStarting:
		return fmt.Sprintf("it is not ready yet (%s): try again", text)
	}
	return text + poolerHint(e.Code)
}

// poolerHint is what helps where a pooler gives each transaction another connection and
// does not know prepared statements.
func poolerHint(code string) string {
	if code == codeNoStatement || code == codeTwoStatements {
		return "; where a pooler stands in front, add default_query_exec_mode=exec to --db"
	}
	return ""
}

// lastLine is what the last of several tries came to: the first may only be that TLS
// was preferred.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
