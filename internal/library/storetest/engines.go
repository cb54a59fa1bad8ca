// Package storetest is the contract of the three storage interfaces as tests: one suite,
// which every engine passes. Each sentence at the interfaces is a case here.
package storetest

import (
	"context"
	"path/filepath"
	"testing"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/sqlstore"
)

// Engine is one supported shape of a store.
type Engine struct {
	Name string
	// Open opens a new store until the test ends, another one each time.
	Open func(t testing.TB) library.Engines
}

// Engines are the shapes that are meant for use: all on one machine, and all off it. To add
// one is one line here.
var Engines = []Engine{
	{"embedded", embedded},
	{"outgrown", outgrown},
}

// Mixtures are the other shapes that can be had.
var Mixtures = []Engine{
	{"SQLite and S3", sqliteAndS3},
	{"PostgreSQL and a directory", postgresAndDirectory},
}

// embedded is SQLite and a directory.
func embedded(t testing.TB) library.Engines {
	return EmbeddedAt(t, filepath.Join(t.TempDir(), "data"))
}

// EmbeddedAt opens the embedded shape in a directory, until the test ends.
func EmbeddedAt(t testing.TB, dir string) library.Engines {
	t.Helper()
	b, err := blobs.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return onSQLite(t, dir, b)
}

// outgrown is PostgreSQL and a bucket.
func outgrown(t testing.TB) library.Engines {
	t.Helper()
	return Nodes(t, 1)[0]
}

// Nodes opens one store of the outgrown shape so many times, until the test ends.
func Nodes(t testing.TB, n int) (nodes []library.Engines) {
	t.Helper()
	db, bucket := Postgres(t), S3(t)
	for range n {
		nodes = append(nodes, onPostgres(t, db, inBucket(t, bucket)))
	}
	return nodes
}

// sqliteAndS3 has but its blobs outgrown.
func sqliteAndS3(t testing.TB) library.Engines {
	t.Helper()
	return onSQLite(t, t.TempDir(), inBucket(t, S3(t)))
}

// postgresAndDirectory has but its database outgrown.
func postgresAndDirectory(t testing.TB) library.Engines {
	t.Helper()
	return PostgresAt(t, Postgres(t), t.TempDir())
}

// inBucket gives blobs in a bucket until the test ends.
func inBucket(t testing.TB, address string) library.Blobs {
	t.Helper()
	b, err := blobs.OpenS3(address, filepath.Join(t.TempDir(), "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	b.Cache(32 << 20) // as servers do
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// onSQLite puts blobs beside a database in a directory.
func onSQLite(t testing.TB, dir string, b library.Blobs) library.Engines {
	t.Helper()
	db, err := sqlstore.OpenSQLite(context.Background(), filepath.Join(dir, "sucai.db"), sqlstore.Server)
	if err != nil {
		t.Fatal(err)
	}
	return with(t, db, b)
}

// with puts blobs beside a database, which is closed when the test ends.
func with(t testing.TB, db *sqlstore.Store, b library.Blobs) library.Engines {
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return library.Engines{Materials: db, Accounts: db, Blobs: b}
}
