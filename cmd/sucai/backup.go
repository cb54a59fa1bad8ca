package main

import (
	"archive/tar"
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/sqlstore"
)

// A backup is a tar file of a data directory: the marker first, which tells what it is,
// then blobs, whose names tell their sha256, then the database, and last the sha256 of
// that, in the form that sha256sum reads.
const (
	archiveDB     = "sucai.db"
	archiveSum    = archiveDB + ".sha256"
	archiveBlobs  = "blobs/"
	archiveMarker = archiveBlobs + blobs.Marker
)

func newBackup() *cobra.Command {
	var store storeFlags
	var force bool
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all of a data directory to one file, while it is served or not",
		Long: `Write all of a data directory to one tar file: the database as it is at one moment, and
the stored bytes that it names, each checked on the way. A server may run meanwhile. FILE
appears when it is complete and on disk; - is standard output. It holds tokens and keys,
as the directory does: keep it as you keep passwords. "sucai restore" reads it.

A snapshot of the database lies in the data directory meanwhile, so there must be room for
it twice. A store in PostgreSQL or in a bucket is backed up by the means of these, or by
"sucai copy" to a data directory.`,
		Example: `  sucai backup /backup/sucai.tar
  sucai backup - --data /var/lib/sucai | gzip >/backup/sucai.tar.gz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return backup(cmd, &store, args[0], force) },
	}
	store.add(cmd.Flags())
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE where it is there already")
	return cmd
}

func backup(cmd *cobra.Command, store *storeFlags, file string, force bool) (err error) {
	ctx := cmd.Context()
	db, bytes, err := store.paths()
	if err != nil {
		return err
	}
	if isPostgres(db) || blobs.IsS3(bytes) {
		return errors.New("backup is for a data directory alone: `sucai copy --to DIRECTORY` makes one of a store in PostgreSQL or in a bucket")
	}
	if missing, err := store.missing(ctx); err != nil || missing != "" {
		return cmp.Or(err, noStore(missing))
	}
	ls, closeStore, err := store.open(ctx, sqlstore.Command, library.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	show := newMoving("backing up", os.Stderr)
	var done *library.BackedUp
	result := cmd.OutOrStdout()
	write := func(w io.Writer) (err error) {
		done, err = archive(ctx, ls, db, w, show.watch())
		return err
	}
	if file == "-" {
		if term.IsTerminal(int(os.Stdout.Fd())) {
			return usagef("standard output is a terminal: send it to a file or a pipe")
		}
		err, result = write(result), os.Stderr
	} else {
		err = newFile(file, force, write)
	}
	if err = show.end(ctx, err, "there is no backup; run it again"); err != nil {
		return err
	}
	fmt.Fprintf(result, "accounts=%d\nmaterials=%d\nblobs=%d\nbytes=%d\n", done.Accounts, done.Materials, done.Blobs, done.Bytes)
	return nil
}

// newFile makes a file that appears, readable by its owner only, when write has written
// all of it and it is on disk.
func newFile(path string, force bool, write func(io.Writer) error) (err error) {
	switch info, err := os.Stat(path); {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is no plain file; - is standard output", path)
	case err == nil && !force:
		return fmt.Errorf("%s is there already; --force replaces it", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // where it has not got its name
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// snapshotNames is how directories of snapshots begin. Who was killed leaves one behind.
const snapshotNames = ".sucai-backup-"

// archive writes the tar file of a store whose database is at db.
func archive(ctx context.Context, ls *library.Libraries, db string, w io.Writer, watch library.Watch) (_ *library.BackedUp, err error) {
	left, err := filepath.Glob(filepath.Join(filepath.Dir(db), snapshotNames+"*"))
	if err != nil {
		return nil, err
	}
	for _, dir := range left {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) > 2*library.SweepAge {
			os.RemoveAll(dir)
		}
	}
	dir, err := os.MkdirTemp(filepath.Dir(db), snapshotNames)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, archiveDB)
	if err := sqlstore.SnapshotSQLite(ctx, db, path); err != nil {
		return nil, err
	}
	buffer := bufio.NewWriterSize(w, 1<<20)
	out := tar.NewWriter(buffer)
	done, err := archiveBytes(ctx, ls, path, out, watch)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	if err := addFile(out, archiveDB, info.Size(), info.ModTime(), io.TeeReader(f, sum)); err != nil {
		return nil, err
	}
	line := sumLine(sum)
	if err := addFile(out, archiveSum, int64(len(line)), time.Now(), strings.NewReader(line)); err != nil {
		return nil, err
	}
	return done, cmp.Or(out.Close(), buffer.Flush())
}

// archiveBytes writes all but the database, from which what is gone meanwhile is removed.
func archiveBytes(ctx context.Context, ls *library.Libraries, path string, out *tar.Writer, watch library.Watch) (_ *library.BackedUp, err error) {
	snapshot, err := sqlstore.OpenSQLite(ctx, path, sqlstore.Copier)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, snapshot.Close()) }()
	st, err := snapshot.Store(ctx)
	if err != nil {
		return nil, err
	}
	marker := st.Place + "\n"
	if err := addFile(out, archiveMarker, int64(len(marker)), time.Now(), strings.NewReader(marker)); err != nil {
		return nil, err
	}
	return ls.Backup(ctx, library.Engines{Materials: snapshot, Accounts: snapshot}, watch, func(m *library.Material, r io.Reader) error {
		return addFile(out, archiveBlobs+blobs.FileOf(m.Blob), m.Size, time.Unix(m.Created, 0), r)
	})
}

func sumLine(sum hash.Hash) string { return fmt.Sprintf("%x  %s\n", sum.Sum(nil), archiveDB) }

func addFile(out *tar.Writer, name string, size int64, made time.Time, r io.Reader) error {
	err := out.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: made.Truncate(time.Second)})
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	return err
}

// isEmptyDir tells whether path is a directory that holds nothing; there is false where
// there is nothing.
func isEmptyDir(path string) (empty, there bool, err error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	return err == nil && len(entries) == 0, true, err
}
