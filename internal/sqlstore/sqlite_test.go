package sqlstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sucai/internal/library"
)

// The contract is tested in storetest; here is what only SQLite has.

func openTest(t *testing.T, path string, role Role) *Store {
	t.Helper()
	s, err := OpenSQLite(context.Background(), path, role)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestOneServerManyCommands(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b?c", "sucai.db")
	server := openTest(t, path, Server)
	if _, err := OpenSQLite(context.Background(), path, Server); !errors.Is(err, ErrServed) {
		t.Fatalf("a second server: %v", err)
	}
	command := openTest(t, path, Command)
	a := &library.Account{AppID: "a", Uin: 1, Salt: []byte{1}, Hash: []byte{1}}
	if err := command.CreateAccount(context.Background(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Account(context.Background(), "a"); err != nil {
		t.Fatalf("the server does not see it: %v", err)
	}
	for _, name := range []string{"sucai.db", "sucai.db-wal", "sucai.db-shm"} {
		info, err := os.Stat(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s may be read by others: %s", name, info.Mode())
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	openTest(t, path, Server)
}

func TestSchemaOfAnotherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sucai.db")
	s := openTest(t, path, Server)
	if _, err := s.write.Exec(`insert into goose_db_version (version_id, is_applied) values (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := OpenSQLite(context.Background(), path, Server)
	if err == nil || !strings.Contains(err.Error(), "use a newer sucai") {
		t.Fatalf("a newer schema: %v", err)
	}
}

func TestNotADatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sucai.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSQLite(context.Background(), path, Server); err == nil || !strings.Contains(err.Error(), path+" is no SQLite database") {
		t.Fatalf("opened: %v", err)
	}
}

// No statement reads more than it gives: no scan of a table, no sorting, no counting.
// The lists of accounts, platforms and environments, and what runs once at a start, may.
func TestPlans(t *testing.T) {
	s := openTest(t, filepath.Join(t.TempDir(), "sucai.db"), Server)
	for _, text := range Statements(true) {
		text = withoutLocks(text)
		rows, err := s.read.Query("explain query plan "+text, make([]any, strings.Count(text, "$"))...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(detail, "SCAN") && !strings.Contains(detail, "CONSTANT ROW") && !strings.Contains(detail, "VALUES CLAUSE") || strings.Contains(detail, "TEMP B-TREE") {
				t.Errorf("%s\n%s", text, detail)
			}
		}
		rows.Close()
		if strings.Contains(strings.ToLower(text), "count(") {
			t.Errorf("counts rows: %s", text)
		}
	}
}

// Commands never take each other for a server, and a server waits for them.
func TestManyAtStart(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "sucai.db")
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				s, err := OpenSQLite(context.Background(), path, map[bool]Role{true: Server, false: Command}[i == 3])
				if err != nil {
					t.Errorf("%d: %v", i, err)
					return
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

// A setting that only a newer release knows outlives the tokens that this one issues.
func TestSettingsOfANewerRelease(t *testing.T) {
	ctx := t.Context()
	s := openTest(t, filepath.Join(t.TempDir(), "sucai.db"), Server)
	if err := s.CreateAccount(ctx, &library.Account{AppID: "a", Uin: 1, Salt: []byte{1}, Hash: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateComponent(ctx, &library.Component{AppID: "c", Salt: []byte{1}, Hash: []byte{1}}); err != nil {
		t.Fatal(err)
	}
	const newer = `{"of the future":1}`
	for _, table := range []string{"account", "component"} {
		if _, err := s.write.Exec(`update ` + table + ` set settings = '` + newer + `'`); err != nil {
			t.Fatal(err)
		}
	}
	issue := func(a *library.Account, g library.Grants) error {
		a.Stable.Token = "issued"
		return g.Add(&library.Grant{Hash: [32]byte{1}, Kind: library.PlainGrant, Expires: 9, Ends: 9})
	}
	if err := s.ChangeAccount(ctx, "a", issue); err != nil {
		t.Fatal(err)
	}
	push := func(c *library.Component, _ library.Holdings) error { c.Ticket = "made"; return nil }
	if err := s.ChangeComponent(ctx, "c", push); err != nil {
		t.Fatal(err)
	}
	var account, stable, component, ticket string
	err := s.read.QueryRow(`select a.settings, a.stable, c.settings, c.ticket from account a, component c`).Scan(&account, &stable, &component, &ticket)
	if err != nil {
		t.Fatal(err)
	}
	if account != newer || component != newer || !strings.Contains(stable, "issued") || ticket != "made" {
		t.Errorf("stored: %s, %s, %s, %s", account, stable, component, ticket)
	}
	if err := s.ChangeAccount(ctx, "a", func(a *library.Account, _ library.Grants) error { a.Settings.Frozen = true; return nil }); err != nil {
		t.Fatal(err)
	}
	if a, err := s.Account(ctx, "a"); err != nil || !a.Settings.Frozen {
		t.Errorf("a setting was not stored: %+v, %v", a, err)
	}
}
