package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// In sessions and in other tests of this package, "sucai" is this very code, and so are
// "aws", and "curl" where the machine has none.
func TestMain(m *testing.M) {
	commands := map[string]func(){"sucai": main, "aws": aws}
	if _, err := exec.LookPath("curl"); err != nil || filepath.Base(os.Args[0]) == "curl" {
		commands["curl"] = curl
	}
	testscript.Main(tests{m}, commands)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// curl does what our examples ask of curl: [-s] [-d DATA] URL.
func curl() {
	flags := flag.NewFlagSet("curl", flag.ExitOnError)
	flags.Bool("s", false, "")
	data := flags.String("d", "", "")
	var address string
	for args := os.Args[1:]; len(args) > 0; args = flags.Args() {
		if strings.HasPrefix(args[0], "-") {
			flags.Parse(args)
			continue
		}
		address = args[0]
		flags.Parse(args[1:])
	}
	var res *http.Response
	var err error
	if *data == "" {
		res, err = http.Get(address)
	} else {
		res, err = http.Post(address, "application/x-www-form-urlencoded", strings.NewReader(*data))
	}
	if err == nil {
		_, err = io.Copy(os.Stdout, res.Body)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
		os.Exit(1)
	}
}

// Each file of testdata is a user's session at the shell.
func TestSessions(t *testing.T) { testscript.Run(t, sessions("testdata")) }

// sessions are those of a directory.
func sessions(dir string) testscript.Params {
	return testscript.Params{
		Dir: dir,
		Setup: func(env *testscript.Env) error {
			env.Setenv("ESC", "\x1b")
			env.Values["servers"] = map[string]*process{}
			env.Defer(func() {
				for _, p := range env.Values["servers"].(map[string]*process) {
					p.kill()
				}
			})
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"demodata": scriptDemo,
			"paste":    scriptPaste,
			"start":    scriptStart,
			"status":   scriptStatus,
			"fixture":  scriptFixture,
			"setfrom":  scriptSetFrom,
			"trusted":  scriptTrusted,
			"age":      scriptAge,
			"end":      scriptEnd, // testscript has a stop of its own, which ends the session
		},
	}
}

// process is a server that was started by a test.
type process struct {
	cmd      *exec.Cmd
	endpoint string
	out      *os.File      // what it printed so far; a file, unlike a pipe, is never behind
	err      *bytes.Buffer // to be looked at when it has ended
	ended    chan struct{}
	status   error // how it ended
}

// startTime is how long a start may take, with the demo library to be made, on a slow
// machine under the race detector.
const startTime = 2 * time.Minute

// startServer runs "sucai serve" and waits for its first line.
func startServer(path string, env []string, dir string, args ...string) (*process, error) {
	out, err := os.CreateTemp("", "sucai-out-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(out.Name()); err != nil { // it lives on while it is open
		return nil, err
	}
	p := &process{cmd: exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...), out: out, err: &bytes.Buffer{}, ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = env, dir, out, p.err
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		p.status = p.cmd.Wait()
		close(p.ended)
	}()
	for end := time.Now().Add(startTime); ; time.Sleep(5 * time.Millisecond) {
		line, _, complete := strings.Cut(p.printed(), "\n")
		if p.endpoint = strings.TrimPrefix(line, "listening on "); complete && p.endpoint != line {
			return p, nil
		}
		select {
		case <-p.ended:
		default:
			if time.Now().Before(end) {
				continue
			}
		}
		p.kill()
		return nil, fmt.Errorf("first line %q, then %v:\n%s", line, p.wait(10*time.Second), p.err)
	}
}

// printed is what stands on standard output.
func (p *process) printed() string {
	text, err := io.ReadAll(io.NewSectionReader(p.out, 0, 1<<20))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// stop ends it as an operator does, and gives its exit status.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.wait(20 * time.Second)
}

// wait gives the exit status; it ends the process when the limit has passed.
func (p *process) wait(limit time.Duration) error {
	timer := time.AfterFunc(limit, p.kill)
	defer timer.Stop()
	<-p.ended
	return p.status
}

func (p *process) kill() { p.cmd.Process.Kill() }

// start NAME [ARG..] runs a server and sets SUCAI_ENDPOINT.
func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	path, err := lookPath(ts.Getenv("PATH"))
	ts.Check(err)
	env := []string{}
	for _, name := range append([]string{"PATH", "HOME", "SUCAI_ACCOUNTS", "SUCAI_COMPONENTS", "SUCAI_DATA", "SUCAI_URL", "SUCAI_DB", "SUCAI_BLOBS", "SUCAI_ADMIN_KEY", "SUCAI_LOG_FORMAT"}, keyNames...) {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	p, err := startServer(path, env, ts.Getenv("WORK"), args[1:]...)
	ts.Check(err)
	ts.Value("servers").(map[string]*process)[args[0]] = p
	ts.Setenv("SUCAI_ENDPOINT", p.endpoint)
}

func lookPath(path string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if name := filepath.Join(dir, "sucai"); isExecutable(name) {
			return name, nil
		}
	}
	return "", exec.ErrNotFound
}

func isExecutable(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode()&0o111 != 0
}

// end NAME ends a server by SIGTERM; it must end with 0. What it printed can be looked
// at in the files NAME.out and NAME.err.
func scriptEnd(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("servers").(map[string]*process)[args[0]]
	ts.Check(p.stop())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(p.printed()), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), p.err.Bytes(), 0o666))
}

// status N COMMAND.. runs a command that must exit with N.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	var e *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); !errors.As(err, &e) || strconv.Itoa(e.ExitCode()) != args[0] {
		ts.Fatalf("%v, want status %s", err, args[0])
	}
}

// paste NAME runs, in a shell, all that a server printed behind its first line. What that
// prints can be looked at by stdout and stderr.
func scriptPaste(ts *testscript.TestScript, neg bool, args []string) {
	_, lines, _ := strings.Cut(ts.Value("servers").(map[string]*process)[args[0]].printed(), "\n")
	ts.Check(ts.Exec("sh", "-e", "-c", lines))
}

// fixture FILE.. makes small files of the type of their suffix.
func scriptFixture(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(name)), 0o777))
		ts.Check(os.WriteFile(ts.MkAbs(name), fixtures[strings.ToLower(filepath.Ext(name))], 0o666))
	}
}

var fixtures = map[string][]byte{
	".png": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"),
	".gif": []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"),
	".amr": append([]byte("#!AMR\n\x3c"), make([]byte, 31)...),
	".mp4": []byte("\x00\x00\x00\x10ftypisom\x00\x00\x02\x00" + "\x00\x00\x00\x74moov\x00\x00\x00\x6cmvhd" + strings.Repeat("\x00", 100)),
	".txt": []byte("text"),
}

// age DIR DURATION makes the files below a directory that much older than now.
func scriptAge(ts *testscript.TestScript, neg bool, args []string) {
	age, err := time.ParseDuration(args[1])
	ts.Check(err)
	then := time.Now().Add(-age)
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, then, then)
	}))
}

// setfrom NAME FILE KEY sets a variable from a line KEY=value of a file.
func scriptSetFrom(ts *testscript.TestScript, neg bool, args []string) {
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), args[2]+"="); ok {
			ts.Setenv(args[0], value)
			return
		}
	}
	ts.Fatalf("no %s= in %s", args[2], args[1])
}
