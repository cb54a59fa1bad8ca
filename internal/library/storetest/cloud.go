package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"sucai/internal/library"
)

func cloudEnv(id, owner string, allow ...string) *library.CloudEnv {
	return &library.CloudEnv{
		ID: id, SecretID: "id of " + id, SecretKey: "key of " + id, Ticket: "ticket of " + id, Owner: owner,
		Allow: append([]string{}, allow...), Methods: []string{"b.method", "a.method"}, Created: 77,
	}
}

// shown is all of an environment, what its String leaves out included.
func shown(e *library.CloudEnv) string {
	type all library.CloudEnv
	return fmt.Sprintf("%+v", all(*e))
}

func (s *store) wantCloudEnv(t *testing.T, want *library.CloudEnv) {
	t.Helper()
	byID, err := s.Accounts.CloudEnv(s.ctx, want.ID)
	s.must(t, err)
	bySecret, err := s.Accounts.CloudEnvBySecretID(s.ctx, want.SecretID)
	s.must(t, err)
	for _, got := range []*library.CloudEnv{byID, bySecret} {
		if shown(got) != shown(want) {
			t.Fatalf("got  %s\nwant %s", shown(got), shown(want))
		}
	}
}

func (s *store) wantCloudEnvs(t *testing.T, ids ...string) {
	t.Helper()
	list, err := s.Accounts.CloudEnvList(s.ctx)
	s.must(t, err)
	var got []string
	for _, e := range list {
		got = append(got, e.ID)
	}
	if fmt.Sprint(got) != fmt.Sprint(ids) {
		t.Fatalf("listed %v, want %v", got, ids)
	}
}

func cloudEnvs(t *testing.T, s *store) {
	for _, appID := range []string{"owner", "b", "a"} {
		s.account(t, appID)
	}
	s.wantCloudEnvs(t)
	two, one := cloudEnv("two", "a"), cloudEnv("one", "owner", "a", "b")
	s.must(t, s.Accounts.CreateCloudEnv(s.ctx, two))
	s.must(t, s.Accounts.CreateCloudEnv(s.ctx, one))
	s.wantCloudEnv(t, one)
	s.wantCloudEnv(t, two)
	s.wantCloudEnvs(t, "one", "two")

	wantErr(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("one", "owner")), library.ErrExists)
	taken := cloudEnv("three", "owner", "a")
	taken.SecretID = one.SecretID
	wantErr(t, s.Accounts.CreateCloudEnv(s.ctx, taken), library.ErrExists)
	wantErr(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("three", "nobody")), library.ErrNotFound)
	wantErr(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("three", "owner", "a", "nobody")), library.ErrNotFound)
	s.wantCloudEnvs(t, "one", "two")

	old := one.SecretID
	one.SecretID, one.SecretKey, one.Ticket = "new id", "new key", "new ticket"
	s.must(t, s.Accounts.SetCloudKeys(s.ctx, one))
	s.wantCloudEnv(t, one)
	_, err := s.Accounts.CloudEnvBySecretID(s.ctx, old)
	wantErr(t, err, library.ErrNotFound)
	taken = cloudEnv("one", "owner")
	taken.SecretID = two.SecretID
	wantErr(t, s.Accounts.SetCloudKeys(s.ctx, taken), library.ErrExists)
	wantErr(t, s.Accounts.SetCloudKeys(s.ctx, cloudEnv("none", "owner")), library.ErrNotFound)
	s.wantCloudEnv(t, one)

	s.must(t, s.Accounts.RemoveCloudEnv(s.ctx, "one"))
	wantErr(t, s.Accounts.RemoveCloudEnv(s.ctx, "one"), library.ErrNotFound)
	_, err = s.Accounts.CloudEnv(s.ctx, "one")
	wantErr(t, err, library.ErrNotFound)
	_, err = s.Accounts.CloudEnvBySecretID(s.ctx, "new id")
	wantErr(t, err, library.ErrNotFound)
	again := cloudEnv("one", "owner") // nothing of the removed one is left
	s.must(t, s.Accounts.CreateCloudEnv(s.ctx, again))
	s.wantCloudEnv(t, again)
	s.wantCloudEnv(t, two)
}

func cloudEnvsOfRemoved(t *testing.T, s *store) {
	for _, appID := range []string{"owner", "other"} {
		s.account(t, appID)
	}
	s.must(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("owned", "other", "owner")))
	s.must(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("allowing", "owner", "other")))
	s.must(t, s.Accounts.RemoveAccount(s.ctx, "other"))
	for range 2 { // and when its appid comes back
		_, err := s.Accounts.CloudEnvBySecretID(s.ctx, "id of owned")
		wantErr(t, err, library.ErrNotFound)
		s.wantCloudEnv(t, cloudEnv("allowing", "owner"))
		s.wantCloudEnvs(t, "allowing")
		if _, err := s.Accounts.Account(s.ctx, "other"); err != nil {
			s.account(t, "other")
		}
	}
	s.must(t, s.Accounts.CreateCloudEnv(s.ctx, cloudEnv("owned", "other")))
	s.wantCloudEnv(t, cloudEnv("owned", "other"))
}

func cloudTrouble(t *testing.T, s *store) {
	s.account(t, "owner")
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	_, err := s.Accounts.CloudEnv(ctx, "none")
	_, err2 := s.Accounts.CloudEnvBySecretID(ctx, "none")
	_, err3 := s.Accounts.CloudEnvList(ctx)
	for i, err := range []error{
		err, err2, err3, s.Accounts.CreateCloudEnv(ctx, cloudEnv("e", "nobody")),
		s.Accounts.SetCloudKeys(ctx, cloudEnv("e", "owner")), s.Accounts.RemoveCloudEnv(ctx, "e"),
	} {
		if err == nil || errors.Is(err, library.ErrNotFound) {
			t.Errorf("%d: trouble came out as %v", i, err)
		}
	}
}

// An environment is made while an account that it names goes: it is refused, or goes with
// its owner, and never names what is not there.
func cloudEnvsUnderUs(t *testing.T, s *store) {
	s.account(t, "stays")
	for round := range 8 {
		for _, owner := range []string{"goes", "stays"} {
			s.account(t, "goes")
			e := cloudEnv(fmt.Sprint(owner, round), owner, "goes")
			if owner == "goes" {
				e.Allow = []string{"stays"}
			}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := s.Accounts.CreateCloudEnv(s.ctx, e); err != nil && err != library.ErrNotFound {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := s.Accounts.RemoveAccount(s.ctx, "goes"); err != nil {
					t.Error(err)
				}
			})
			wg.Wait()
			list, err := s.Accounts.CloudEnvList(s.ctx)
			s.must(t, err)
			for _, e := range list {
				if e.Owner != "stays" || len(e.Allow) > 0 {
					t.Fatalf("round %d: left: %s", round, shown(e))
				}
			}
		}
	}
}
