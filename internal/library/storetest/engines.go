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
	{"outgrown", outgrown},
}

// embedded is SQLite and a directory.
func embedded(t testing.TB) library.Engines {
	return EmbeddedAt(t, filepath.Join(t.TempDir(), "data"))
}

// EmbeddedAt opens the embedded shape in a directory, until the test ends.
func EmbeddedAt(t testing.TB, dir string) library.Engines {
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
	b, err := blobs.OpenDir(filepath.Join(dir, "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	return library.Engines{Materials: db, Accounts: db, Blobs: b}
}
