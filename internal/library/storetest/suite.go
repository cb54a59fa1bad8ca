package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"sucai/internal/library"
	"sucai/wechat"
)

// Run checks an engine against the contract.
func Run(t *testing.T, open func(t testing.TB) library.Engines) {
	for name, check := range map[string]func(t *testing.T, s *store){
		"material: inserted, read, deleted":         insertReadDelete,
		"material: accounts never see each other":   accountsApart,
		"material: caps":                            caps,
		"material: unique ids and keys":             uniqueNames,
		"material: unlisted":                        unlisted,
		"material: pages":                           pages,
		"material: pages against a model":           pagesAgainstModel,
		"material: pages of sparse lists":           pagesOfSparseLists,
		"material: a page is one snapshot":          oneSnapshot,
		"material: a page waits for room before":    roomBeforeSnapshot,
		"material: updates compare versions":        updates,
		"material: large articles are left out":     largeArticles,
		"material: names that cannot be":            impossibleNames,
		"material: import":                          imports,
		"material: expired and removed":             expiredAndRemoved,
		"material: unreferenced blobs":              unreferenced,
		"material: many at once":                    manyAtOnce,
		"material: removed while others add":        removedUnderUs,
		"material: rows in the order of media_ids":  allRows,
		"material: counts add up":                   countsAddUp,
		"account: a copy takes over the identity":   adopts,
		"account: no copy of what holds something":  adoptsNothing,
		"moving: no copy of what had blobs":         adoptsClaimed,
		"account: grants are listed and taken in":   listsGrants,
		"account: created, read, changed, removed":  accounts,
		"account: changes exclude each other":       changesExclude,
		"account: a failed change leaves nothing":   failedChange,
		"account: grants":                           grants,
		"account: identity":                         identity,
		"account: the store's clock":                clock,
		"account: calls are counted":                countsCalls,
		"cloud: created, read, rotated, removed":    cloudEnvs,
		"cloud: removed with accounts":              cloudEnvsOfRemoved,
		"cloud: trouble is no absence":              cloudTrouble,
		"component: created, changed, removed":      components,
		"component: a failed change leaves nothing": failedComponentChange,
		"component: grants":                         componentGrants,
		"component: codes are good once":            codes,
		"component: authorisations":                 authorizations,
		"component: pages of authorisations":        pagesOfAuthorizations,
		"component: accounts removed meanwhile":     authorizedUnderUs,
		"cloud: accounts removed meanwhile":         cloudEnvsUnderUs,
		"component: tickets fall due":               ticketsDue,
		"component: a message is one taker's":       pushes,
		"component: messages are dropped":           droppedPushes,
		"component: a code goes with what it is of": codesOfAuthorizations,
		"blob: put, open, remove":                   putOpenRemove,
		"blob: errors come out and nothing is left": putFails,
		"blob: claimed by one store":                claim,
		"blob: listed by age, in pieces":            listBlobs,
		"sweep: one taker at a time":                sweepTurns,
		"all: a cancelled call is no absence":       cancelled,
		"all: ready":                                ready,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // each has a store of its own
			check(t, opened(t, open))
		})
	}
}

func opened(t *testing.T, open func(t testing.TB) library.Engines) *store {
	s := &store{Engines: open(t), ctx: context.Background()}
	id, err := s.Accounts.Store(s.ctx)
	s.must(t, err)
	s.must(t, s.Blobs.Claim(s.ctx, id.Place, true))
	return s
}

type store struct {
	library.Engines
	ctx context.Context
	n   int
}

func (s *store) must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if err != want { // exactly: callers compare
		t.Fatalf("error %v, want %v", err, want)
	}
}

func (s *store) account(t testing.TB, appID string) *library.Account {
	t.Helper()
	s.n++
	a := &library.Account{AppID: appID, Uin: 3e9 + int64(s.n), Salt: []byte("salt"), Hash: []byte("hash"), Created: 1}
	s.must(t, s.Accounts.CreateAccount(s.ctx, a))
	if a.ID == 0 {
		t.Fatal("no ID was set")
	}
	return a
}

func material(a *library.Account, id string, t wechat.Type) *library.Material {
	m := &library.Material{
		Account: a.ID, MediaID: id, Type: t, Name: id + ".name", Introduction: "介绍 " + id, Key: fmt.Sprintf("key-%d-%s", a.ID, id),
		Blob: "blob-" + id, Size: 7, Format: "png", Width: 3, Height: 4, Created: 100, Updated: 200, Version: 5,
	}
	if t == wechat.News {
		m.Blob, m.Format = "", ""
		m.Articles, m.ArticlesFormat = wechat.Articles("[\"\x01/x\\u0000\"]"), wechat.ArticlesFormat
		m.Size = int64(len(m.Articles))
	}
	return m
}

const noCap = math.MaxInt64

func (s *store) insert(t testing.TB, a *library.Account, typ wechat.Type, ids ...string) {
	t.Helper()
	for _, id := range ids {
		s.must(t, s.Materials.Insert(s.ctx, material(a, id, typ), noCap))
	}
}

func (s *store) page(t testing.TB, a *library.Account, typ wechat.Type, offset, count int64) (ids []string, total int64) {
	t.Helper()
	total, err := s.Materials.Page(s.ctx, a.ID, typ, offset, count, nil, func(m *library.Material) error {
		ids = append(ids, m.MediaID)
		return nil
	})
	s.must(t, err)
	return ids, total
}

func (s *store) wantPage(t testing.TB, a *library.Account, typ wechat.Type, offset, count int64, total int64, ids ...string) {
	t.Helper()
	got, n := s.page(t, a, typ, offset, count)
	if !slices.Equal(got, ids) || n != total {
		t.Fatalf("page at %d: %v of %d, want %v of %d", offset, got, n, ids, total)
	}
}

func same(t testing.TB, got, want *library.Material) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", *want); g != w {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
}
func cancelled(t *testing.T, s *store) {
	a := s.account(t, "a")
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := s.Materials.Material(ctx, a.ID, "none", noCap)
	_, err2 := s.Accounts.Grant(ctx, [32]byte{})
	_, err3 := s.Accounts.Account(ctx, "none")
	err4 := s.Materials.Insert(ctx, material(a, "x", wechat.Image), noCap)
	for i, err := range []error{err, err2, err3, err4} {
		if err == nil || errors.Is(err, library.ErrNotFound) {
			t.Errorf("%d: trouble came out as %v", i, err)
		}
	}
	s.wantPage(t, a, wechat.Image, 0, 20, 0)
}

func ready(t *testing.T, s *store) {
	s.must(t, s.Materials.Ready(s.ctx))
	s.must(t, s.Blobs.Ready(s.ctx))
}
