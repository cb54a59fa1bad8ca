package blobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sucai/internal/library"
)

// blobOf is some blob of a size.
func blobOf(i, size int) []byte {
	return bytes.Repeat([]byte(fmt.Sprintf("%07d\n", i)), size/8+1)[:size]
}

// readBlob reads a range of a blob that must be right, and gives how often the store was
// called for it.
func readBlob(t *testing.T, f *fakeS3, s *S3, name string, content []byte, offset, length int) int {
	t.Helper()
	f.called()
	r, err := s.Open(t.Context(), name, int64(offset), int64(length))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := make([]byte, length)
	if _, err := io.ReadFull(r, got); err != nil || !bytes.Equal(got, content[offset:offset+length]) {
		t.Fatalf("%d bytes at %d of %s: wrong, or %v", length, offset, name, err)
	}
	return f.called()
}

func wantCalls(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: the store was called %d times, want %d", what, got, want)
	}
}

// eventually waits for what other goroutines are about to do.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: ", what)
		}
	}
}

func settled(t *testing.T, s *S3) {
	t.Helper()
	eventually(t, "nobody reads or fills any more", func() bool {
		s.hot.mu.Lock()
		defer s.hot.mu.Unlock()
		sum := int64(0)
		for _, b := range s.hot.known {
			if b.readers > 0 {
				return false
			}
			sum += b.cost()
		}
		return sum == s.hot.bytes && len(s.hot.known) == s.hot.order.Len()
	})
}

func TestCacheAtSecondUse(t *testing.T) {
	f, s := newFakeS3(t)
	content := blobOf(1, 100<<10)
	name := put(t, s, content)
	all := len(content)
	wantCalls(t, "the first use", readBlob(t, f, s, name, content, 0, all), 1)
	wantCalls(t, "a range", readBlob(t, f, s, name, content, 10, 5), 1)
	wantCalls(t, "the second use", readBlob(t, f, s, name, content, 0, all), 1)
	wantCalls(t, "the third use", readBlob(t, f, s, name, content, 0, all), 0)
	wantCalls(t, "a range of it", readBlob(t, f, s, name, content, 10, 5), 0)
	if _, err := s.Open(t.Context(), name, 1, int64(all)); err == nil || !strings.Contains(err.Error(), "at least") {
		t.Errorf("more than there is: %v", err)
	}
	settled(t, s)
	if got, want := s.CacheFigures(), (CacheFigures{Hits: 3, Misses: 2, Bytes: int64(all) + hotCost}); got != want {
		t.Errorf("figures %+v, want %+v", got, want)
	}
	if err := s.Remove(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), name, 0, int64(all)); err != library.ErrNotFound {
		t.Errorf("removed: %v", err)
	}

	large := blobOf(2, hotSize+1)
	name = put(t, s, large)
	for i := range 3 {
		wantCalls(t, "a large one", readBlob(t, f, s, name, large, 0, len(large)), 1)
		calls := readBlob(t, f, s, name, large, 0, 100)
		wantCalls(t, "the begin of a large one", calls, []int{1, 2, 1}[i])
	}
	settled(t, s)
	if s.CacheFigures().Bytes != 0 {
		t.Errorf("%+v", s.CacheFigures())
	}
}

// All together never hold more than they may, not even while slow readers keep what was
// let go long ago; and everybody gets the right bytes meanwhile.
func TestCacheBound(t *testing.T) {
	f, s := newFakeS3(t)
	const size, most = 10 << 10, 5 * (10<<10 + hotCost)
	s.Cache(most)
	check := func() {
		t.Helper()
		if b := s.CacheFigures().Bytes; b < 0 || b > most {
			t.Fatalf("%d bytes", b)
		}
	}
	var names []string
	for i := range 30 {
		names = append(names, put(t, s, blobOf(i, size)))
		for range 3 {
			readBlob(t, f, s, names[i], blobOf(i, size), 0, size)
			check()
		}
	}
	settled(t, s)
	if b := s.CacheFigures().Bytes; b != most {
		t.Errorf("%d bytes are in use of %d", b, most)
	}

	var readers []io.Closer // they keep all that is there
	for i, name := range names {
		s.hot.mu.Lock()
		there := s.hot.known[name] != nil
		s.hot.mu.Unlock()
		if there {
			r, err := s.Open(t.Context(), name, 0, size)
			if err != nil {
				t.Fatal(err)
			}
			readers = append(readers, r)
			if err := s.Remove(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			names[i] = ""
		}
	}
	if len(readers) != 5 {
		t.Fatalf("%d are there", len(readers))
	}
	for round := range 20 {
		for i, name := range names {
			if name != "" {
				wantCalls(t, fmt.Sprint("beside slow readers, round ", round), readBlob(t, f, s, name, blobOf(i, size), 0, size), 1)
				check()
			}
		}
	}
	for i, r := range readers {
		r.Close()
		r.Close()
		if b := s.CacheFigures().Bytes; b != most-int64(i+1)*(size+hotCost) {
			t.Errorf("%d bytes when %d have left", b, i+1)
		}
	}
	s.Cache(1)
	for range 4 {
		wantCalls(t, "no room at all", readBlob(t, f, s, put(t, s, blobOf(1, size)), blobOf(1, size), 0, size), 1)
	}
}

// Who walks through all of a library, once or again and again, drives out nothing hot; but
// what becomes hot later does.
func TestScansKeepTheHot(t *testing.T) {
	f, s := newFakeS3(t)
	const size = 1 << 10
	s.Cache(8 * (size + hotCost))
	var names []string
	for i := range 100 {
		names = append(names, put(t, s, blobOf(i, size)))
	}
	use := func(from, to, times int) (calls int) {
		for range times {
			for i := from; i < to; i++ {
				calls += readBlob(t, f, s, names[i], blobOf(i, size), 0, size)
			}
		}
		settled(t, s)
		return calls
	}
	use(0, 8, 5)
	for range 3 {
		use(8, 100, 1)
		wantCalls(t, "what is hot", use(0, 8, 1), 0)
	}
	use(92, 100, maxUses)
	wantCalls(t, "what became hot", use(92, 100, 1), 0)
}

// What was used long ago counts less and less, and no more names are remembered than a
// few times those of late.
func TestUsesAge(t *testing.T) {
	_, s := newFakeS3(t)
	h := s.hot
	for range 100 {
		h.count("old")
	}
	h.uses["begin"] = notHot
	if n := h.count("begin"); n != notHot {
		t.Errorf("a blob of which the begin is read has %d uses", n)
	}
	for i := range 10 * usesKept {
		h.count(fmt.Sprint(i))
		if len(h.uses) > 2*usesKept {
			t.Fatalf("%d are remembered", len(h.uses))
		}
	}
	if n := h.count("old"); n != 1 {
		t.Errorf("the old one has %d uses", n)
	}
	if n := h.count("begin"); n != 1 {
		t.Errorf("the other has %d uses", n)
	}
}

// halts makes a store that answers with a half of an object and goes on when it is told.
func (f *fakeS3) halts(content []byte) (goOn func()) {
	stop := make(chan struct{})
	f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Content-Type", blobType)
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		w.Write(content[:len(content)/2])
		w.(http.Flusher).Flush()
		select {
		case <-stop:
			w.Write(content[len(content)/2:])
		case <-r.Context().Done():
		}
		return true
	})
	return sync.OnceFunc(func() { close(stop) })
}

// Many who want one blob at once make one call. They get what has come before all has,
// and that those leave who came first changes nothing.
func TestManyShareOneFill(t *testing.T) {
	f, s := newFakeS3(t)
	content := blobOf(1, 100<<10)
	name := put(t, s, content)
	readBlob(t, f, s, name, content, 0, len(content))
	goOn := f.halts(content)
	defer goOn()
	first, leave := context.WithCancel(t.Context())
	r, err := s.Open(first, name, 0, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, len(content)/2)); err != nil {
		t.Fatalf("the first half: %v", err)
	}
	time.AfterFunc(10*time.Millisecond, leave)
	if n, err := r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("who has left reads %d bytes, %v", n, err)
	}
	r.Close()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			offset := i % 3 * 1000
			r, err := s.Open(t.Context(), name, int64(offset), int64(len(content)-offset))
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			if i == 0 {
				defer goOn()
				if _, err := io.ReadFull(r, make([]byte, len(content)/2)); err != nil {
					t.Error(err)
				}
				return
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content[offset:]) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	wantCalls(t, "all together", f.called(), 1)
	settled(t, s)
}

// Bytes that are not those of the name, or too few, are never kept and never look whole.
func TestDamagedFills(t *testing.T) {
	f, s := newFakeS3(t)
	content := blobOf(1, 100<<10)
	name := put(t, s, content)
	readBlob(t, f, s, name, content, 0, len(content))
	key := "some/prefix/" + name[:2] + "/" + name[2:]
	wrong := bytes.Clone(content)
	wrong[len(wrong)/2] ^= 1
	for range 2 {
		f.mu.Lock()
		f.objects[key] = wrong
		f.mu.Unlock()
		r, err := s.Open(t.Context(), name, 0, int64(len(content)))
		if err == nil {
			var got []byte
			if got, err = io.ReadAll(r); len(got) >= len(content) {
				t.Errorf("all %d bytes came", len(got))
			}
			r.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("a damaged blob: %v", err)
		}
		f.breaks(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("ETag", `"x"`)
			w.Header().Set("Content-Type", blobType)
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content[:1000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		})
		if r, err = s.Open(t.Context(), name, 0, int64(len(content))); err == nil {
			_, err = io.ReadAll(r)
			r.Close()
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a short blob: %v", err)
		}
		f.breaks(nil)
		settled(t, s)
		if b := s.CacheFigures().Bytes; b != 0 {
			t.Errorf("%d bytes are kept", b)
		}
	}
	f.mu.Lock()
	f.objects[key] = content
	f.mu.Unlock()
	wantCalls(t, "when it is mended", readBlob(t, f, s, name, content, 0, len(content)), 1)
	wantCalls(t, "and once more", readBlob(t, f, s, name, content, 0, len(content)), 0)
}

// Nothing goes on in the background when a store is closed; who still reads is told.
func TestCloseEndsFills(t *testing.T) {
	f, s := newFakeS3(t)
	content := blobOf(1, 100<<10)
	name := put(t, s, content)
	readBlob(t, f, s, name, content, 0, len(content))
	f.halts(content)
	r, err := s.Open(t.Context(), name, 0, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	start := time.Now()
	if err := s.Close(); err != nil || time.Since(start) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
	if got, err := io.ReadAll(r); err == nil {
		t.Errorf("%d bytes", len(got))
	}
}

// Many read, leave half-way and remove at once: what they get is right, and what is held
// is accounted for.
func TestManyUseTheCache(t *testing.T) {
	f, s := newFakeS3(t)
	const size, most = 10 << 10, 6 * (10<<10 + hotCost)
	s.Cache(most)
	var names []string
	for i := range 20 {
		names = append(names, put(t, s, blobOf(i, size)))
	}
	var wg sync.WaitGroup
	for w := range 8 {
		random := rand.New(rand.NewPCG(1, uint64(w)))
		wg.Go(func() {
			for range 200 {
				i := min(random.IntN(20), random.IntN(20)) // some are hotter
				offset := 0
				if random.IntN(4) == 0 {
					offset = random.IntN(size)
				}
				if random.IntN(100) == 0 {
					s.hot.remove(names[i])
				}
				ctx, cancel := context.WithCancel(t.Context())
				r, err := s.Open(ctx, names[i], int64(offset), int64(size-offset))
				if err != nil {
					t.Error(err)
					cancel()
					return
				}
				n := int64(size - offset)
				if random.IntN(4) == 0 {
					n = random.Int64N(n)
				}
				got, err := io.ReadAll(io.LimitReader(r, n))
				if err != nil || !bytes.Equal(got, blobOf(i, size)[offset:offset+int(n)]) {
					t.Errorf("%d bytes of %d, %v", len(got), n, err)
				}
				cancel()
				r.Close()
				if b := s.CacheFigures().Bytes; b < 0 || b > most {
					t.Errorf("%d bytes are held", b)
				}
			}
		})
	}
	wg.Wait()
	settled(t, s)
	if got := s.CacheFigures(); got.Hits == 0 || got.Misses == 0 || f.called() == 0 {
		t.Errorf("%+v", got)
	}
}
