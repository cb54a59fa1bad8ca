package compat

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeFile = "../deploy/compose.yaml"

// dotEnv makes .env in a new directory by the line that stands in .env.example.
func dotEnv(t *testing.T) (path string, secrets map[string]string) {
	t.Helper()
	example, err := os.ReadFile("../deploy/.env.example")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	line := regexp.MustCompile(`(?m)^#   (\(umask .*)$`).FindSubmatch(example)
	if line == nil {
		t.Fatal(".env.example does not say how to make .env")
	}
	if err := os.WriteFile(filepath.Join(dir, ".env.example"), example, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", string(line[1]))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	path = filepath.Join(dir, ".env")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf(".env: %v, %v", info, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secrets = map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			secrets[name] = value
		}
	}
	return path, secrets
}

// loadCompose reads the file as Compose does.
func loadCompose(t *testing.T, env string) (*types.Project, error) {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{composeFile}, cli.WithEnvFiles(env), cli.WithDotEnv)
	if err != nil {
		t.Fatal(err)
	}
	return options.LoadProject(t.Context())
}

// Nothing starts with a secret that everybody knows, or with none.
func TestComposeSecrets(t *testing.T) {
	path, secrets := dotEnv(t)
	text, err := os.ReadFile(composeFile)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, m := range regexp.MustCompile(`\$\{(\w+)([^}]*)\}`).FindAllStringSubmatch(string(text), -1) {
		if used[m[1]] = true; !strings.HasPrefix(m[2], ":?") {
			t.Errorf("${%s} may be empty, or has a default", m[1])
		}
	}
	if !slices.Equal(slices.Sorted(maps.Keys(used)), slices.Sorted(maps.Keys(secrets))) {
		t.Errorf("compose.yaml takes %v, .env has %v", used, slices.Collect(maps.Keys(secrets)))
	}
	seen := map[string]bool{}
	for name, value := range secrets {
		if !regexp.MustCompile(`^[0-9a-f]{48}$`).MatchString(value) || seen[value] {
			t.Errorf("%s is %q", name, value)
		}
		seen[value] = true
		without := filepath.Join(t.TempDir(), ".env")
		var rest strings.Builder
		for other, value := range secrets {
			if other != name {
				fmt.Fprintf(&rest, "%s=%s\n", other, value)
			}
		}
		for _, line := range []string{"", name + "=\n"} {
			if err := os.WriteFile(without, []byte(rest.String()+line), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := loadCompose(t, without); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("without %s: %v", name, err)
			}
		}
	}

	project, err := loadCompose(t, path)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range project.Services {
		for _, words := range [][]string{s.Command, s.Entrypoint, healthcheck(s)} {
			for _, value := range secrets {
				if strings.Contains(strings.Join(words, " "), value) {
					t.Errorf("%s has a secret on a command line", name)
				}
			}
		}
	}
}

func healthcheck(s types.ServiceConfig) []string {
	if s.HealthCheck == nil {
		return nil
	}
	return s.HealthCheck.Test
}

// What the file refers to is there; what is undefined in it, Compose's own reader finds.
func TestComposeFile(t *testing.T) {
	path, _ := dotEnv(t)
	project, err := loadCompose(t, path)
	if err != nil {
		t.Fatal(err)
	}
	help, err := exec.Command(program, "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	manual, err := os.ReadFile("../docs/command-line.md")
	if err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{}
	for name, s := range project.Services {
		switch {
		case s.Build != nil:
			if _, err := os.Stat(filepath.Join(s.Build.Context, s.Build.Dockerfile)); err != nil {
				t.Error(err)
			}
		case !regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?[-\w]*$`).MatchString(s.Image):
			t.Errorf("%s: the image %q is not pinned", name, s.Image)
		}
		for needed, how := range s.DependsOn {
			if how.Condition == types.ServiceConditionHealthy && project.Services[needed].HealthCheck == nil {
				t.Errorf("%s waits for the health of %s, which tells none", name, needed)
			}
		}
		for _, v := range s.Volumes {
			if v.Type == types.VolumeTypeBind && filepath.Base(v.Source) != "tls" { // the operator's
				if _, err := os.Stat(v.Source); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if front := s.Networks["front"]; front != nil {
			addresses[name] = front.Ipv4Address
		}
		for variable := range s.Environment {
			flag, ours := strings.CutPrefix(variable, "SUCAI_")
			flag = "--" + strings.ReplaceAll(strings.ToLower(flag), "_", "-") + " "
			if ours && !bytes.Contains(help, []byte(flag)) && !bytes.Contains(manual, []byte("`"+variable+"`")) {
				t.Errorf("%s: sucai knows no %s", name, variable)
			}
		}
	}
	nginx, err := os.ReadFile("../deploy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range []string{"node1", "node2"} {
		s := project.Services[node]
		if got := *s.Environment["SUCAI_TRUST_PROXY"]; got != addresses["nginx"] {
			t.Errorf("%s believes %s, nginx has %q", node, got, addresses["nginx"])
		}
		if got := project.Services["nginx"].ExtraHosts[node]; !slices.Equal(got, []string{addresses[node]}) {
			t.Errorf("nginx looks for %s at %q, it is at %s", node, got, addresses[node])
		}
		if !bytes.Contains(nginx, []byte("server "+node+":8080 ")) {
			t.Errorf("nginx.conf does not know %s", node)
		}
		delay, err := time.ParseDuration(*s.Environment["SUCAI_DRAIN_DELAY"])
		if grace := time.Duration(*s.StopGracePeriod); err != nil || grace < delay+15*time.Second {
			t.Errorf("%s is killed after %s, it may go on for %s and 15 s more (%v)", node, grace, delay, err)
		}
	}
}
