package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"sucai/wechat"
)

// dial opens a connection of its own to a server.
func dial(t *testing.T, p *process) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(p.endpoint, "http://"))
	must(t, err)
	t.Cleanup(func() { c.Close() })
	must(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c.(*net.TCPConn)
}

// upload is a request that adds a picture, as it goes over the wire.
func upload(t *testing.T, token string, data []byte) []byte {
	t.Helper()
	body := "--b\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n\r\n" + string(data) + "\r\n--b--\r\n"
	return fmt.Appendf(nil, "POST /cgi-bin/material/add_material?type=image&access_token=%s HTTP/1.1\r\nHost: x\r\n"+
		"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s", url.QueryEscape(token), len(body), body)
}

// startDraining starts a server with a delay, and gives a client and a token of its account.
func startDraining(t *testing.T, delay string) (p *process, c *wechat.Client, token string) {
	t.Helper()
	p, err := startServer(binary(t), append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1"), t.TempDir(), "--drain-delay", delay)
	must(t, err)
	t.Cleanup(p.kill)
	c = newClientFor(p)
	t.Cleanup(c.HTTP.CloseIdleConnections)
	granted, err := c.StableToken(t.Context(), false)
	must(t, err)
	return p, c, granted.AccessToken
}

// On SIGTERM a server is not ready at once, goes on to take calls for --drain-delay, each
// the last on its connection, and finishes an upload and a download that are under way.
func TestDrain(t *testing.T) {
	t.Parallel()
	p, c, token := startDraining(t, "8s")
	large := append(append([]byte{}, fixtures[".png"]...), make([]byte, 9<<20)...)
	added, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(large)})
	must(t, err)

	up, request := dial(t, p), upload(t, token, large[:1<<20])
	_, err = up.Write(request[:len(request)/2])
	must(t, err)
	down := dial(t, p)
	must(t, down.SetReadBuffer(64<<10)) // so that the server cannot have sent all
	body := `{"media_id":"` + added.MediaID + `"}`
	_, err = fmt.Fprintf(down, "POST /cgi-bin/material/get_material?access_token=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", url.QueryEscape(token), len(body), body)
	must(t, err)
	downloading, err := http.ReadResponse(bufio.NewReader(down), nil)
	must(t, err)
	idle := dial(t, p)
	ask := func(conn net.Conn) (*http.Response, string) {
		t.Helper()
		_, err := io.WriteString(conn, "GET /_sucai/ready HTTP/1.1\r\nHost: x\r\n\r\n")
		must(t, err)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		must(t, err)
		text, err := io.ReadAll(res.Body)
		must(t, err)
		return res, string(text)
	}
	if res, text := ask(idle); res.StatusCode != 200 || res.Close {
		t.Fatalf("before: %s %s", res.Status, text)
	}

	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	res, text := ask(idle)
	for end := time.Now().Add(20 * time.Second); res.StatusCode == 200 && !res.Close && time.Now().Before(end); res, text = ask(idle) {
		time.Sleep(5 * time.Millisecond) // the signal is on its way
	}
	if res.StatusCode != 503 || text != `{"status":"ending"}` || !res.Close {
		t.Errorf("on the connection that was there: %s %s, close %v", res.Status, text, res.Close)
	}
	if _, err := idle.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("and then: %v", err)
	}
	if res, text := ask(dial(t, p)); res.StatusCode != 503 || text != `{"status":"ending"}` {
		t.Errorf("on a new connection: %s %s", res.Status, text)
	}
	if out, err := exec.Command(binary(t), "wait", p.endpoint, "--timeout", "200ms").CombinedOutput(); err == nil || !strings.Contains(string(out), "it is ending") {
		t.Errorf("wait: %v\n%s", err, out)
	}
	if counts, err := c.GetMaterialCount(t.Context()); err != nil || counts.Image != 1 {
		t.Errorf("a call meanwhile: %v, %v", counts, err)
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.endpoint, "http://"))
		if err != nil {
			break
		}
		conn.Close()
		if time.Now().After(end) {
			t.Fatal("connections are still taken")
		}
	}

	_, err = up.Write(request[len(request)/2:])
	must(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(up), nil)
	must(t, err)
	stored, err := io.ReadAll(answer.Body)
	if err != nil || !bytes.Contains(stored, []byte(`"media_id"`)) || !answer.Close {
		t.Errorf("the upload: %s, %v, close %v", stored, err, answer.Close)
	}
	got, err := io.ReadAll(downloading.Body)
	if err != nil || !bytes.Equal(got, large) {
		t.Errorf("the download: %d of %d bytes, %v", len(got), len(large), err)
	}
	if err := p.wait(20 * time.Second); err != nil {
		t.Errorf("it ended with %v\n%s", err, p.err)
	}
	if strings.Contains(p.err.String(), "cut off") {
		t.Errorf("it says\n%s", p.err)
	}
}

// A second signal ends a server at once, whatever is under way.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p, _, token := startDraining(t, "10m")
	up := dial(t, p)
	_, err := up.Write(upload(t, token, fixtures[".png"])[:200])
	must(t, err)
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		res, err := http.Get(p.endpoint + "/_sucai/ready")
		must(t, err)
		res.Body.Close()
		if res.StatusCode == 503 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it is still ready")
		}
	}
	// The first signal is forgotten a moment after it was heard.
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		select {
		case <-p.ended:
		default:
			if err := p.cmd.Process.Signal(syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
				must(t, err)
			}
			continue
		}
		break
	}
	var exit *exec.ExitError
	if err := p.wait(time.Minute); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", err)
	}
}
