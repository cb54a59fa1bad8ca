package server

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"sucai/internal/blobs"
	"sucai/internal/library/storetest"
)

// BenchmarkGetImageS3 compares get_material of a picture in a bucket, call by call in
// turn, with a handler that does nothing but pass on the same object, and with the bare
// GET of the object from the store.
func BenchmarkGetImageS3(b *testing.B) {
	f := newFixture(b, quiet)
	address := storetest.S3(b)
	bucket, err := blobs.OpenS3(address, b.TempDir())
	must(b, err)
	b.Cleanup(func() { bucket.Close() })
	id, err := f.ls.Accounts.Store(b.Context())
	must(b, err)
	must(b, bucket.Claim(b.Context(), id.ID))
	f.ls.Blobs = bucket
	for _, size := range []int{100 << 10, 10 << 20} {
		image := f.add("image", "a.png", padded(size))
		m, err := f.ls.Materials.Material(b.Context(), f.account.ID, image, math.MaxInt64)
		must(b, err)
		bare := presigned(b, address, m.Blob[:2]+"/"+m.Blob[2:])
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			res, err := http.Get(bare)
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			defer res.Body.Close()
			w.Header().Set("Content-Length", fmt.Sprint(res.ContentLength))
			if _, err := io.Copy(w, res.Body); err != nil {
				panic(http.ErrAbortHandler)
			}
		}))
		url, body := f.base+f.at("material/get_material"), `{"media_id":"`+image+`"}`
		ours := func() { take(b, size)(http.Post(url, "application/json", strings.NewReader(body))) }
		for name, reference := range map[string]string{"proxy": proxy.URL, "bare": bare} {
			b.Run(fmt.Sprintf("%dKB/to-%s", size>>10, name), func(b *testing.B) {
				b.SetBytes(int64(size))
				inTurn(b, math.Inf(1), func() { take(b, size)(http.Get(reference)) }, ours)
			})
		}
		proxy.Close()
	}
}

// take reads an answer that must have size bytes.
func take(b *testing.B, size int) func(*http.Response, error) {
	return func(res *http.Response, err error) {
		must(b, err)
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || n != int64(size) {
			b.Fatalf("%d bytes, %v", n, err)
		}
	}
}

// presigned gives an address at which the store itself hands out an object.
func presigned(b *testing.B, address, key string) string {
	u, err := url.Parse(address)
	must(b, err)
	endpoint, err := url.Parse(u.Query().Get("endpoint"))
	must(b, err)
	client, err := minio.New(endpoint.Host, &minio.Options{
		Region: u.Query().Get("region"),
		Creds:  credentials.NewStaticV4(os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), ""),
	})
	must(b, err)
	at, err := client.PresignedGetObject(b.Context(), u.Host, strings.TrimPrefix(u.Path, "/")+"/"+key, time.Hour, nil)
	must(b, err)
	return at.String()
}
