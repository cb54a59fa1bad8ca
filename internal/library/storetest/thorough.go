package storetest

import (
	"os"
	"testing"
)

// Thorough tells whether tests shall take the rounds, turns and sizes that find what is
// rare, for minutes: where SUCAI_TEST_THOROUGH is set, as .ci/test does, or CI, and never
// under -short. Else they do the same in a shorter form.
func Thorough() bool {
	return !testing.Short() && (os.Getenv("SUCAI_TEST_THOROUGH") != "" || os.Getenv("CI") != "")
}
