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
	// Open opens the store of the test, the same one each time it is called in one test.
	Open func(t testing.TB) library.Engines
}

// Engines are all supported shapes. To add one is one line here.
var Engines = []Engine{
	{"embedded", embedded},
	{"SQLite and S3", sqliteAndS3},
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

// sqliteAndS3 has its blobs in a bucket.
func sqliteAndS3(t testing.TB) library.Engines {
	t.Helper()
	dir := t.TempDir()
	b, err := blobs.OpenS3(S3(t), filepath.Join(dir, "scratch"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return onSQLite(t, dir, b)
}

// onSQLite puts blobs beside a database in a directory.
func onSQLite(t testing.TB, dir string, b library.Blobs) library.Engines {
	t.Helper()
	db, err := sqlstore.OpenSQLite(context.Background(), filepath.Join(dir, "sucai.db"), sqlstore.Server)
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
