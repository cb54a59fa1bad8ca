package sqlstore_test

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// proxy stands between a store and its server and cuts connections at a commit.
type proxy struct {
	listener net.Listener
	server   string

	mu    sync.Mutex
	cut   string // "before", "after", "refuse"; "" lets all through
	times int    // that it is still to be done
	conns map[net.Conn]bool
}

// newProxy gives a proxy and the address of a database through it.
func newProxy(t *testing.T, address string) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{listener: l, server: u.Host, conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cutAll()
		wg.Wait()
	})
	u.Host = l.Addr().String()
	return p, u.String()
}

// cutNext cuts the connections of the next commits: "before" the server hears of it,
// "after" it was told and before its answer, or "refuse", which is after and lets nobody
// connect again.
func (p *proxy) cutNext(how string, times int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut, p.times = how, times
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

func (p *proxy) add(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
}

// atCommit tells what is to be done to a message of the client.
func (p *proxy) atCommit(message []byte) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.times == 0 || !bytes.Contains(message, []byte("commit\x00")) {
		return ""
	}
	p.times--
	return p.cut
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	refused := p.cut == "refuse" && p.times == 0
	p.mu.Unlock()
	if refused {
		return
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	p.add(client)
	p.add(server)
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		io.Copy(client, server)
		client.Close()
	}()
	defer func() { server.Close(); <-answered }()
	message := make([]byte, 64<<10)
	for {
		n, err := client.Read(message)
		if err != nil {
			return
		}
		cut := p.atCommit(message[:n])
		if cut != "" {
			client.Close() // the answer never comes
		}
		if cut == "before" {
			return
		}
		if _, err := server.Write(message[:n]); err != nil {
			return
		}
		if cut != "" { // the server shall do what it was told
			server.(*net.TCPConn).CloseWrite()
			<-answered
			return
		}
	}
}

func withParameter(t *testing.T, address, name, value string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return strings.ReplaceAll(u.String(), "+", "%20")
}
