package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// build makes the program, once, as users get it: without the race detector's memory. It
// goes with the directory of the program that is this very code.
func build(t testing.TB) string {
	t.Helper()
	path := filepath.Join(filepath.Dir(binary(t)), "built")
	built.Do(func() {
		if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	must(t, built.err)
	return path
}

var built struct {
	sync.Once
	err error
}

// memory reads a figure of /proc/PID/status, in MB: VmRSS now, VmHWM at most so far.
func memory(t *testing.T, p *process, name string) int {
	t.Helper()
	mb, err := memoryOf(p.cmd, name)
	must(t, err)
	return mb
}

func memoryOf(cmd *exec.Cmd, name string) (mb int, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, err := strconv.Atoi(strings.Fields(rest)[0])
			return kb >> 10, err
		}
	}
	return 0, fmt.Errorf("no %s in %s", name, status)
}

func tenMB() []byte {
	return append(append([]byte{}, fixtures[".png"]...), make([]byte, 10<<20)...)[:10<<20]
}

// exchange sends and twice fetches a picture on so many connections at once.
func exchange(t *testing.T, c *wechat.Client, connections int, data []byte) {
	t.Helper()
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(data)})
			if err != nil {
				t.Error(err)
				return
			}
			for range 2 {
				fetch(t, c, added.MediaID, len(data))
			}
		})
	}
	wg.Wait()
}

func fetch(t *testing.T, c *wechat.Client, id string, size int) {
	m, err := c.GetMaterial(t.Context(), id)
	if err != nil {
		t.Error(err)
		return
	}
	n, err := io.Copy(io.Discard, m.File.Body)
	m.File.Body.Close()
	if err != nil || n != int64(size) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// 64 connections that send and fetch 10 MB each cost less than 120 MB; at rest, with the
// demo library, it is less than 40 MB. Ten thousand idle connections, or as many as the
// limit of open files lets us make, keep nobody out.
func TestSmall(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Log("memory is measured on Linux only")
		return
	}
	path, dir := build(t), t.TempDir()
	p, err := startServer(path, append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1"), dir, "--demo")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if p, err = startServer(path, append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1"), dir, "--demo"); err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	demo := &wechat.Client{Endpoint: p.endpoint, AppID: demoAppID, Secret: demoSecret}
	if _, err := demo.GetMaterialCount(t.Context()); err != nil {
		t.Fatal(err)
	}
	rest := memory(t, p, "VmRSS")
	if rest >= 40 {
		t.Errorf("at rest: %d MB", rest)
	}

	connections, idle := 16, 1000
	if storetest.Thorough() {
		connections, idle = 64, 10_000
	}
	c := newClientFor(p)
	exchange(t, c, connections, tenMB())
	most := memory(t, p, "VmHWM")
	if most >= 120 {
		t.Errorf("with %d connections of 10 MB: %d MB", connections, most)
	}

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	idle = min(idle, int(min(limit.Cur, 1<<20))-500)
	for i := range idle {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.endpoint, "http://"))
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer conn.Close()
	}
	start := time.Now()
	if _, err := c.GetMaterialCount(t.Context()); err != nil {
		t.Errorf("beside %d idle connections: %v", idle, err)
	}
	t.Logf("%d MB at rest, %d MB at most under load; beside %d idle connections a call took %s and all %d MB",
		rest, most, idle, time.Since(start).Round(time.Millisecond), memory(t, p, "VmRSS"))
}

// On PostgreSQL and S3, 32 connections that send and fetch 10 MB each cost less than 120 MB,
// 64 that fetch as much no more than a few MB beyond that, and a full cache of blobs at most
// twice its size. minio-go would hold hundreds of MB if it did not know the size of an upload.
func TestSmallOutgrown(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Log("memory is measured on Linux only")
		return
	}
	env := newOutgrown(t).with(map[string]string{"SUCAI_ACCOUNTS": "wxone:s1"})
	p, err := startServer(build(t), env, t.TempDir(), "--blob-cache", "32MB")
	must(t, err)
	defer p.stop()
	c := newClientFor(p)
	defer c.HTTP.CloseIdleConnections()
	connections := 8
	if storetest.Thorough() {
		connections = 32
	}
	exchange(t, c, connections, tenMB())
	most := memory(t, p, "VmHWM")
	large, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(tenMB())})
	must(t, err)
	var wg sync.WaitGroup
	for range 2 * connections {
		wg.Go(func() { fetch(t, c, large.MediaID, 10<<20) })
	}
	wg.Wait()
	more := memory(t, p, "VmHWM")

	small := tenMB()[:900<<10]
	for range 10 {
		wg.Go(func() {
			for range 10 {
				added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(small)})
				if err != nil {
					t.Error(err)
					return
				}
				for range 3 {
					fetch(t, c, added.MediaID, len(small))
				}
			}
		})
	}
	wg.Wait()
	full := memory(t, p, "VmHWM")
	if most >= 120 || more >= most+20 || full >= more+2*32 {
		t.Errorf("%d MB with %d connections that send and fetch 10 MB, %d with twice as many that fetch it, %d with a full cache of 32 MB", most, connections, more, full)
	}
	t.Logf("%d MB with %d connections that send and fetch 10 MB, %d with twice as many that fetch it, %d with a full cache of 32 MB", most, connections, more, full)
}
