package sqlstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
)

// SnapshotSQLite writes what the database at path holds at this moment to a new file at
// into, readable by its owner only. Servers and commands on it go on meanwhile.
func SnapshotSQLite(ctx context.Context, path, into string) error {
	s, err := OpenSQLite(ctx, path, Command)
	if err != nil {
		return err
	}
	defer s.Close()
	f, err := os.OpenFile(into, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	// It reads, in a snapshot of its own, so nobody waits and no lock is held.
	if _, err := s.write.ExecContext(ctx, `vacuum into $1`, into); err != nil {
		return fmt.Errorf("a snapshot of %s: %w", path, err)
	}
	return nil
}

// CheckSQLite looks for damage in all of the database file at path.
func CheckSQLite(ctx context.Context, path string) error {
	s, err := OpenSQLite(ctx, path, Command)
	if err != nil {
		return err
	}
	defer s.Close()
	rows, err := s.read.QueryContext(ctx, `pragma integrity_check(1)`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var found string
		if err := rows.Scan(&found); err != nil {
			return err
		}
		if found != "ok" {
			return fmt.Errorf("the database is damaged: %s", strings.ReplaceAll(found, "\n", " "))
		}
	}
	return rows.Err()
}

// RenamePlace gives the place of the blobs of a database that nobody uses another name,
// which the caller writes to it too: no other store then takes its blobs for its own.
func RenamePlace(ctx context.Context, path string) (place string, err error) {
	s, err := OpenSQLite(ctx, path, Copier)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	place = rand.Text()
	return place, s.changeStore(ctx, movePlace, place)
}
