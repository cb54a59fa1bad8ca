package server

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// slow tells when a call has come to where it waits for its client, or for memory.
type slow struct {
	library.Materials
	library.Blobs
	there chan struct{}
}

func (s *slow) Put(ctx context.Context, r io.Reader, accept func(io.ReaderAt, int64) error) (library.Blob, error) {
	s.there <- struct{}{}
	return s.Blobs.Put(ctx, r, accept)
}

func (s *slow) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	r, err := s.Blobs.Open(ctx, name, offset, length)
	s.there <- struct{}{}
	return r, err
}

func (s *slow) Page(ctx context.Context, account int64, t wechat.Type, offset, count int64, room library.Room, each func(*library.Material) error) (int64, error) {
	return s.Materials.Page(ctx, account, t, offset, count, func(size int64) error {
		s.there <- struct{}{}
		return room(size)
	}, each)
}

func (s *slow) Ready(ctx context.Context) error { return s.Materials.Ready(ctx) }

// More slow clients than there are connections to the database hold none of them, nor a
// transaction, be it that they upload, download, take a page, or wait until there is
// memory for one.
func TestNothingIsHeldForTheSlow(t *testing.T) {
	address := storetest.Postgres(t)
	engines := storetest.PostgresAt(t, address+"&application_name=slow", t.TempDir())
	s := &slow{engines.Materials, engines.Blobs, make(chan struct{}, 100)}
	engines.Materials, engines.Blobs = s, s
	f := newFixtureOn(t, engines)
	db, err := sql.Open("pgx", address)
	must(t, err)
	defer db.Close()

	const slowOnes = 20
	image := f.add("image", "a.png", padded(4<<20)) // more than sockets hold
	<-s.there
	large := f.article(image, "content", quote("<p class='"+strings.Repeat("x", 100<<10)+"'>a</p>"))
	for range 3 {
		f.addNews(large, large, large)
	}
	contentType, form := multipartForm(filePart("media", "a.png", padded(1<<20)))
	type answer struct {
		*http.Response
		err error
	}
	// held has many make a call at once, and looks when all of them are on the way.
	held := func(what string, body func() io.Reader, path, contentType string, there func(answers chan answer), finish func(), check func(data []byte) bool) {
		t.Helper()
		answers := make(chan answer, slowOnes)
		var wg sync.WaitGroup
		for range slowOnes {
			wg.Go(func() {
				res, err := http.Post(f.base+f.at(path), contentType, body())
				answers <- answer{res, err}
			})
		}
		there(answers)
		var open, connections int
		must(t, db.QueryRow(`select count(*) filter (where xact_start is not null), count(*) from pg_stat_activity where application_name = 'slow'`).Scan(&open, &connections))
		if open > 0 || connections == 0 {
			t.Errorf("%s: %d transactions are open on %d connections", what, open, connections)
		}
		if got := f.call("material/get_materialcount", ""); !strings.Contains(got, "image_count") {
			t.Errorf("%s: meanwhile others get %s", what, got)
		}
		finish()
		wg.Wait()
		for range slowOnes {
			a := <-answers
			must(t, a.err)
			data, err := io.ReadAll(a.Body)
			a.Body.Close()
			if err != nil || !check(data) {
				t.Errorf("%s: %d bytes, %v", what, len(data), err)
			}
		}
	}
	each := func(answers chan answer) {
		for range slowOnes {
			<-s.there
		}
	}
	come := func(answers chan answer) { // they came, and nobody reads them
		var list []answer
		for range slowOnes {
			list = append(list, <-answers)
		}
		for _, a := range list {
			answers <- a
		}
	}

	goOn := make(chan struct{})
	upload := func() io.Reader {
		r, w := io.Pipe()
		go func() {
			w.Write(form.Bytes()[:form.Len()/2])
			<-goOn
			w.Write(form.Bytes()[form.Len()/2:])
			w.Close()
		}()
		return r
	}
	held("upload", upload, "material/add_material?type=image", contentType, each, func() { close(goOn) },
		func(data []byte) bool { return bytes.Contains(data, []byte("media_id")) })

	json := func(text string) func() io.Reader { return func() io.Reader { return strings.NewReader(text) } }
	held("download", json(`{"media_id":"`+image+`"}`), "material/get_material", "", func(answers chan answer) { each(answers); come(answers) },
		func() {}, func(data []byte) bool { return len(data) == 4<<20 })

	page, isPage := json(`{"type":"news","offset":0,"count":20}`), func(data []byte) bool {
		return bytes.Contains(data, []byte(`"item_count":3`)) && len(data) > 9*100<<10
	}
	held("page", page, "material/batchget_material", "", func(answers chan answer) { each(answers); come(answers) }, func() {}, isPage)

	must(t, f.server.memory.Acquire(t.Context(), f.server.budget))
	held("page without memory", page, "material/batchget_material", "", each, func() { f.server.memory.Release(f.server.budget) }, isPage)
}
