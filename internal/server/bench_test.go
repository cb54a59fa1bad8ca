package server

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sucai/internal/library"
	"sucai/wechat"
)

// quiet turns off the line a call, as --log-level=error does.
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
	if err != nil || n < 100 {
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

// BenchmarkPage reads pages of 20 out of SUCAI_BENCH_MATERIALS (1,000,000) images and as
// many news: the last page is to cost at most 1.5 times the first, none more than twice.
func BenchmarkPage(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("SUCAI_BENCH_MATERIALS"))
	if err != nil {
		n = 1_000_000
	}
	f := newFixture(b, quiet)
	for _, t := range []wechat.Type{wechat.Image, wechat.News} {
		f.generate(b, t, n)
	}
	url := f.base + f.at("material/batchget_material")
	for _, t := range []wechat.Type{wechat.Image, wechat.News} {
		for _, at := range []struct {
			name   string
			offset int
		}{{"first", 0}, {"quarter", n / 4}, {"middle", n / 2}, {"threequarters", n * 3 / 4}, {"last", n - 20}} {
			first, page := pageBody(t, 0), pageBody(t, at.offset)
			b.Run(string(t)+"/"+at.name, func(b *testing.B) {
				b.ReportAllocs()
				// In turn with the first page, so that both share the machine's mood.
				var ofFirst, ofPage time.Duration
				for b.Loop() {
					ofFirst += timed(func() { post(b, url, first) })
					ofPage += timed(func() { post(b, url, page) })
				}
				b.ReportMetric(float64(ofPage.Nanoseconds())/float64(b.N), "ns/page")
				b.ReportMetric(float64(ofPage)/float64(ofFirst), "x-first")
			})
		}
	}
}

func pageBody(t wechat.Type, offset int) string {
	return fmt.Sprintf(`{"type":"%s","offset":%d,"count":20}`, t, offset)
}

func timed(fn func()) time.Duration {
	start := time.Now()
	fn()
	return time.Since(start)
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
