package storetest

import (
	"errors"
	"flag"
	"os"
	"testing"
)

// Thorough tells whether tests shall take the rounds, turns and sizes that find what is
// rare, for minutes: where SUCAI_TEST_THOROUGH is set, as .ci/test does, or CI, and never
// under -short. Else they do the same in a shorter form.
func Thorough() bool {
	return !testing.Short() && (os.Getenv("SUCAI_TEST_THOROUGH") != "" || os.Getenv("CI") != "")
}

// Missing ends a test that lacks a program, for which there is a reason: it is skipped, but
// fails where CI is set.
func Missing(t testing.TB, reason any) {
	t.Helper()
	if os.Getenv("CI") == "" {
		t.Skip(reason)
	}
	t.Fatal(reason)
}

// alone gives an error where SUCAI_TEST_ALONE is set: then the tests are to do as on a
// machine that has Go and no server to test with.
func alone() error {
	if os.Getenv("SUCAI_TEST_ALONE") != "" {
		return errors.New("SUCAI_TEST_ALONE is set")
	}
	return nil
}

// Waiting is the *testing.M of a package whose parallel tests wait more than they work: on
// two processors, too, six of them run at once, unless -parallel says otherwise.
type Waiting struct{ M *testing.M }

// Run gives the exit status.
func (w Waiting) Run() int {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", "6"); err != nil {
			panic(err)
		}
	}
	return w.M.Run()
}
