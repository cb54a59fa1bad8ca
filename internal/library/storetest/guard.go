package storetest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// guard keeps a server that a test has started, and what belongs to it. It ends when Stop
// is called or this process ends in any way.
type guard struct {
	Dir string // holds all that the server has, and its log; goes with it

	cmd   *exec.Cmd
	input io.WriteCloser
}

// guarded runs a server: its arguments behind the signals that halt it and that end it.
// It does what its standard input says, and when that ends, it ends the server and removes
// the directory that is its name. It outlives a test that is killed, and so does its duty.
const guarded = `
halt=$1 end=$2
shift 2
start() { "$@" & server=$!; }
send() { [ -z "$server" ] || kill -"$1" "$server"; }
start "$@"
while read -r word; do
	case $word in
	halt) send "$halt"; send CONT; wait "$server"; server= ;;
	start) start "$@" ;;
	freeze) send STOP ;;
	thaw) send CONT ;;
	esac
done
send "$end"
send CONT
[ -z "$server" ] || wait "$server"
rm -rf -- "$0"
`

// startGuard runs a command in dir, which becomes the guard's, as a user or, with nil, as
// ourselves. halt and end are names of signals.
func startGuard(dir, halt, end string, as *syscall.Credential, command ...string) (*guard, error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	g := &guard{Dir: dir, cmd: exec.Command("sh", append([]string{"-c", guarded, dir, halt, end}, command...)...)}
	g.cmd.Dir, g.cmd.Stdout, g.cmd.Stderr = dir, log, log
	g.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Setpgid: true} // an interrupt at the terminal is not for it
	if g.input, err = g.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return g, g.cmd.Start()
}

func (g *guard) tell(word string) error {
	_, err := io.WriteString(g.input, word+"\n")
	return err
}

// Halt ends the server without a word to those who are connected; Start makes it run
// again on what it has kept. Start waits for that, Halt does not.
func (g *guard) Halt() error { return g.tell("halt") }

// Freeze stops the server's process, and so that no new connection is answered, until
// Thaw. Processes that it has for old ones run on.
func (g *guard) Freeze() error { return g.tell("freeze") }

// Thaw ends what Freeze began.
func (g *guard) Thaw() error { return g.tell("thaw") }

// Stop ends the server at once and removes its files.
func (g *guard) Stop() error {
	timer := time.AfterFunc(30*time.Second, func() { g.cmd.Process.Kill() })
	defer timer.Stop()
	if err := errors.Join(g.input.Close(), g.cmd.Wait()); err != nil {
		return fmt.Errorf("the server in %s does not end: %w", g.Dir, err)
	}
	return nil
}

// said is what stands in the log, for an error.
func (g *guard) said() string {
	text, err := os.ReadFile(filepath.Join(g.Dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// freePort gives a port of 127.0.0.1 on which nobody listens. It is below those that
// systems give to connections, so that a server that was halted finds it free again.
func freePort() (int, error) {
	for {
		port := 10_000 + rand.N(20_000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return 0, err
		}
	}
}
