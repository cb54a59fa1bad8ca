package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// restored makes a store of a backup, which must be sound, and gives the media_ids in it.
func restored(t testing.TB, backup []byte) (ids []string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "restored")
	s, err := newStage(dir)
	must(t, err)
	defer s.remove()
	_, err = s.fill(t.Context(), bytes.NewReader(backup), library.Watch{})
	must(t, err)
	must(t, s.show())
	e := storetest.EmbeddedAt(t, dir)
	a, err := e.Accounts.Account(t.Context(), "wxone")
	must(t, err)
	_, err = e.Materials.Page(t.Context(), a.ID, wechat.Image, 0, 1e6, nil, func(m *library.Material) error {
		ids = append(ids, m.MediaID)
		return nil
	})
	must(t, err)
	return ids
}

func archived(t testing.TB, ls *library.Libraries, dir string, w library.Watch) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := archive(t.Context(), ls, filepath.Join(dir, archiveDB), &out, w)
	must(t, err)
	return out.Bytes()
}

func embeddedOne(t testing.TB) (ls *library.Libraries, l *library.Library, dir string) {
	t.Helper()
	dir = t.TempDir()
	ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, dir), library.Options{})
	must(t, err)
	a, _, err := ls.NewAccount(t.Context(), "wxone", "s1")
	must(t, err)
	return ls, ls.Of(a), dir
}

func uploadPNG(ctx context.Context, l *library.Library, more string) (*library.Material, error) {
	up, err := l.Receive(ctx, library.Permanent, wechat.Image, strings.NewReader(string(fixtures[".png"])+more))
	if err != nil {
		return nil, err
	}
	return l.Add(ctx, up, "a.png", "", "")
}

// What is deleted, and swept, between the snapshot and its turn is in no backup, nor is
// what was added.
func TestBackupOfTheDeleted(t *testing.T) {
	t.Parallel()
	ls, l, dir := embeddedOne(t)
	var ms []*library.Material
	for i := range 40 {
		m, err := uploadPNG(t.Context(), l, fmt.Sprint(i))
		must(t, err)
		ms = append(ms, m)
	}
	gone := slices.Clone(ms)
	slices.SortFunc(gone, func(a, b *library.Material) int { return cmp.Compare(a.MediaID, b.MediaID) })
	gone = gone[30:] // the last to have their turn
	backup := archived(t, ls, dir, library.Watch{Progress: func(done, _ int64) {
		if done != 5 {
			return
		}
		for _, m := range gone {
			must(t, l.Delete(t.Context(), m.MediaID))
			must(t, ls.Blobs.Remove(t.Context(), m.Blob))
		}
		_, err := uploadPNG(t.Context(), l, "late")
		must(t, err)
	}})
	var want []string
	for _, m := range slices.Backward(ms) {
		if !slices.Contains(gone, m) {
			want = append(want, m.MediaID)
		}
	}
	if got := restored(t, backup); !slices.Equal(got, want) {
		t.Errorf("restored %q, want %q", got, want)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	must(t, err)
	if len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// Backups made while clients add and delete, and bytes are swept, are whole, and hold all
// that was acknowledged before they began and not deleted.
func TestBackupWhileWritten(t *testing.T) {
	t.Parallel()
	ls, l, dir := embeddedOne(t)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	steady := map[string]bool{}
	var wg, begun sync.WaitGroup
	for w := range 3 {
		begun.Add(1)
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if i == 10 {
					begun.Done()
				}
				m, err := uploadPNG(ctx, l, fmt.Sprint(w, i))
				if err == nil && i%2 == 0 {
					mu.Lock()
					steady[m.MediaID] = true
					mu.Unlock()
				} else if err == nil {
					if err = l.Delete(ctx, m.MediaID); err == nil {
						err = ls.Blobs.Remove(ctx, m.Blob)
					}
				}
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	begun.Wait()
	for range 3 {
		mu.Lock()
		before := slices.Collect(func(yield func(string) bool) {
			for id := range steady {
				if !yield(id) {
					return
				}
			}
		})
		mu.Unlock()
		ids := restored(t, archived(t, ls, dir, library.Watch{}))
		for _, id := range before {
			if !slices.Contains(ids, id) {
				t.Errorf("%s is not there", id)
			}
		}
	}
	cancel()
	wg.Wait()
}

type entry struct {
	tar.Header
	data []byte
}

func entries(t testing.TB, backup []byte) (list []entry) {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(backup)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return list
		}
		must(t, err)
		data, err := io.ReadAll(r)
		must(t, err)
		list = append(list, entry{*h, data})
	}
}

func packed(t testing.TB, list []entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range list {
		e.Size = int64(len(e.data))
		must(t, w.WriteHeader(&e.Header))
		_, err := w.Write(e.data)
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes()
}

// What is no whole backup is refused in one line, and leaves nothing.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	ls, l, dir := embeddedOne(t)
	for i := range 3 {
		_, err := uploadPNG(t.Context(), l, strings.Repeat(fmt.Sprint(i), 3000))
		must(t, err)
	}
	good := archived(t, ls, dir, library.Watch{})
	whole := entries(t, good)
	const blobAt, dbAt = 1, 4
	if len(whole) != 6 || whole[dbAt].Name != archiveDB {
		t.Fatalf("%d entries", len(whole))
	}
	file := func(name string, data string) entry {
		return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600}, []byte(data)}
	}
	with := func(at int, e entry) []byte { return packed(t, slices.Insert(slices.Clone(whole), at, e)) }
	without := func(at int) []byte { return packed(t, slices.Delete(slices.Clone(whole), at, at+1)) }
	flipped := func(at, offset int) []byte {
		list := slices.Clone(whole)
		list[at].data = bytes.Clone(list[at].data)
		list[at].data[offset] ^= 1
		return packed(t, list)
	}
	typed := func(kind byte, link string) entry {
		e := file("blobs/"+strings.Repeat("a", 2)+"/"+strings.Repeat("a", 62)+"-00000000", "")
		e.Typeflag, e.Linkname = kind, link
		return e
	}
	another, _, anotherDir := embeddedOne(t)
	foreign := entries(t, archived(t, another, anotherDir, library.Watch{}))
	sparse := file(whole[blobAt].Name, "x")
	sparse.PAXRecords = map[string]string{"SUCAI.hole": "1"}
	sparse.Format = tar.FormatPAX
	noDB, sum := strings.Repeat("no database", 1000), sha256.New()
	io.WriteString(sum, noDB)
	cases := map[string]struct {
		backup []byte
		want   string
	}{
		"empty":              {nil, "is empty"},
		"no tar":             {[]byte("hello"), "is no backup of sucai: it is no tar file"},
		"noise":              {bytes.Repeat([]byte("noise"), 1000), "is no backup of sucai"},
		"another tar":        {packed(t, []entry{file("etc/passwd", "root")}), `it holds "etc/passwd"`},
		"up and out":         {with(1, file("blobs/../../evil", "x")), "it holds"},
		"absolute":           {with(1, file("/tmp/evil", "x")), "it holds"},
		"database elsewhere": {with(1, file("../sucai.db", "x")), "it holds"},
		"symlink":            {with(1, typed(tar.TypeSymlink, "/etc/passwd")), "is no plain file"},
		"hard link":          {with(1, typed(tar.TypeLink, "sucai.db")), "is no plain file"},
		"pipe":               {with(1, typed(tar.TypeFifo, "")), "is no plain file"},
		"directory":          {with(1, entry{tar.Header{Typeflag: tar.TypeDir, Name: "blobs/", Mode: 0o700}, nil}), "it holds"},
		"long name":          {with(1, file("blobs/"+strings.Repeat("a", 100_000), "x")), "it holds"},
		"record":             {with(1, sparse), `has a record "SUCAI.hole"`},
		"twice":              {with(2, whole[blobAt]), "twice"},
		"marker twice":       {with(2, whole[0]), "comes first, and once"},
		"large marker":       {packed(t, []entry{file(archiveMarker, strings.Repeat("x", 2000))}), "too large"},
		"no marker":          {without(0), "comes first"},
		"other marker":       {packed(t, append([]entry{foreign[0]}, whole[1:]...)), "belong to another database"},
		"no blob":            {without(blobAt), "is missing; in all, 1 materials have lost their bytes"},
		"blob of nobody":     {with(1, file("blobs/aa/"+strings.Repeat("a", 62)+"-00000000", "x")), "it holds 4 blobs, of which 3 belong to a material"},
		"other blob":         {flipped(blobAt, 1500), "holds other bytes than were stored"},
		"other database":     {flipped(dbAt, len(whole[dbAt].data)/2), "its database is not the one that was written"},
		"no database":        {packed(t, whole[:dbAt]), "the database is missing"},
		"no sum":             {packed(t, whole[:dbAt+1]), "the sum of its database is missing"},
		"more":               {with(6, file("more", "x")), "something comes behind the database"},
		"no SQLite":          {packed(t, slices.Concat(whole[:dbAt], []entry{file(archiveDB, noDB), file(archiveSum, sumLine(sum))})), "is no SQLite database"},
	}
	for i := range 10 {
		at := len(good) * i / 10
		if i > 0 {
			cases[fmt.Sprintf("cut at %d", at)] = struct {
				backup []byte
				want   string
			}{good[:at], "backup.tar "}
		}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			run := program{os.Environ(), t.TempDir()}
			must(t, os.WriteFile(filepath.Join(run.dir, "backup.tar"), c.backup, 0o600))
			for _, target := range []string{"new", "there"} {
				if target == "there" {
					must(t, os.Mkdir(filepath.Join(run.dir, target), 0o700))
				}
				out, errs, err := run.run(t, "restore", "backup.tar", "--data", target)
				if err == nil || out != "" || !strings.HasPrefix(errs, "sucai: backup.tar ") || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, c.want) || strings.Contains(errs, "restore-") {
					t.Errorf("%v\n%s%swant %s", err, out, errs, c.want)
				}
			}
			left, err := filepath.Glob(filepath.Join(run.dir, "*"))
			must(t, err)
			hidden, err := filepath.Glob(filepath.Join(run.dir, ".[^.]*"))
			must(t, err)
			inside, err := os.ReadDir(filepath.Join(run.dir, "there"))
			must(t, err)
			if len(left) != 2 || len(hidden)+len(inside) != 0 {
				t.Errorf("left: %q %q %v", left, hidden, inside)
			}
		})
	}
	restored(t, good)
}
