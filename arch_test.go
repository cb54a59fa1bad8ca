// Package sucai holds the import test of the whole house.
package sucai

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed says which of our packages each package may import, tests aside. Arrows run one
// way; CONTRIBUTING.md tells why.
var allowed = map[string][]string{
	"cmd/sucai":                         {"cmd/sucai/demo", "evidence", "internal/cloudcall", "internal/server", "internal/metrics", "internal/sqlstore", "internal/blobs", "internal/library", "wechat"},
	"cmd/sucai/demo":                    {},
	"evidence":                          {"wechat"},
	"internal/cloudcall":                {"internal/library", "internal/server", "wechat"},
	"internal/server":                   {"internal/library", "internal/metrics", "wechat"},
	"internal/metrics":                  {"internal/library"},
	"internal/sqlstore":                 {"internal/library", "internal/media", "wechat"},
	"internal/blobs":                    {"internal/library"},
	"internal/library":                  {"internal/media", "wechat"},
	"internal/library/storetest":        {"internal/blobs", "internal/library", "internal/sqlstore", "wechat"},
	"internal/library/storetest/stores": {"internal/library/storetest"},
	"internal/media":                    {},
	"wechat":                            {},
}

// drivers may be imported by these packages alone.
var drivers = map[string][]string{
	"modernc.org/sqlite":           {"internal/sqlstore"},
	"github.com/pressly/goose/v3":  {"internal/sqlstore"},
	"github.com/jackc/pgx/v5":      {"internal/sqlstore"},
	"github.com/minio/minio-go/v7": {"internal/blobs"},
	"github.com/spf13/cobra":       {"cmd/sucai"},
	"github.com/prometheus":        {"internal/metrics"},
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, "sucai/")
		if p.ImportPath == "sucai" {
			continue // this test
		}
		own, ok := allowed[name]
		if !ok {
			t.Errorf("%s is not in the table of allowed imports", name)
		}
		seen++
		for _, i := range p.Imports {
			if ours, found := strings.CutPrefix(i, "sucai/"); found && !slices.Contains(own, ours) {
				t.Errorf("%s must not import %s", name, ours)
			}
			for driver, users := range drivers {
				if (i == driver || strings.HasPrefix(i, driver+"/")) && !slices.Contains(users, name) {
					t.Errorf("%s must not import %s", name, i)
				}
			}
			if name == "wechat" || name == "internal/media" {
				if dot, _, _ := strings.Cut(i, "/"); strings.Contains(dot, ".") && !strings.HasPrefix(i, "golang.org/x/") {
					t.Errorf("%s must not import %s", name, i)
				}
			}
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages of %d in the table exist", seen, len(allowed))
	}
}
