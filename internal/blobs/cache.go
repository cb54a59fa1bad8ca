package blobs

import (
	"container/list"
	"sync"
)

// hotBlobs are small blobs in memory that are read again and again. A blob never changes
// and its name is never used again, so what is here is never out of date.
//
// All together have a bound, whoever still reads them: those that are read are not let
// go, and where that leaves no room a blob comes from the store as if this did not exist.
// A blob comes in at its second use, and in the place of others only when it was used
// more often than they: so nobody who walks through a library drives out what is hot.
type hotBlobs struct {
	most int64

	mu    sync.Mutex
	bytes int64
	known map[string]*hotBlob // those that come, and those that are there
	order list.List           // those that are there, the last used first
	uses  map[string]uint8    // of late, counted up to maxUses; or notHot
	since int                 // uses since they were last halved
	CacheFigures
}

// CacheFigures tell how the cache of a store does, since it was opened.
type CacheFigures struct {
	Hits, Misses int64 // of reads that could have been hits
	Bytes        int64 // in memory now
}

const (
	hotSize  = 1 << 20 // bytes of the largest blob that is kept
	hotCost  = 512     // bytes of one beside its own
	usesKept = 10_000  // after so many, old ones count half
	maxUses  = 15
	notHot   = 0xff // a blob of which only the begin is read
)

// Cache keeps up to so many bytes of small blobs in memory that are read often; 0 for
// none. It is to be called before anything else, or not at all.
func (s *S3) Cache(most int64) {
	if s.hot = nil; most == 0 {
		return
	}
	s.hot = &hotBlobs{most: most, known: map[string]*hotBlob{}, uses: map[string]uint8{}}
}

// CacheFigures gives what there is to tell of the cache; all 0 without one.
func (s *S3) CacheFigures() CacheFigures {
	if s.hot == nil {
		return CacheFigures{}
	}
	s.hot.mu.Lock()
	defer s.hot.mu.Unlock()
	f := s.hot.CacheFigures
	f.Bytes = s.hot.bytes
	return f
}

// take gives a blob to a reader, who releases it; one that isNew is to be filled. It is
// nil where the blob is to be read from the store.
func (h *hotBlobs) take(name string, offset, length int64) (b *hotBlob, isNew bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	b = h.known[name]
	if b == nil && (offset > 0 || length > hotSize) {
		return nil, false
	}
	uses := h.count(name)
	if b != nil {
		h.Hits++
		b.readers++
		if b.place != nil {
			h.order.MoveToFront(b.place)
		}
		return b, false
	}
	h.Misses++
	if uses < 2 || uses == notHot || !h.makeRoom(length+hotCost, uses) {
		return nil, false
	}
	b = &hotBlob{name: name, readers: 2, data: make([]byte, length), more: make(chan struct{})}
	h.known[name] = b
	h.bytes += b.cost()
	return b, true
}

// count counts a use of a blob and gives how many there were of late.
func (h *hotBlobs) count(name string) uint8 {
	if h.since++; h.since > usesKept {
		h.since = 0
		for name, n := range h.uses {
			if n /= 2; n == 0 || n > maxUses {
				delete(h.uses, name)
			} else {
				h.uses[name] = n
			}
		}
	}
	n := h.uses[name]
	if n < maxUses {
		n++
		h.uses[name] = n
	}
	return n
}

// makeRoom lets go of what was not used for long, if all of it was used less often than
// what needs the room.
func (h *hotBlobs) makeRoom(size int64, uses uint8) bool {
	free := h.most - h.bytes
	var cold []*hotBlob
	for e := h.order.Back(); e != nil && free < size; e = e.Prev() {
		b := e.Value.(*hotBlob)
		if b.readers > 0 {
			continue
		}
		if h.uses[b.name] >= uses {
			return false
		}
		cold = append(cold, b)
		free += b.cost()
	}
	if free < size {
		return false
	}
	for _, b := range cold {
		h.forget(b)
	}
	return true
}

// forget gives a blob to no more readers. The last one frees its memory.
func (h *hotBlobs) forget(b *hotBlob) {
	if h.known[b.name] != b {
		return
	}
	delete(h.known, b.name)
	if b.place != nil {
		h.order.Remove(b.place)
	}
	if b.readers == 0 {
		h.bytes -= b.cost()
	}
}

func (h *hotBlobs) release(b *hotBlob) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b.readers--; b.readers == 0 && h.known[b.name] != b {
		h.bytes -= b.cost()
	}
}

// remove forgets a blob that is removed from the store.
func (h *hotBlobs) remove(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if b := h.known[name]; b != nil {
		h.forget(b)
	}
}
