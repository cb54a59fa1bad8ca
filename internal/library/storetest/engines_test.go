package storetest

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEngines(t *testing.T) {
	Each(t, func(t *testing.T, e Engine) { Run(t, e.Open) })
}

func TestMixtures(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	for _, e := range Mixtures {
		t.Run(e.Name, func(t *testing.T) { Run(t, e.Open) })
	}
}
