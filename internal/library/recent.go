package library

import (
	"sync"
	"time"
)

// recent remembers what was read for recentAge, counted from before the read, so that a
// change of another process is seen within that time and one of this process at once.
// That something was not there is not remembered. The zero value is ready.
type recent[K comparable, V any] struct {
	mu    sync.RWMutex
	known map[K]seen[V]
	drops int
	tally tally
}

type seen[V any] struct {
	value *V
	read  time.Time
}

// sight is when and on which state of the memory a read began.
type sight struct {
	at    time.Time
	drops int
}

const (
	recentAge = time.Second
	recentMax = 10_000 // of callers, about 10 MB
)

// get gives what is remembered, or nil and what put wants to know afterwards.
func (c *recent[K, V]) get(key K) (*V, sight) {
	now := time.Now()
	c.mu.RLock()
	defer c.mu.RUnlock()
	e, ok := c.known[key]
	ok = ok && now.Sub(e.read) < recentAge
	c.tally.count(ok)
	if ok {
		return e.value, sight{}
	}
	return nil, sight{now, c.drops}
}

// put remembers what was read, unless something changed since the read began.
func (c *recent[K, V]) put(key K, value *V, s sight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.drops != c.drops {
		return
	}
	if c.known == nil || len(c.known) >= recentMax {
		c.known = map[K]seen[V]{}
	}
	c.known[key] = seen[V]{value, s.at}
}

// drop forgets everything.
func (c *recent[K, V]) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = nil
	c.drops++
}
