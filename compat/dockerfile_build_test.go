package compat

import (
	"bytes"
	"errors"
	"go/version"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// built is what deploy/Dockerfile makes, without a container engine: its commands are run
// here, with other directories in place of the build stage's own.
type built struct {
	root                    string
	env                     []string
	entrypoint, cmd, health []string
	uid                     uint32
	ports, volumes          []string
	stopSignal              string
}

// readDockerfile gives the stages, as BuildKit understands them, without a complaint.
func readDockerfile(t *testing.T) []instructions.Stage {
	t.Helper()
	text, err := os.ReadFile("../deploy/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range parsed.Warnings {
		t.Error(w.Short)
	}
	complain := linter.New(&linter.Config{Warn: func(rule, _, _, message string, at []parser.Range) { t.Errorf("%s: %s %v", rule, message, at) }})
	stages, _, err := instructions.Parse(parsed.AST, complain)
	if err != nil {
		t.Fatal(err)
	}
	return stages
}

// build runs the stages. Of the first, the absolute paths that it makes are below a
// directory of the test.
func build(t *testing.T) *built {
	t.Helper()
	stages := readDockerfile(t)
	if len(stages) != 2 || stages[1].BaseName != "scratch" {
		t.Fatalf("%d stages, the last on %s", len(stages), stages[len(stages)-1].BaseName)
	}
	goVersion := regexp.MustCompile(`^golang:(\d+\.\d+\.\d+)-\w+$`).FindStringSubmatch(stages[0].BaseName)
	if wanted := moduleGo(t); goVersion == nil || version.Compare("go"+goVersion[1], wanted) < 0 {
		t.Errorf("built on %s: %s or newer is wanted, pinned", stages[0].BaseName, wanted)
	}
	m := &built{root: t.TempDir()}
	stage := t.TempDir()
	own := ownPaths(stages)
	workdir := stage
	for _, c := range stages[0].Commands {
		switch c := c.(type) {
		case *instructions.WorkdirCommand:
			workdir = filepath.Join(stage, c.Path)
			mkdir(t, workdir)
		case *instructions.CopyCommand:
			copyContext(t, c, workdir)
		case *instructions.ArgCommand:
			for _, a := range c.Args {
				t.Setenv(a.Key, *a.Value)
			}
		case *instructions.RunCommand:
			line := own.ReplaceAllString(strings.Join(c.CmdLine, " "), "${1}"+stage+"${2}")
			run := exec.Command("sh", "-c", line)
			run.Dir = workdir
			if out, err := run.CombinedOutput(); err != nil {
				t.Fatalf("RUN %s: %v\n%s", line, err, out)
			}
		default:
			t.Fatalf("%s is not known to this test", c.Name())
		}
	}
	m.finish(t, stages[1], stage)
	return m
}

// finish runs the last stage.
func (m *built) finish(t *testing.T, last instructions.Stage, stage string) {
	for _, c := range last.Commands {
		switch c := c.(type) {
		case *instructions.CopyCommand:
			if c.From != "build" || c.DestPath != "/" {
				t.Fatalf("COPY from %s to %s", c.From, c.DestPath)
			}
			copyTree(t, filepath.Join(stage, c.SourcePaths[0]), m.root, c.Chown)
		case *instructions.EnvCommand:
			for _, kv := range c.Env {
				m.env = append(m.env, kv.Key+"="+kv.Value)
			}
		case *instructions.UserCommand:
			uid, gid, _ := strings.Cut(c.User, ":")
			n, err := strconv.ParseUint(uid, 10, 32)
			if err != nil || n == 0 || gid != uid {
				t.Fatalf("USER %s: numbers are wanted, so that it is seen not to be root", c.User)
			}
			m.uid = uint32(n)
		case *instructions.VolumeCommand:
			m.volumes = append(m.volumes, c.Volumes...)
		case *instructions.ExposeCommand:
			m.ports = append(m.ports, c.Ports...)
		case *instructions.StopSignalCommand:
			m.stopSignal = c.Signal
		case *instructions.HealthCheckCommand:
			m.health = c.Health.Test
		case *instructions.EntrypointCommand:
			m.entrypoint = execForm(t, c.ShellDependantCmdLine)
		case *instructions.CmdCommand:
			m.cmd = execForm(t, c.ShellDependantCmdLine)
		default:
			t.Fatalf("%s is not known to this test", c.Name())
		}
	}
}

func execForm(t *testing.T, c instructions.ShellDependantCmdLine) []string {
	if c.PrependShell {
		t.Fatalf("%q wants a shell, which the image has not", c.CmdLine)
	}
	return c.CmdLine
}

// ownPaths matches the paths in the first stage's commands that it makes itself: where it
// works, and what the last stage takes.
func ownPaths(stages []instructions.Stage) *regexp.Regexp {
	var names []string
	for _, c := range slices.Concat(stages[0].Commands, stages[1].Commands) {
		switch c := c.(type) {
		case *instructions.WorkdirCommand:
			names = append(names, regexp.QuoteMeta(path.Clean(c.Path)))
		case *instructions.CopyCommand:
			if c.From != "" {
				names = append(names, regexp.QuoteMeta(path.Clean(c.SourcePaths[0])))
			}
		}
	}
	return regexp.MustCompile(`(^|\s)(` + strings.Join(names, "|") + `)\b`)
}

// moduleGo is the version of Go that go.mod wants, such as go1.26.0.
func moduleGo(t *testing.T) string {
	text, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	return "go" + string(regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(text)[1])
}

// copyContext copies from the source what Dockerfile.dockerignore lets through.
func copyContext(t *testing.T, c *instructions.CopyCommand, workdir string) {
	t.Helper()
	f, err := os.Open("../deploy/Dockerfile.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := patternmatcher.New(patterns)
	if err != nil {
		t.Fatal(err)
	}
	copied := 0
	err = filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel("..", name)
		if rel == ".git" && d.IsDir() {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !slices.Contains(c.SourcePaths, ".") && !slices.Contains(c.SourcePaths, rel) {
			return err
		}
		if skip, err := ignored.MatchesOrParentMatches(filepath.ToSlash(rel)); err != nil || skip {
			return err
		}
		copied++
		return copyFile(name, filepath.Join(workdir, c.DestPath, rel))
	})
	if err != nil || copied < len(c.SourcePaths) {
		t.Fatalf("COPY %q: %d files, %v", c.SourcePaths, copied, err)
	}
}

// copyTree copies a directory's content, for a user where one is named.
func copyTree(t *testing.T, from, to, owner string) {
	t.Helper()
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(from, name)
		if err != nil || rel == "." {
			return err
		}
		target := filepath.Join(to, rel)
		if d.IsDir() {
			info, err := d.Info()
			if err == nil {
				err = os.Mkdir(target, info.Mode().Perm())
			}
			if err != nil {
				return err
			}
		} else if err := copyFile(name, target); err != nil {
			return err
		}
		if owner == "" || os.Getuid() != 0 {
			return nil
		}
		id, err := strconv.Atoi(strings.Split(owner, ":")[0])
		if err != nil {
			return err
		}
		return os.Chown(target, id, id)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, info.Mode().Perm()))
}

func mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
}
