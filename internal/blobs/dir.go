// Package blobs keeps the bytes of materials.
package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"sucai/internal/library"
)

// Dir keeps blobs as files of one directory of a local file system: ROOT/ab/cdef.., so
// that each can be opened, copied and checked by hand. Network file systems are not for
// it: they do not keep the promise of fsync.
type Dir struct {
	root string

	mu     sync.Mutex
	onDisk [shards]bool // the directories of blobs whose names are on disk
}

var _ library.Blobs = (*Dir)(nil)

const (
	marker   = "STORE" // holds the store id
	unfinish = "tmp"   // where files grow; a complete one is renamed into place
	shards   = 256     // directories of blobs: 00 to ff
)

// OpenDir opens, and makes where there is none, the directory root. Only its owner can
// read what is in it.
func OpenDir(root string) (*Dir, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(root, unfinish), 0o700); err != nil {
		return nil, err
	}
	d := &Dir{root: root}
	for i := range shards {
		_, err := os.Stat(filepath.Join(root, shard(i)))
		d.onDisk[i] = err == nil
	}
	if err := syncDir(root); err != nil {
		return nil, err
	}
	for _, dir := range []string{filepath.Dir(root), filepath.Dir(filepath.Dir(root))} {
		syncDir(dir) // as far as we may: the directory and its parent may be new too
	}
	return d, nil
}

func shard(i int) string { return fmt.Sprintf("%02x", i) }

// Claim implements library.Blobs.
func (d *Dir) Claim(ctx context.Context, place string, first bool) error {
	path := filepath.Join(d.root, marker)
	have, err := os.ReadFile(path)
	switch {
	case err == nil && strings.TrimSpace(string(have)) == place:
		return nil
	case err == nil:
		return fmt.Errorf("the blobs in %s belong to another database (its place is called %s, not %s): check --db and --blobs", d.root, strings.TrimSpace(string(have)), place)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	entries, err := os.ReadDir(d.root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != unfinish && e.Name() != marker { // the latter is of this moment
			return fmt.Errorf("%s holds something, but not the file %s that ties blobs to their database: choose an empty directory for --blobs", d.root, marker)
		}
	}
	if !first {
		return noBlobs(d.root)
	}
	tmp, err := os.CreateTemp(filepath.Join(d.root, unfinish), "claim-")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.WriteString(place + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	// Unlike a rename, a link is never put over the marker of somebody who was faster.
	err = os.Link(tmp.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return d.Claim(ctx, place, first)
	}
	if err != nil { // a file system without links
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return err
	}
	return syncDir(d.root)
}

// makeShard makes the directory of a blob, where there is none, and sees it on disk. A
// directory that is there may be one that another upload has made this moment, and that a
// crash could still take, with all that is in it.
func (d *Dir) makeShard(name string) error {
	i, err := strconv.ParseUint(name[:2], 16, 8)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.onDisk[i] {
		return nil
	}
	if err := os.Mkdir(filepath.Join(d.root, name[:2]), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(d.root); err != nil {
		return err
	}
	d.onDisk[i] = true
	return nil
}

// Put implements library.Blobs.
func (d *Dir) Put(ctx context.Context, r io.Reader, accept func(io.ReaderAt, int64) error) (library.Blob, error) {
	var b library.Blob
	tmp, err := os.CreateTemp(filepath.Join(d.root, unfinish), "put-")
	if err != nil {
		return b, err
	}
	b, err = receive(ctx, tmp, r, accept)
	if err == nil {
		err = d.makeShard(b.Name)
	}
	if err := d.finish(tmp, d.path(b.Name), err); err != nil {
		return library.Blob{}, err
	}
	return b, nil
}

// finish puts a file in its place and sees both on disk, or removes it where there was
// an error, which comes out as it is.
func (d *Dir) finish(tmp *os.File, path string, err error) error {
	if err == nil {
		err = tmp.Sync()
	}
	if e := tmp.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		os.Remove(tmp.Name())
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there, names are journalled
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d *Dir) path(name string) string {
	if len(name) < 3 || strings.ContainsAny(name, `/\.`) {
		return filepath.Join(d.root, unfinish, "no such name")
	}
	return filepath.Join(d.root, name[:2], name[2:])
}

// Open implements library.Blobs. The reader is an *os.File.
func (d *Dir) Open(_ context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	f, err := os.Open(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, library.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() < offset+length {
		err = &library.ShortError{Blob: name, Have: info.Size(), Want: offset + length}
	}
	if err == nil && offset > 0 {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Remove implements library.Blobs.
func (d *Dir) Remove(_ context.Context, name string) error {
	err := os.Remove(d.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// listed is how many names List gives at least, unless there are no more.
const listed = 1000

// List implements library.Blobs. A piece is whole directories, up to one that cannot be
// read.
func (d *Dir) List(ctx context.Context, after string, before time.Time) (names []string, next string, err error) {
	begun := false
	for i := range shards {
		shard := shard(i)
		if shard < after[:min(len(after), len(shard))] {
			continue
		}
		if len(names) >= listed {
			return names, shard, nil
		}
		err := eachFile(ctx, filepath.Join(d.root, shard), before, func(file string) error {
			if name := shard + file; name > after && isName(name) {
				names = append(names, name)
			}
			return nil
		})
		if errors.Is(err, fs.ErrNotExist) {
			err = nil // no blob has needed it
		}
		if err != nil && begun {
			return names, shard, nil
		}
		if err != nil {
			return nil, "", err
		}
		begun = true
	}
	tmp := filepath.Join(d.root, unfinish)
	err = eachFile(ctx, tmp, before, func(file string) error {
		err := os.Remove(filepath.Join(tmp, file))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return names, "", err
}

// eachFile calls do with the files of a directory that were last written before a time,
// by name.
func eachFile(ctx context.Context, dir string, before time.Time, do func(file string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		info, err := f.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since
		}
		if err == nil && info.ModTime().Before(before) {
			err = do(f.Name())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Ready implements library.Blobs.
func (d *Dir) Ready(context.Context) error {
	_, err := os.Stat(filepath.Join(d.root, marker))
	return err
}
