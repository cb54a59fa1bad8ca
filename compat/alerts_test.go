package compat

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
	"go.yaml.in/yaml/v3"
)

// metricLabels gives the labels of each metric in docs/metrics.md.
func metricLabels(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(sucai_\\w+)` \\| (\\w+) \\| ([^|]*)\\|").FindAllStringSubmatch(string(text), -1) {
		var labels []string
		for _, m := range regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, m[1])
		}
		names := []string{row[1]}
		if row[2] == "histogram" {
			names = []string{row[1] + "_bucket", row[1] + "_count", row[1] + "_sum"}
			known[row[1]] = labels // in prose
		}
		for _, name := range names {
			known[name] = labels
		}
	}
	if len(known) == 0 {
		t.Fatal("docs/metrics.md has no table of metrics")
	}
	return known
}

// The rules can be read, ask for metrics and labels that there are, and say what is wrong.
func TestAlerts(t *testing.T) {
	const name = "../deploy/alerts.yaml"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	known := metricLabels(t)
	seen := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || seen[r.Alert] || r.Annotations["summary"] == "" || r.Labels["severity"] == "" {
				t.Errorf("%+v", r)
			}
			seen[r.Alert] = true
			e, err := metricsql.Parse(r.Expr)
			if err != nil {
				t.Errorf("%s: %v", r.Alert, err)
				continue
			}
			metricsql.VisitAll(e, func(e metricsql.Expr) {
				m, ok := e.(*metricsql.MetricExpr)
				if !ok {
					return
				}
				for _, filters := range m.LabelFilterss {
					metric := filters[0].Value // of __name__
					labels, ok := known[metric]
					if !ok && metric != "up" && metric != "process_start_time_seconds" {
						t.Errorf("%s: there is no metric %s", r.Alert, metric)
					}
					for _, f := range filters[1:] {
						if !slices.Contains(append(labels, "job", "instance"), f.Label) {
							t.Errorf("%s: %s has no label %s", r.Alert, metric, f.Label)
						}
					}
				}
			})
		}
	}
	if len(seen) == 0 {
		t.Error("no rules")
	}
	// The guide says nothing else.
	guide, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, metric := range regexp.MustCompile("`(sucai_\\w+)").FindAllStringSubmatch(string(guide), -1) {
		if _, ok := known[metric[1]]; !ok {
			t.Errorf("docs/operations.md: there is no metric %s", metric[1])
		}
	}
	if promtool, err := exec.LookPath("promtool"); err == nil { // the rest is enough without it
		if out, err := exec.Command(promtool, "check", "rules", name).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
