package metrics

import (
	"database/sql"
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sucai/internal/library"
)

// operations are the labels of calls of stores.
var operations = [library.Operations]struct{ store, operation string }{
	library.DatabaseRead:     {"database", "read"},
	library.DatabaseSnapshot: {"database", "snapshot"},
	library.DatabaseWrite:    {"database", "write"},
	library.BlobPut:          {"blobs", "put"},
	library.BlobOpen:         {"blobs", "open"},
	library.BlobRemove:       {"blobs", "remove"},
	library.BlobList:         {"blobs", "list"},
	library.BlobReady:        {"blobs", "ready"},
}

// How a call of a store ends.
const (
	fine = iota
	absent
	trouble
	outcomes
)

var outcomeNames = [outcomes]string{"ok", "not_found", "error"}

// StoreCall counts a call of a store; it is a library.Observe.
func (m *Metrics) StoreCall(op library.Operation, took time.Duration, err error) {
	end := fine
	switch {
	case errors.Is(err, library.ErrNotFound):
		end = absent
	case err != nil:
		end = trouble
	}
	m.stores[op][end].Observe(took.Seconds())
}

// figures are read when somebody asks for them. Each is of a list that does not change.
type figures struct {
	all  []*prometheus.Desc
	read func(ch chan<- prometheus.Metric)
}

func (f *figures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range f.all {
		ch <- d
	}
}

func (f *figures) Collect(ch chan<- prometheus.Metric) { f.read(ch) }

// kind makes a figure of one kind known; what it returns hands one out.
func (f *figures) kind(kind prometheus.ValueType, name, help string, labels ...string) func(ch chan<- prometheus.Metric, value float64, labels ...string) {
	d := prometheus.NewDesc("sucai_"+name, help, labels, nil)
	f.all = append(f.all, d)
	return func(ch chan<- prometheus.Metric, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
}

const (
	gauge   = prometheus.GaugeValue
	counter = prometheus.CounterValue
)

// Pools shows the connections to the database, by pool. It is called once at most.
func (m *Metrics) Pools(read func() map[string]sql.DBStats) {
	f := &figures{}
	open := f.kind(gauge, "database_connections", "Connections to the database that are open, by what they do: in_use or idle.", "pool", "state")
	most := f.kind(gauge, "database_connections_max", "Connections to the database that may be open.", "pool")
	waits := f.kind(counter, "database_connection_waits_total", "Times that a connection to the database was waited for.", "pool")
	waited := f.kind(counter, "database_connection_wait_seconds_total", "Time that connections to the database were waited for.", "pool")
	f.read = func(ch chan<- prometheus.Metric) {
		for pool, s := range read() {
			open(ch, float64(s.InUse), pool, "in_use")
			open(ch, float64(s.Idle), pool, "idle")
			most(ch, float64(s.MaxOpenConnections), pool)
			waits(ch, float64(s.WaitCount), pool)
			waited(ch, s.WaitDuration.Seconds(), pool)
		}
	}
	m.registry.MustRegister(f)
}

// Memory shows how much of a budget of so many bytes is held. It is called once at most.
func (m *Metrics) Memory(budget int64, held func() int64) {
	f := &figures{}
	all := f.kind(gauge, "memory_budget_bytes", "Memory that large bodies and answers may hold together.")
	some := f.kind(gauge, "memory_held_bytes", "Memory of the budget that is held.")
	f.read = func(ch chan<- prometheus.Metric) {
		all(ch, float64(budget))
		some(ch, float64(held()))
	}
	m.registry.MustRegister(f)
}

// BlobCache shows how the cache of an engine of blobs does, and how many bytes it holds. It
// is called before Libraries, or not at all.
func (m *Metrics) BlobCache(read func() (library.CacheStats, int64)) { m.blobCache = read }

// Libraries shows what is counted there. It is called once at most.
func (m *Metrics) Libraries(read func() library.Stats) {
	f := &figures{}
	hits := f.kind(counter, "cache_hits_total", "Times that something was found in memory: callers by token, environments of cloud calls, scaled pictures, blobs of a bucket.", "cache")
	misses := f.kind(counter, "cache_misses_total", "Times that something was not found in memory.", "cache")
	size := f.kind(gauge, "cache_bytes", "Memory that a cache holds: of scaled pictures, of blobs of a bucket.", "cache")
	sweeps := f.kind(counter, "sweeps_total", "Sweeps of this process, by how they ended: ok or error.", "outcome")
	swept := f.kind(counter, "swept_blobs_total", "Blobs that sweeps of this process removed.")
	last := f.kind(gauge, "sweep_last_success_timestamp_seconds", "Unix time when a sweep of this process last went to its end; 0 before.")
	pushes := f.kind(counter, "platform_pushes_total", "Messages to third-party platforms, tickets above all, by what became of a try: delivered or failed.", "outcome")
	f.read = func(ch chan<- prometheus.Metric) {
		s := read()
		var blobs library.CacheStats
		var blobBytes int64
		if m.blobCache != nil {
			blobs, blobBytes = m.blobCache()
		}
		for name, c := range map[string]library.CacheStats{"callers": s.Callers, "environments": s.Clouds, "pictures": s.Pictures, "blobs": blobs} {
			hits(ch, float64(c.Hits), name)
			misses(ch, float64(c.Misses), name)
		}
		size(ch, float64(s.PictureBytes), "pictures")
		size(ch, float64(blobBytes), "blobs")
		sweeps(ch, float64(s.Sweeps), "ok")
		sweeps(ch, float64(s.SweepsFailed), "error")
		swept(ch, float64(s.Swept))
		last(ch, float64(s.LastSweep))
		pushes(ch, float64(s.Pushed), "delivered")
		pushes(ch, float64(s.PushFailed), "failed")
	}
	m.registry.MustRegister(f)
}
