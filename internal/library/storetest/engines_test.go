package storetest

import (
	"testing"

	"go.uber.org/goleak"
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
