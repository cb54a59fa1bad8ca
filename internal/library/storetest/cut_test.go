package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sucai/internal/library"
	"sucai/wechat"
)

// cutDown cuts answers off after so many bytes.
func cutDown(after int64) func(down bool) int64 {
	return func(down bool) int64 {
		if down {
			return after
		}
		return -1
	}
}

// An answer of the database that is cut off anywhere is trouble, or is asked for again:
// it never looks like absence, nor like less than there is.
func TestAnswersCutAnywhere(t *testing.T) {
	t.Parallel()
	e, toDB, _ := behindProxies(t)
	s := &store{Engines: e, ctx: t.Context()}
	a := s.account(t, "wx1")
	hash := [32]byte{1}
	s.must(t, e.Accounts.ChangeAccount(s.ctx, a.AppID, func(_ *library.Account, g library.Grants) error {
		return g.Add(&library.Grant{Hash: hash, Kind: library.PlainGrant, Expires: 1, Ends: 1})
	}))
	for i := range 40 {
		s.insert(t, a, wechat.Image, fmt.Sprint(i))
	}
	last := material(a, "39", wechat.Image)
	reads := map[string]func() (any, error){
		"Material": func() (any, error) { return e.Materials.Material(s.ctx, a.ID, last.MediaID, 0) },
		"ByKey":    func() (any, error) { return e.Materials.ByKey(s.ctx, last.Key) },
		"Grant":    func() (any, error) { return e.Accounts.Grant(s.ctx, hash) },
		"Account":  func() (any, error) { return e.Accounts.Account(s.ctx, a.AppID) },
		"Counts":   func() (any, error) { return e.Materials.Counts(s.ctx, a.ID) },
		"List":     func() (any, error) { return e.Accounts.AccountList(s.ctx) },
		"Page": func() (any, error) {
			var ids []string
			total, err := e.Materials.Page(s.ctx, a.ID, wechat.Image, 5, 30, nil, func(m *library.Material) error {
				ids = append(ids, m.MediaID)
				return nil
			})
			return fmt.Sprint(total, ids), err
		},
		"Unreferenced": func() (any, error) { return e.Materials.Unreferenced(s.ctx, []string{last.Blob, aBlob}) },
	}
	want := map[string]any{}
	for name, read := range reads {
		value, err := read()
		s.must(t, err)
		want[name] = value
	}
	var right, trouble atomic.Int32
	step := int64(15)
	if Thorough() {
		step = 5
	}
	for after := int64(0); after < 6000; after += step + after/20 {
		toDB.Set(Fault{Budget: cutDown(after)})
		var all sync.WaitGroup
		for name, read := range reads {
			all.Go(func() {
				got, err := read()
				switch {
				case errors.Is(err, library.ErrNotFound):
					t.Errorf("%s, cut after %d: %v", name, after, err)
				case err != nil:
					trouble.Add(1)
				case cmp.Diff(want[name], got) != "":
					t.Errorf("%s, cut after %d: %s", name, after, cmp.Diff(want[name], got))
				default:
					right.Add(1)
				}
			})
		}
		all.Wait()
	}
	if right.Load() < 100 || trouble.Load() < 100 {
		t.Errorf("%d answers were right and %d trouble: nothing was tested", right.Load(), trouble.Load())
	}
}

// A blob that is cut off anywhere, on its way in or out, is whole or trouble.
func TestBlobsCutAnywhere(t *testing.T) {
	t.Parallel()
	e, _, toS3 := behindProxies(t)
	const size = 200_000
	content := bytes.Repeat([]byte("0123456789"), size/10)
	anything := func(io.ReaderAt, int64) error { return nil }
	b, err := e.Blobs.Put(t.Context(), bytes.NewReader(content), anything)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) error {
		r, err := e.Blobs.Open(t.Context(), name, 0, size)
		if err != nil {
			return err
		}
		defer r.Close()
		got, err := io.ReadAll(io.LimitReader(r, size))
		if err == nil && !bytes.Equal(got, content) {
			t.Errorf("%d bytes, and no error", len(got))
		}
		return err
	}
	var after atomic.Int64
	toS3.Set(Fault{Budget: func(bool) int64 { // in the heads, in the bodies, at their ends, or never
		n := after.Add(1)
		return n*37%1500 + n%5*size/3
	}})
	var right, trouble atomic.Int32
	var mu sync.Mutex
	kept := []string{b.Name}
	var all sync.WaitGroup
	for i := range 80 {
		all.Go(func() {
			var err error
			if i%2 == 0 {
				err = read(b.Name)
			} else if put, e := e.Blobs.Put(t.Context(), bytes.NewReader(content), anything); e != nil {
				err = e
			} else {
				mu.Lock()
				kept = append(kept, put.Name)
				mu.Unlock()
			}
			if errors.Is(err, library.ErrNotFound) {
				t.Error(err)
			}
			if err == nil {
				right.Add(1)
			} else {
				trouble.Add(1)
			}
		})
	}
	all.Wait()
	if right.Load() == 0 || trouble.Load() == 0 {
		t.Errorf("%d calls were right and %d trouble: nothing was tested", right.Load(), trouble.Load())
	}
	toS3.Set(Fault{})
	for _, name := range kept {
		if err := read(name); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	}
}

// Idle connections to S3 that lead nowhere any more cost the calls that meet them first,
// and no other: the rest of them are let go of then.
func TestForgottenByS3(t *testing.T) {
	t.Parallel()
	e, _, toS3 := behindProxies(t)
	b, err := e.Blobs.Put(t.Context(), strings.NewReader("hello"), func(io.ReaderAt, int64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	const many = 10
	read := func(meanwhile func()) error {
		r, err := e.Blobs.Open(t.Context(), b.Name, 0, 5)
		meanwhile()
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = io.ReadAll(r)
		return err
	}
	var all, open sync.WaitGroup
	open.Add(many)
	for range many { // so many connections at once, which are idle then
		all.Go(func() {
			if err := read(func() { open.Done(); open.Wait() }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	toS3.Forget()
	failed := 0
	for range many {
		if read(func() {}) != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d calls of %d failed, one after the other", failed, many)
	}
}
