package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// In sessions and in other tests of this package, "sucai" is this very code.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"sucai": main})
}

// Each file of testdata is a user's session at the shell.
func TestSessions(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Values["servers"] = map[string]*process{}
			env.Defer(func() {
				for _, p := range env.Values["servers"].(map[string]*process) {
					p.kill()
				}
			})
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"start":   scriptStart,
			"stop":    scriptStop,
			"fixture": scriptFixture,
			"setfrom": scriptSetFrom,
		},
	})
}

// process is a server that was started by a test.
type process struct {
	cmd      *exec.Cmd
	endpoint string
	out, err *bytes.Buffer
	read     chan struct{} // closed when standard output has ended
}

// startServer runs "sucai serve" and waits for its first line.
func startServer(path string, env []string, dir string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(path, append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...), out: &bytes.Buffer{}, err: &bytes.Buffer{}}
	p.cmd.Env, p.cmd.Dir, p.cmd.Stderr = env, dir, p.err
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	r := bufio.NewReader(stdout)
	line, _ := r.ReadString('\n')
	p.out.WriteString(line)
	p.read = make(chan struct{})
	go func() {
		defer close(p.read)
		io.Copy(p.out, r)
	}()
	var ok bool
	if p.endpoint, ok = strings.CutPrefix(strings.TrimSpace(line), "listening on "); !ok {
		p.kill()
		return nil, fmt.Errorf("first line %q, then:\n%s", line, p.err)
	}
	return p, nil
}

// stop ends it as an operator does, and gives its exit status.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.wait(20 * time.Second)
}

func (p *process) wait(limit time.Duration) error {
	timer := time.AfterFunc(limit, p.kill)
	defer timer.Stop()
	<-p.read
	return p.cmd.Wait()
}

func (p *process) kill() { p.cmd.Process.Kill() }

// start NAME [ARG..] runs a server and sets SUCAI_ENDPOINT.
func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	path, err := lookPath(ts.Getenv("PATH"))
	ts.Check(err)
	env := []string{}
	for _, name := range []string{"PATH", "HOME", "SUCAI_ACCOUNTS", "SUCAI_DATA", "SUCAI_URL"} {
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

// stop NAME ends a server by SIGTERM; it must end with 0. What it printed can be looked
// at in the files NAME.out and NAME.err.
func scriptStop(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("servers").(map[string]*process)[args[0]]
	ts.Check(p.stop())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), p.out.Bytes(), 0o666))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), p.err.Bytes(), 0o666))
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
