package sqlstore

import (
	"database/sql"
	"io/fs"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// What the tests on PostgreSQL see of the inside: they stand in a package of their own,
// beside what starts a server for them.

var (
	FitPostgres = fitPostgres
	FitVersion  = fitVersion
)

const Connections = connections

// DB is the pool of a store.
func (s *Store) DB() *sql.DB { return s.write }

// Statements are the texts of all statements but of those that may read all they want:
// lists of accounts and the like, the one row of the store or of the sweep, and what copies
// and checks a store; on SQLite without those that are not for it.
func Statements(sqlite bool) []string {
	may := map[statement]bool{selectAll: true, selectOrphans: true, selectReady: true, selectStore: true, selectClouds: true, selectComponents: true,
		ownStore: true, setClaimed: true, finishCopy: true, movePlace: true, lockStore: true, adoptStore: true, keepPass: true, selectAnything: true, dropGrants: true, selectTotals: true, selectBucketGaps: true,
		dueSweep: true, readSweep: true, takeSweep: true, keepSweep: true}
	var list []string
	for st, text := range texts {
		if !may[statement(st)] && !(sqlite && postgresOnly[statement(st)]) {
			list = append(list, text)
		}
	}
	return list
}

// AllStatements are the texts of all statements.
func AllStatements() []string { return texts }

// LastMigration is the number of the last file of migrations on PostgreSQL, which is the
// version of the schema that this sucai knows.
func LastMigration(t testing.TB) (last int64) {
	names, err := fs.Glob(postgresMigrations, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		digits, _, _ := strings.Cut(name, "_")
		number, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		last = max(last, number)
	}
	if last == 0 {
		t.Fatal("there are no migrations")
	}
	return last
}

// AddMigration gives this sucai one migration more, until the test ends.
func AddMigration(t testing.TB, name, text string) {
	before := postgresMigrations
	t.Cleanup(func() { postgresMigrations = before })
	files := fstest.MapFS{name: {Data: []byte(text)}}
	old, err := fs.Glob(before, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range old {
		data, err := fs.ReadFile(before, n)
		if err != nil {
			t.Fatal(err)
		}
		files[n] = &fstest.MapFile{Data: data}
	}
	postgresMigrations = files
}

// IsUnknown tells whether an error is of a commit that may have happened.
var IsUnknown = isUnknown
