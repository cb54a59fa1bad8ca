package storetest

import (
	"testing"

	"go.uber.org/goleak"

	"sucai/internal/library"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(Waiting{m}) }

func TestEngines(t *testing.T) {
	Each(t, func(t *testing.T, e Engine) { Run(t, e.Open) })
}

// The parts of the other shapes are those of the ones above; that they work together is
// all that is left.
func TestMixtures(t *testing.T) {
	for _, e := range Mixtures {
		t.Run(e.Name, func(t *testing.T) {
			s := opened(t, e.Open)
			insertReadDelete(t, s)
			putOpenRemove(t, s)
		})
	}
}

// Only the copy that began last may change a store, and none once a server has opened it.
func TestAdoptedByAnother(t *testing.T) {
	address, dir := Postgres(t), t.TempDir()
	first, second := PostgresAt(t, address, dir).Accounts, PostgresAt(t, address, dir).Accounts
	add := func(as library.Accounts, appID string, uin int64) error {
		return as.CreateAccount(t.Context(), &library.Account{AppID: appID, Uin: uin, Salt: []byte{1}, Hash: []byte{1}})
	}
	taken := func(err error) {
		t.Helper()
		if err == nil || contract(err) {
			t.Fatalf("a copy whose place is taken gets %v", err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	of := &library.Store{ID: "one", RootKey: make([]byte, 32)}
	must(first.Adopt(t.Context(), of))
	must(add(first, "a", 1))
	must(second.Adopt(t.Context(), of))
	taken(add(first, "b", 2))
	taken(first.FinishCopy(t.Context()))
	must(add(second, "b", 2))
	must(second.FinishCopy(t.Context()))
	taken(first.DropGrants(t.Context()))
	server := PostgresAt(t, address, dir).Accounts
	taken(add(second, "c", 3))
	must(add(server, "c", 3))
}
