package sqlstore_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"testing"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

// BenchmarkRowBytes measures what a material takes in PostgreSQL, in bytes of the table
// and of each index: SUCAI_BENCH_MATERIALS (200,000) images, then a tenth as many news of
// one article of 2 KB, in a thousandth as many accounts, with names as random as real ones.
// The arithmetic in docs/operations.md stands on it.
func BenchmarkRowBytes(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("SUCAI_BENCH_MATERIALS"))
	if err != nil {
		n = 200_000
	}
	s := open(b, storetest.Postgres(b), sqlstore.Server)
	accounts := make([]*library.Account, max(1, n/1000))
	for i := range accounts {
		accounts[i] = account(b, s, fmt.Sprintf("wx%016x", i), int64(i+1))
	}
	for b.Loop() {
		before := map[string]int64{}
		for _, t := range []wechat.Type{wechat.Image, wechat.News} {
			if t == wechat.News {
				n /= 10
			}
			for i, a := range accounts {
				ms := make([]*library.Material, n*(i+1)/len(accounts)-n*i/len(accounts))
				for j := range ms {
					ms[j] = asReal(a, t, i+j)
				}
				_, err := s.Import(b.Context(), a.ID, ms)
				must(b, err)
			}
			_, err := s.DB().Exec(`vacuum analyze material, bucket, counter`)
			must(b, err)
			for name, size := range sizes(b, s) {
				b.ReportMetric(float64(size-before[name])/float64(n), string(t)+":"+name)
				before[name] = size
			}
		}
	}
}

// asReal is a material whose texts are as long and as random as those of an upload.
func asReal(a *library.Account, t wechat.Type, i int) *library.Material {
	random := func(n int) []byte {
		data := make([]byte, n)
		rand.Read(data)
		return data
	}
	blob := hex.EncodeToString(random(36))
	m := &library.Material{
		Account: a.ID, MediaID: base64.RawURLEncoding.EncodeToString(random(48)), Type: t, Number: library.NextNumber,
		Name: fmt.Sprintf("IMG_2024%04d.jpg", i), Key: base64.RawURLEncoding.EncodeToString(random(64)), Blob: blob[:64] + "-" + blob[64:],
		Size: 100_000, Format: "jpeg", Width: 1080, Height: 1440, Created: 1_700_000_000 + int64(i), Updated: 1_700_000_000 + int64(i), Version: 1,
	}
	if t == wechat.News {
		m.Name, m.Blob, m.Size, m.Format, m.Width, m.Height = "标题", "", 0, "", 0, 0
		m.Key, m.ArticlesFormat = strconv.FormatInt(1e14+a.ID*1e9+int64(i), 10), 1
		m.Articles = []byte(`[{"title":"标题","content":"` + base64.StdEncoding.EncodeToString(random(1500)) + `"}]`)
	}
	return m
}

// sizes gives the bytes of what holds materials: the table with its long values, each of
// its indexes, and the counts.
func sizes(b *testing.B, s *sqlstore.Store) map[string]int64 {
	b.Helper()
	rows, err := s.DB().Query(`
		select 'table', pg_table_size('material'::regclass)
		union all select indexrelid::regclass::text, pg_relation_size(indexrelid) from pg_index where indrelid = 'material'::regclass
		union all select 'counts', pg_total_relation_size('bucket'::regclass) + pg_total_relation_size('counter'::regclass)
		union all select 'all', pg_total_relation_size('material'::regclass) + pg_total_relation_size('bucket'::regclass) + pg_total_relation_size('counter'::regclass)`)
	must(b, err)
	defer rows.Close()
	found := map[string]int64{}
	for rows.Next() {
		var name string
		var size int64
		must(b, rows.Scan(&name, &size))
		found[name] = size
	}
	must(b, rows.Err())
	return found
}
