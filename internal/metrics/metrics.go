// Package metrics counts what a server does, in the form that Prometheus reads. It is the
// only place that knows names, labels and buckets; docs/metrics.md lists them.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"sucai/internal/library"
)

// Metrics are the instruments of one process, in a registry of their own. Every value of
// a label comes from a list that is known beforehand: no caller can make one up.
type Metrics struct {
	registry *prometheus.Registry
	handler  http.Handler

	requests  *prometheus.CounterVec   // by endpoint and errcode
	durations *prometheus.HistogramVec // by endpoint
	received  *prometheus.CounterVec
	sent      *prometheus.CounterVec
	over      prometheus.Counter // quotas
	refused   prometheus.Counter // by the gateway of cloud calls
	broken    prometheus.Counter

	public         *prometheus.CounterVec // by address and class of status
	publicDuration *prometheus.HistogramVec
	publicSent     *prometheus.CounterVec

	stores [library.Operations][outcomes]prometheus.Observer

	blobCache func() (library.CacheStats, int64)
}

// Upper ends of buckets, in seconds: of what comes and goes over slow lines, too, and of
// calls of a store, which have 3 seconds as a rule.
var (
	requestBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
	storeBuckets   = []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 30}
)

// New makes the instruments. version is the program's.
func New(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
	endpoint, address := []string{"endpoint"}, []string{"address"}
	m.requests = m.counters("requests_total", "Calls of the API answered, by errcode; 0 is success.", "endpoint", "errcode")
	m.durations = m.histograms("request_duration_seconds", "Time from a call's head to the end of its answer, with what its caller takes to send and to read.", requestBuckets, endpoint)
	m.received = m.counters("received_bytes_total", "Bytes of the bodies of calls.", endpoint...)
	m.sent = m.counters("sent_bytes_total", "Bytes of the bodies of answers to calls.", endpoint...)
	m.over = m.counter("quota_rejections_total", "Calls refused with 45009: the quota of the day was used up.")
	m.refused = m.counter("cloud_call_refusals_total", "Requests on the ways of cloud calls that were refused before they became calls of the API.")
	m.broken = m.counter("broken_answers_total", "Answers that broke off after they had begun, by trouble of ours: of a store, mostly.")
	m.public = m.counters("public_requests_total", "Requests of public addresses answered, by class of status.", "address", "status")
	m.publicDuration = m.histograms("public_request_duration_seconds", "Time from a request's head to the end of its answer, of public addresses.", requestBuckets, address)
	m.publicSent = m.counters("public_sent_bytes_total", "Bytes of the bodies of answers of public addresses.", address...)

	calls := m.histograms("store_call_duration_seconds", "Time that calls of the stores took, by how they ended.", storeBuckets, []string{"store", "operation", "outcome"})
	for op, name := range operations {
		for end, outcome := range outcomeNames {
			m.stores[op][end] = calls.WithLabelValues(name.store, name.operation, outcome)
		}
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "sucai_build_info", Help: "1, with the version of the program and of Go.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "sucai", Name: name, Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "sucai", Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels []string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "sucai", Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// Handler answers with all figures, to whoever asks: who may is for others to know.
func (m *Metrics) Handler() http.Handler { return m.handler }

// Gatherer gives the figures to tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Endpoint is one line of the API's documentation, or all that is none.
type Endpoint struct {
	metrics        *Metrics
	codes          *prometheus.CounterVec
	good           prometheus.Counter // errcode 0, which is the most
	took           prometheus.Observer
	received, sent prometheus.Counter
}

// Endpoint gives the instruments of an endpoint, whose names are few.
func (m *Metrics) Endpoint(name string) *Endpoint {
	codes := m.requests.MustCurryWith(prometheus.Labels{"endpoint": name})
	return &Endpoint{
		metrics: m, codes: codes, good: codes.WithLabelValues("0"),
		took: m.durations.WithLabelValues(name), received: m.received.WithLabelValues(name), sent: m.sent.WithLabelValues(name),
	}
}

// overQuota is the errcode of calls beyond a quota.
const overQuota = 45009

// Answered counts a call that was answered with an errcode, 0 for success. received and
// sent are bytes of bodies.
func (e *Endpoint) Answered(errcode int, took time.Duration, received, sent int64) {
	if errcode == 0 {
		e.good.Inc()
	} else {
		e.codes.WithLabelValues(strconv.Itoa(errcode)).Inc()
	}
	if errcode == overQuota {
		e.metrics.over.Inc()
	}
	e.took.Observe(took.Seconds())
	e.received.Add(float64(received))
	e.sent.Add(float64(sent))
}

// Address is one sort of public addresses.
type Address struct {
	status [6]prometheus.Counter // by class; 1 is not used
	took   prometheus.Observer
	sent   prometheus.Counter
}

// Address gives the instruments of a sort of public addresses, whose names are few.
func (m *Metrics) Address(name string) *Address {
	a := &Address{took: m.publicDuration.WithLabelValues(name), sent: m.publicSent.WithLabelValues(name)}
	for class := 2; class < len(a.status); class++ {
		a.status[class] = m.public.WithLabelValues(name, strconv.Itoa(class)+"xx")
	}
	return a
}

// Answered counts a request that was answered with an HTTP status.
func (a *Address) Answered(status int, took time.Duration, sent int64) {
	a.status[min(max(status/100, 2), 5)].Inc()
	a.took.Observe(took.Seconds())
	a.sent.Add(float64(sent))
}

// Refused counts a request that was refused before it became a call of the API.
func (m *Metrics) Refused() { m.refused.Inc() }

// Broken counts an answer that broke off by trouble of ours.
func (m *Metrics) Broken() { m.broken.Inc() }
