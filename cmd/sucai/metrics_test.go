package main

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"sucai/wechat"
)

const testKey = "key-of-the-tests-0123456789"

// figures reads the metrics of a server, which must be as Prometheus wants them.
func figures(t *testing.T, endpoint string) map[string]*dto.MetricFamily {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, endpoint+"/_sucai/metrics", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+testKey)
	res, err := http.DefaultClient.Do(req)
	must(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(t, err)
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%s %s\n%s", res.Status, res.Header, text)
	}
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	must(t, err)
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "sucai_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	all, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	must(t, err)
	return all
}

// figure adds up the metrics of a family that have the given labels, name=value; of
// histograms, how often something was observed.
func figure(all map[string]*dto.MetricFamily, name string, labels ...string) (sum float64) {
	for _, m := range all[name].GetMetric() {
		var have []string
		for _, l := range m.GetLabel() {
			have = append(have, l.GetName()+"="+l.GetValue())
		}
		if !slices.ContainsFunc(labels, func(l string) bool { return !slices.Contains(have, l) }) {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return sum
}

// docs/metrics.md lists each metric that a server has, with its type and labels, and no other.
func TestMetricsAsDocumented(t *testing.T) {
	p, err := startServer(binary(t), append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1", "SUCAI_ADMIN_KEY="+testKey), t.TempDir())
	must(t, err)
	defer p.kill()
	c := newClientFor(p)
	defer c.HTTP.CloseIdleConnections()
	picture := fixtures[".png"]
	added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(picture)})
	must(t, err)
	for range 3 {
		got, err := c.GetMaterial(t.Context(), added.MediaID)
		must(t, err)
		_, err = io.Copy(io.Discard, got.File.Body)
		must(t, err)
		got.File.Body.Close()
	}
	for _, path := range []string{"/cgi-bin/nothing", strings.TrimPrefix(added.URL, p.endpoint), "/mmbiz_png/nothing/0"} {
		res, err := http.Get(p.endpoint + path)
		must(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		must(t, err)
		res.Body.Close()
	}
	all := figures(t, p.endpoint)

	text, err := os.ReadFile("../../docs/metrics.md")
	must(t, err)
	documented := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(sucai_[a-z_]+)` \\| ([a-z]+) \\|([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		documented[row[1]] = row[2] + " " + strings.ReplaceAll(strings.TrimSpace(row[3]), "`", "")
	}
	exposed := map[string]string{}
	for name, family := range all {
		if !strings.HasPrefix(name, "sucai_") {
			continue
		}
		labels := map[string]bool{}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		exposed[name] = strings.ToLower(family.GetType().String()) + " " + strings.Join(slices.Sorted(maps.Keys(labels)), ", ")
	}
	if !maps.Equal(documented, exposed) {
		t.Errorf("documented:\n%v\nexposed:\n%v", documented, exposed)
	}
	if len(exposed) < 20 || all["go_goroutines"] == nil || all["process_start_time_seconds"] == nil {
		t.Errorf("%d of ours, and of Go %v", len(exposed), all["go_goroutines"])
	}

	size := float64(len(picture))
	for _, want := range []struct {
		name   string
		labels []string
		value  float64
	}{
		{"sucai_requests_total", []string{"endpoint=get_material", "errcode=0"}, 3},
		{"sucai_requests_total", []string{"endpoint=other"}, 1},
		{"sucai_requests_total", []string{"endpoint=other", "errcode=-1"}, 0},
		{"sucai_request_duration_seconds", []string{"endpoint=add_material"}, 1},
		{"sucai_sent_bytes_total", []string{"endpoint=get_material"}, 3 * size},
		{"sucai_public_requests_total", []string{"address=picture", "status=2xx"}, 1},
		{"sucai_public_requests_total", []string{"address=picture", "status=4xx"}, 1},
		{"sucai_store_call_duration_seconds", []string{"store=blobs", "operation=put", "outcome=ok"}, 1},
		{"sucai_store_call_duration_seconds", []string{"store=blobs", "operation=open", "outcome=ok"}, 4},
		{"sucai_store_call_duration_seconds", []string{"outcome=error"}, 0},
		{"sucai_database_connections_max", []string{"pool=write"}, 1},
		{"sucai_build_info", nil, 1},
		{"sucai_memory_held_bytes", nil, 0},
	} {
		if got := figure(all, want.name, want.labels...); got != want.value {
			t.Errorf("%s %v: %v, want %v", want.name, want.labels, got, want.value)
		}
	}
	for name, labels := range map[string][]string{
		"sucai_received_bytes_total":        {"endpoint=add_material"},
		"sucai_cache_misses_total":          {"cache=callers"},
		"sucai_store_call_duration_seconds": {"store=database", "operation=write", "outcome=ok"},
		"sucai_database_connections":        {"pool=read"},
		"sucai_memory_budget_bytes":         nil,
	} {
		if got := figure(all, name, labels...); got <= 0 {
			t.Errorf("%s %v: %v", name, labels, got)
		}
	}
	must(t, p.stop())
}
