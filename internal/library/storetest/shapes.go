package storetest

import (
	"flag"
	"fmt"
	"sync/atomic"
	"testing"
)

// Chosen are the Engines that tests run on: all, and under -short the embedded one alone,
// which needs nothing that may be missing.
func Chosen() []Engine {
	if testing.Short() {
		return Engines[:1]
	}
	return Engines
}

// Each runs a test on every shape of Chosen at the same time.
func Each(t *testing.T, run func(t *testing.T, e Engine)) {
	for _, e := range Chosen() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			run(t, e)
		})
	}
}

// Shapes runs all tests of a package once on every shape: they open that of Shape. It
// takes the place of the *testing.M in a TestMain. Unless Thorough, and for benchmarks and
// fuzzing, there is the embedded shape alone.
type Shapes struct{ M *testing.M }

var shape atomic.Int32

// Shape is the shape on which the tests run now.
func Shape() Engine { return Engines[shape.Load()] }

// Run gives the exit status.
func (s Shapes) Run() (code int) {
	flag.Parse()
	for i, e := range Engines {
		if i > 0 && (!Thorough() || isSet("test.bench") || isSet("test.fuzz") || isSet("test.list")) {
			break
		}
		shape.Store(int32(i))
		if testing.Verbose() {
			fmt.Println("on the shape", e.Name)
		}
		if c := s.M.Run(); c != 0 {
			fmt.Println("FAIL on the shape", e.Name)
			code = c
		}
	}
	return code
}

func isSet(name string) bool { return flag.Lookup(name).Value.String() != "" }
