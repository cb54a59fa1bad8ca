package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/sqlstore"
)

// storeFlags say where a store is; the same for every command that opens one.
type storeFlags struct{ data, db, blobs string }

func (f *storeFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.data, "data", "./sucai-data", "`directory` of the database and the blobs")
	flags.StringVar(&f.db, "db", "", "`path` of the database (default DATA/sucai.db)")
	flags.StringVar(&f.blobs, "blobs", "", "`directory` of the blobs (default DATA/blobs)")
}

// open picks the engines and joins them. The caller closes what it gets.
func (f *storeFlags) open(ctx context.Context, role sqlstore.Role, o library.Options) (*library.Libraries, func() error, error) {
	dbPath, blobPath := f.db, f.blobs
	if dbPath == "" {
		dbPath = filepath.Join(f.data, "sucai.db")
	}
	if blobPath == "" {
		blobPath = filepath.Join(f.data, "blobs")
	}
	for flag, value := range map[string]string{"--db": dbPath, "--blobs": blobPath} {
		if strings.Contains(value, "://") {
			return nil, nil, usagef("%s %s: this sucai knows local paths only", flag, value)
		}
	}
	db, err := sqlstore.OpenSQLite(ctx, dbPath, role)
	if errors.Is(err, sqlstore.ErrServed) {
		return nil, nil, errors.New(err.Error() + "; stop it, or give this one another --data")
	}
	if err != nil {
		return nil, nil, err
	}
	dir, err := blobs.OpenDir(blobPath)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	ls, err := library.Open(ctx, library.Engines{Materials: db, Accounts: db, Blobs: dir}, o)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return ls, db.Close, nil
}

// readSecret reads a secret from a file, or from standard input for "-".
func readSecret(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	if path == "-" {
		path = os.Stdin.Name()
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err
}
