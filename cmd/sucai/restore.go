package main

import (
	"archive/tar"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/sqlstore"
)

func newRestore() *cobra.Command {
	var store storeFlags
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a data directory from a backup",
		Long: `Make a data directory, --data, from a file that "sucai backup" wrote; - is standard
input. The directory must be empty or not there yet. All is checked before it appears: that
nothing is missing, that every stored byte is what it was, and that the database is whole.`,
		Example: `  sucai restore /backup/sucai.tar --data /var/lib/sucai
  gunzip </backup/sucai.tar.gz | sucai restore - --data /var/lib/sucai`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return restore(cmd, &store, args[0]) },
	}
	store.add(cmd.Flags())
	return cmd
}

func restore(cmd *cobra.Command, store *storeFlags, file string) error {
	ctx := cmd.Context()
	if store.db != "" || store.blobs != "" {
		return errors.New("restore makes a data directory, --data, without --db and --blobs: `sucai copy --from DIRECTORY` brings it elsewhere")
	}
	in := os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	target, err := filepath.Abs(store.data)
	if err != nil {
		return err
	}
	s, err := newStage(target)
	if err != nil {
		return err
	}
	defer s.remove()
	show := newMoving("checking", os.Stderr)
	v, err := s.fill(ctx, in, show.watch())
	if err = show.end(ctx, err, "nothing was restored; run it again"); err != nil {
		var bad badBackup
		if errors.As(err, &bad) {
			return fmt.Errorf("%s %s", file, printable(err.Error()))
		}
		return err
	}
	if err := s.show(); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "accounts=%d\nmaterials=%d\nblobs=%d\nbytes=%d\n", v.Accounts, v.Materials, v.Blobs, v.Bytes)
	return nil
}

// badBackup says, in words that follow the name of a file, why it cannot be restored.
type badBackup string

func (b badBackup) Error() string { return string(b) }

// stage is a directory in which a store grows that is to stand at target.
type stage struct {
	dir, target string
	inside      bool // the target is there, and empty: a volume perhaps, which cannot be replaced
}

func newStage(target string) (*stage, error) {
	empty, there, err := isEmptyDir(target)
	switch {
	case err != nil:
		return nil, err
	case there && !empty:
		return nil, fmt.Errorf("%s is not empty: restore makes a new store; name another directory by --data", target)
	}
	if _, err := os.Stat(filepath.Dir(target)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no directory %s, in which %s is to stand: make it first", filepath.Dir(target), filepath.Base(target))
	}
	s := &stage{target: target, inside: there}
	parent := filepath.Dir(target)
	if there {
		parent = target
	}
	s.dir, err = os.MkdirTemp(parent, ".sucai-restore-")
	return s, err
}

func (s *stage) remove() { os.RemoveAll(s.dir) }

// fill takes in all of a backup, and checks it.
func (s *stage) fill(ctx context.Context, in io.Reader, w library.Watch) (*library.Verified, error) {
	files, err := s.extract(ctx, in)
	if err != nil {
		return nil, err
	}
	v, err := s.check(ctx, w)
	if err != nil {
		return nil, err
	}
	if v.Blobs != files {
		return nil, badBackup(fmt.Sprintf("is no backup of sucai: it holds %d blobs, of which %d belong to a material", files, v.Blobs))
	}
	if err := s.rename(ctx); err != nil {
		return nil, err
	}
	return v, s.sync()
}

// extract takes in the files of a backup, and no others.
func (s *stage) extract(ctx context.Context, in io.Reader) (blobFiles int64, err error) {
	root, err := os.OpenRoot(s.dir) // names are checked; this is the second lock
	if err != nil {
		return 0, err
	}
	defer root.Close()
	syncs := errgroup.Group{}
	syncs.SetLimit(8) // a disk takes several at once
	defer func() { err = cmp.Or(err, syncs.Wait()) }()
	archive := tar.NewReader(in)
	for n := 0; ; n++ {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		h, err := archive.Next()
		switch {
		case err == io.EOF && n > 0:
			return 0, badBackup("is not complete: the database is missing")
		case err == io.ErrUnexpectedEOF && n == 0:
			return 0, badBackup("is no backup of sucai: it is no tar file")
		case err != nil:
			return 0, misreadArchive(err)
		}
		if err := checkEntry(h, n == 0); err != nil {
			return 0, err
		}
		f, err := newEntry(root, h.Name)
		if err != nil {
			return 0, err
		}
		sum, to := sha256.New(), io.Writer(f)
		if h.Name == archiveDB { // the names of blobs tell theirs
			to = io.MultiWriter(f, sum)
		}
		if _, err := io.Copy(to, contextReader{ctx, archive}); err != nil {
			f.Close()
			return 0, misreadArchive(err)
		}
		syncs.Go(func() error { return cmp.Or(f.Sync(), f.Close()) })
		if h.Name == archiveDB {
			return int64(n - 1), checkEnd(archive, sumLine(sum))
		}
	}
}

// checkEnd wants what comes behind the database: its sum, and no more.
func checkEnd(archive *tar.Reader, sum string) error {
	h, err := archive.Next()
	if err != nil || h.Name != archiveSum {
		return badBackup("is not complete: the sum of its database is missing")
	}
	line := make([]byte, len(sum)+1)
	n, err := io.ReadFull(archive, line)
	if err != io.ErrUnexpectedEOF || string(line[:n]) != sum {
		return badBackup("is damaged: its database is not the one that was written")
	}
	if _, err := archive.Next(); err != io.EOF {
		return badBackup("is no backup of sucai: something comes behind the database, or the end is cut off")
	}
	return nil
}

// checkEntry refuses what no backup holds.
func checkEntry(h *tar.Header, first bool) error {
	blob, isBlob := strings.CutPrefix(h.Name, archiveBlobs)
	switch {
	case first != (h.Name == archiveMarker):
		return badBackup(fmt.Sprintf("is no backup of sucai: it holds %.80q, where %s comes first, and once", h.Name, archiveMarker))
	case h.Name != archiveMarker && h.Name != archiveDB && !(isBlob && blobs.IsFileOf(blob)):
		return badBackup(fmt.Sprintf("is no backup of sucai: it holds %.80q", h.Name))
	case h.Typeflag != tar.TypeReg, first && h.Size > 1000:
		return badBackup(fmt.Sprintf("is no backup of sucai: %s is no plain file, or too large", h.Name))
	}
	for key := range h.PAXRecords {
		if key != "size" { // of a database above 8 GiB; holes, and files of other names, are not ours
			return badBackup(fmt.Sprintf("is no backup of sucai: %s has a record %.40q", h.Name, key))
		}
	}
	return nil
}

func newEntry(root *os.Root, name string) (*os.File, error) {
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, badBackup(fmt.Sprintf("is no backup of sucai: it holds %s twice", name))
	}
	return f, err
}

// misreadArchive explains an error of reading a tar file; those of a disk stay as they are.
func misreadArchive(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return badBackup("ends in the middle: it was cut off")
	case errors.Is(err, io.EOF):
		return badBackup("is empty")
	case errors.Is(err, tar.ErrHeader), errors.Is(err, tar.ErrFieldTooLong):
		return badBackup("is no backup of sucai: it is no tar file, or damaged")
	}
	return err
}

// contextReader ends when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// check opens what was taken in as a store, and reads all of it.
func (s *stage) check(ctx context.Context, w library.Watch) (v *library.Verified, err error) {
	db := filepath.Join(s.dir, archiveDB)
	if err := sqlstore.CheckSQLite(ctx, db); err != nil {
		return nil, s.damaged(err)
	}
	store := &storeFlags{data: s.dir}
	ls, closeStore, err := store.open(ctx, sqlstore.Copier, library.Options{})
	if err != nil {
		return nil, s.damaged(err)
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	var first string
	w.Fault = func(f library.Fault) {
		if first == "" {
			first = f.String()
		}
	}
	if v, err = ls.Verify(ctx, w); err != nil {
		return nil, err
	}
	if !v.Sound() {
		return nil, badBackup(fmt.Sprintf("is damaged: %s; in all, %d materials have lost their bytes, %d are damaged, %d counts are wrong", first, v.Missing, v.Damaged, v.CountsWrong))
	}
	return v, nil
}

// rename gives the blobs another name than those of the store that the backup is of: with
// one name, either's server would sweep the blobs of the other where it is given them.
func (s *stage) rename(ctx context.Context) error {
	place, err := sqlstore.RenamePlace(ctx, filepath.Join(s.dir, archiveDB))
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(s.dir, filepath.FromSlash(archiveMarker)), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(place + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// damaged makes a fault of the backup of an error that names the place where we look.
func (s *stage) damaged(err error) error {
	return badBackup("is damaged: " + strings.ReplaceAll(err.Error(), s.dir+string(filepath.Separator), ""))
}

// sync sees all directories on disk; the files are.
func (s *stage) sync() error {
	return filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		return syncDir(path)
	})
}

// show puts the store at its place: the database last, without which there is none.
func (s *stage) show() error {
	if !s.inside {
		if err := os.Rename(s.dir, s.target); err != nil {
			return err
		}
		return syncDir(filepath.Dir(s.target))
	}
	for _, name := range []string{strings.TrimSuffix(archiveBlobs, "/"), archiveDB} {
		if err := os.Rename(filepath.Join(s.dir, name), filepath.Join(s.target, name)); err != nil {
			return err
		}
		if err := syncDir(s.target); err != nil {
			return err
		}
	}
	return nil
}
