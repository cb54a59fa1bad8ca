package main

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// history is what clients did to the images of one account, and what came of it. Each
// upload has a file name and bytes of its own, by which its row is known in a list even
// where its media_id was never told.
type history struct {
	mu    sync.Mutex
	begun time.Time
	ops   map[string][]porcupine.Operation // by name
	names map[string]string                // by media_id
	sums  map[string][32]byte              // by name; of what was sent
	alive map[string]bool                  // media_ids of which no deletion was begun
}

// deed is what a client did to an image.
type deed string

const (
	put deed = "put"
	del deed = "delete"
	see deed = "see" // get, or look for it in a list
)

// result is what came of a deed.
type result string

const (
	done    result = "done" // of see: it was there
	absent  result = "absent"
	unknown result = "unknown" // it may happen, at any time from its begin on
)

func newHistory() *history {
	return &history{
		begun: time.Now(), ops: map[string][]porcupine.Operation{},
		names: map[string]string{}, sums: map[string][32]byte{}, alive: map[string]bool{},
	}
}

// now is a time in the history.
func (h *history) now() int64 { return int64(time.Since(h.begun)) }

// note writes down a deed that began at a time and has ended now.
func (h *history) note(client int, name string, d deed, began int64, r result) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.add(client, name, d, began, h.now(), r)
}

func (h *history) add(client int, name string, d deed, began, ended int64, r result) {
	if r == unknown {
		ended = math.MaxInt64
	}
	h.ops[name] = append(h.ops[name], porcupine.Operation{ClientId: client, Input: d, Call: began, Output: r, Return: ended})
}

// will notes what is about to be sent under a name.
func (h *history) will(name string, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sums[name] = sha256.Sum256(data)
}

// is tells whether bytes are those that were sent under a name.
func (h *history) is(name string, sum [32]byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sums[name] == sum
}

// learn ties a media_id to the name under which it was uploaded, and gives false where
// that has another one: a row that nobody was told of.
func (h *history) learn(mediaID, name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.names[mediaID]; ok {
		return known == name
	}
	for _, other := range h.names {
		if other == name {
			return false
		}
	}
	h.names[mediaID], h.alive[mediaID] = name, true
	return true
}

// pick gives a media_id, mostly one that should be there, and how many of those there are.
func (h *history) pick(random *rand.Rand) (mediaID, name string, alive int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := slices.Collect(maps.Keys(h.alive))
	if len(ids) == 0 || random.IntN(5) == 0 {
		ids = slices.Collect(maps.Keys(h.names))
	}
	if len(ids) > 0 {
		mediaID = ids[random.IntN(len(ids))]
	}
	return mediaID, h.names[mediaID], len(h.alive)
}

// condemn says that somebody is about to delete one.
func (h *history) condemn(mediaID string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.alive, mediaID)
}

// listed notes a list that began at a time: the names on it were there, and where it was
// whole, the others that should be were not.
func (h *history) listed(client int, began int64, names []string, whole bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ended := h.now()
	for _, name := range names {
		h.add(client, name, see, began, ended, done)
	}
	if !whole {
		return
	}
	for mediaID := range h.alive {
		if name := h.names[mediaID]; !slices.Contains(names, name) {
			h.add(client, name, see, began, ended, absent)
		}
	}
}

// unsure gives how many uploads were not acknowledged, and how many of them were kept.
func (h *history) unsure() (all, kept int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows := slices.Collect(maps.Values(h.names))
	for name, ops := range h.ops {
		if slices.ContainsFunc(ops, func(op porcupine.Operation) bool { return op.Input == put && op.Output == unknown }) {
			all++
			if slices.Contains(rows, name) {
				kept++
			}
		}
	}
	return all, kept
}

// images is the model of one upload: it was not made yet, is there, or was deleted.
var images = porcupine.Model{
	Init: func() any { return "not yet" },
	Step: func(state, input, output any) (bool, any) {
		there := state == "there"
		switch {
		case input == put:
			return state == "not yet", "there"
		case output == absent:
			return !there, state
		case input == del && there:
			return true, "deleted"
		case output == unknown:
			return true, state
		}
		return there, state
	},
}

// check gives what cannot have been, one line for each image, "" where all is
// linearizable.
func (h *history) check() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out strings.Builder
	for name, ops := range h.ops {
		if verdict := porcupine.CheckOperationsTimeout(images, ops, time.Minute); verdict != porcupine.Ok {
			fmt.Fprintf(&out, "%s is %s:", name, verdict)
			slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
			for _, op := range ops {
				fmt.Fprintf(&out, " %s-%s client %d %s %s;", time.Duration(op.Call), time.Duration(op.Return), op.ClientId, op.Input, op.Output)
			}
			out.WriteString("\n")
		}
	}
	return out.String()
}

// The check refuses what cannot have been, and nothing else.
func TestHistory(t *testing.T) {
	type op struct {
		deed         deed
		began, ended int64
		result       result
	}
	for what, c := range map[string]struct {
		ops  []op
		want bool
	}{
		"in turn":                      {[]op{{put, 1, 2, done}, {see, 3, 4, done}, {del, 5, 6, done}, {see, 7, 8, absent}, {del, 9, 10, absent}}, true},
		"seen before it is told":       {[]op{{put, 1, 9, done}, {see, 2, 3, absent}, {see, 4, 5, done}}, true},
		"seen during the deletion":     {[]op{{put, 1, 2, done}, {del, 3, 9, done}, {see, 4, 5, done}, {see, 6, 7, absent}}, true},
		"lost":                         {[]op{{put, 1, 2, done}, {see, 3, 4, absent}}, false},
		"seen before it was sent":      {[]op{{see, 1, 2, done}, {put, 3, 4, done}}, false},
		"seen, gone, seen":             {[]op{{put, 1, 9, done}, {see, 2, 3, done}, {see, 4, 5, absent}, {see, 6, 7, done}}, false},
		"back after a deletion":        {[]op{{put, 1, 2, done}, {del, 3, 4, done}, {see, 5, 6, done}}, false},
		"deleted twice":                {[]op{{put, 1, 2, done}, {del, 3, 6, done}, {del, 4, 7, done}}, false},
		"not deleted, though it is":    {[]op{{put, 1, 2, done}, {del, 3, 4, absent}}, false},
		"not sure, and never":          {[]op{{put, 1, 2, unknown}, {see, 3, 4, absent}, {see, 5, 6, absent}}, true},
		"not sure, and late":           {[]op{{put, 1, 2, unknown}, {see, 3, 4, absent}, {see, 5, 6, done}}, true},
		"not sure, and gone again":     {[]op{{put, 1, 2, unknown}, {see, 3, 4, done}, {see, 5, 6, absent}}, false},
		"deletion not sure, and late":  {[]op{{put, 1, 2, done}, {del, 3, 4, unknown}, {see, 5, 6, done}, {see, 7, 8, absent}}, true},
		"deletion not sure, and back":  {[]op{{put, 1, 2, done}, {del, 3, 4, unknown}, {see, 5, 6, absent}, {see, 7, 8, done}}, false},
		"sent twice":                   {[]op{{put, 1, 2, done}, {put, 3, 4, done}}, false},
		"back after an unsure put too": {[]op{{put, 1, 9, done}, {see, 2, 3, done}, {del, 4, 5, done}, {see, 10, 11, done}}, false},
	} {
		h := newHistory()
		for i, o := range c.ops {
			h.add(i, "x", o.deed, o.began, o.ended, o.result)
		}
		if got := h.check(); (got == "") != c.want {
			t.Errorf("%s: %q", what, got)
		}
	}
	h := newHistory()
	for i, l := range []struct {
		id, name string
		want     bool
	}{{"id", "name", true}, {"id", "name", true}, {"other id", "name", false}, {"id", "other name", false}} {
		if h.learn(l.id, l.name) != l.want {
			t.Errorf("%d: one upload has two rows, and nobody noticed", i)
		}
	}
}
