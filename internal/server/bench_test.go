package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

// quiet turns off the line a call, as a server that only logs errors.
func quiet(_ *library.Options, so *Options) {
	so.Log = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))
}

// post makes one call over loopback and reads its answer.
func post(b *testing.B, url, body string) {
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	n, err := io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if err != nil || n < 50 {
		b.Fatalf("%d bytes, %v", n, err)
	}
}

func BenchmarkGetNews(b *testing.B) {
	f := newFixture(b, quiet)
	id := f.addNews(f.article(f.add("image", "c.png", pngBytes(1, 1)), "content", quote("<p>"+strings.Repeat("字", 500)+"</p>")))
	url, body := f.base+f.at("material/get_material"), `{"media_id":"`+id+`"}`
	b.ReportAllocs()
	for b.Loop() {
		post(b, url, body)
	}
}

func BenchmarkGetImage(b *testing.B) {
	f := newFixture(b, quiet)
	id := f.add("image", "a.png", padded(100<<10))
	url, body := f.base+f.at("material/get_material"), `{"media_id":"`+id+`"}`
	b.SetBytes(100 << 10)
	b.ReportAllocs()
	for b.Loop() {
		post(b, url, body)
	}
}

func BenchmarkUploadImage(b *testing.B) {
	f := newFixture(b, quiet, func(lo *library.Options, _ *Options) { lo.Caps = library.Caps{wechat.Image: 1 << 40} })
	contentType, form := multipartForm(filePart("media", "a.png", padded(100<<10)))
	url := f.base + f.at("material/add_material?type=image")
	b.SetBytes(100 << 10)
	b.ReportAllocs()
	for b.Loop() {
		res, err := http.Post(url, contentType, bytes.NewReader(form.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		data, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !bytes.Contains(data, []byte("media_id")) {
			b.Fatalf("%s", data)
		}
	}
}

// benchFixture is a fixture on the engine that SUCAI_BENCH_ENGINE names, embedded or
// outgrown, and a function that opens its database once more and closes it.
func benchFixture(b *testing.B) (f *fixture, reopen func()) {
	dir := b.TempDir()
	var engines library.Engines
	var open func() (*sqlstore.Store, error)
	switch name := os.Getenv("SUCAI_BENCH_ENGINE"); name {
	case "", "embedded":
		engines = storetest.EmbeddedAt(b, dir)
		open = func() (*sqlstore.Store, error) {
			return sqlstore.OpenSQLite(b.Context(), filepath.Join(dir, "sucai.db"), sqlstore.Command)
		}
	case "outgrown":
		address := storetest.Postgres(b)
		engines = storetest.PostgresAt(b, address, dir)
		open = func() (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(b.Context(), address, sqlstore.Command)
		}
	default:
		b.Fatalf("SUCAI_BENCH_ENGINE=%s: embedded or outgrown is wanted", name)
	}
	return newFixtureOn(b, engines, quiet), func() {
		db, err := open()
		must(b, err)
		must(b, db.Close())
	}
}

// BenchmarkFlat compares, call by call in turn, what must not grow with the library, on
// SUCAI_BENCH_MATERIALS (1,000,000) images, as many news and a thousandth as many
// accounts: pages against the first page (at most twice its time, the last at most 1.5
// times), and a token lookup, a keyed read and starting against a library that is all
// but empty (at most 1.5 times). It fails where a ratio is beyond that.
func BenchmarkFlat(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("SUCAI_BENCH_MATERIALS"))
	if err != nil {
		n = 1_000_000
	}
	large, reopenLarge := benchFixture(b)
	small, reopenSmall := benchFixture(b)
	for i := range n / 1000 {
		_, _, err := large.ls.NewAccount(b.Context(), fmt.Sprintf("wx%016d", i), "")
		must(b, err)
	}
	for _, t := range []wechat.Type{wechat.Image, wechat.News} {
		large.generate(b, t, n)
		small.generate(b, t, 40)
	}
	url := large.base + large.at("material/batchget_material")
	for _, t := range []wechat.Type{wechat.Image, wechat.News} {
		for _, at := range []struct {
			name   string
			offset int
			most   float64
		}{{"quarter", n / 4, 2}, {"middle", n / 2, 2}, {"odd", n/3 + 7, 2}, {"threequarters", n * 3 / 4, 2}, {"last", n - 20, 1.5}} {
			first, page := pageBody(t, 0), pageBody(t, at.offset)
			b.Run("page/"+string(t)+"/"+at.name, func(b *testing.B) {
				inTurn(b, at.most, func() { post(b, url, first) }, func() { post(b, url, page) })
			})
		}
	}
	for name, path := range map[string]string{"token": "material/get_materialcount", "keyed": "material/get_material"} {
		b.Run(name, func(b *testing.B) {
			i := 0
			call := func(f *fixture) func() {
				url := f.base + f.at(path)
				return func() { i++; post(b, url, fmt.Sprintf(`{"media_id":"generated%055dn"}`, i/2%40)) }
			}
			inTurn(b, 1.5, call(small), call(large))
		})
	}
	b.Run("start", func(b *testing.B) { inTurn(b, 1.5, reopenSmall, reopenLarge) })
}

// inTurn compares the median times of two functions and fails when the second takes more
// than most times the first.
func inTurn(b *testing.B, most float64, first, second func()) {
	b.ReportAllocs()
	of := medians(b, first, second)
	ratio := of[1].Seconds() / of[0].Seconds()
	b.ReportMetric(float64(of[1].Nanoseconds()), "ns/it")
	b.ReportMetric(ratio, "x-reference")
	if beyond(ratio, most, first, second) {
		b.Errorf("it takes %.2f times the reference, at most %.1f is promised", ratio, most)
	}
}

// enough is how many calls tell a ratio. What takes long is not called as often in the
// time of a benchmark.
const enough = 20

// medians gives the median times of functions while a benchmark runs, of enough calls or
// more.
func medians(b *testing.B, fns ...func()) []time.Duration {
	looping := true
	return mediansWhile(func(rounds int) bool {
		looping = looping && b.Loop()
		return looping || rounds < enough
	}, fns...)
}

// mediansWhile times functions in turn, so that all share the machine's mood, and in
// another order each time, so that none always has to come behind the same one.
func mediansWhile(more func(rounds int) bool, fns ...func()) []time.Duration {
	took := make([][]time.Duration, len(fns))
	for i := 0; more(i); i++ {
		for _, k := range rand.Perm(len(fns)) {
			start := time.Now()
			fns[k]()
			took[k] = append(took[k], time.Since(start))
		}
	}
	of := make([]time.Duration, len(fns))
	for k, list := range took {
		slices.Sort(list)
		of[k] = list[len(list)/2]
	}
	return of
}

// beyond tells whether a promise is broken: the second of two functions took more than most
// times the first, and does so again in two more series, as it need not where only another
// process came between.
func beyond(ratio, most float64, first, second func()) bool {
	for try := 0; try < 2 && ratio > most; try++ {
		of := mediansWhile(func(rounds int) bool { return rounds < 10*enough }, first, second)
		ratio = of[1].Seconds() / of[0].Seconds()
	}
	return ratio > most
}

func pageBody(t wechat.Type, offset int) string {
	return fmt.Sprintf(`{"type":"%s","offset":%d,"count":20}`, t, offset)
}

// generate loads a library through its import, oldest first.
func (f *fixture) generate(b *testing.B, t wechat.Type, n int) {
	lib := f.ls.Of(f.account)
	const batch = 5000
	for done := 0; done < n; done += batch {
		ms := make([]*library.Material, min(batch, n-done))
		for i := range ms {
			at := int64(1_500_000_000 + done + i)
			m := &library.Material{
				MediaID: fmt.Sprintf("generated%055d", done+i) + string(t[:1]), Type: t, Number: library.NextNumber,
				Name: fmt.Sprintf("picture %d.png", done+i), Created: at, Updated: at,
			}
			if t == wechat.News {
				lib.SetArticles(m, []wechat.Article{{Title: "标题 " + strconv.Itoa(done+i), Content: "<p>" + strings.Repeat("字", 200) + "</p>"}}, f.base)
			} else {
				m.Blob, m.Size, m.Format = fmt.Sprintf("%064x-%08x", done+i, i), 1000, "png"
			}
			ms[i] = m
		}
		if _, err := lib.Import(b.Context(), ms); err != nil {
			b.Fatal(err)
		}
	}
}
