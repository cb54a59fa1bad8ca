package storetest

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy takes TCP connections and passes them on to its targets in turn, past those that
// do not answer; and does to them what a Fault says, from one piece to the next.
type Proxy struct {
	Addr string // where it listens

	listener net.Listener
	work     sync.WaitGroup

	mu      sync.Mutex
	targets []string
	turn    int
	fault   *Fault
	changed chan struct{} // closed when fault is another
	links   map[*link]bool
}

// Fault is what goes wrong with the connections of a proxy; the zero value is nothing.
type Fault struct {
	Refuse bool          // new connections are cut at once
	Silent bool          // nothing gets through, in either direction
	Delay  time.Duration // that each piece comes later
	Rate   int           // bytes a second in each direction of each connection; 0: no limit

	// Budget, where set, gives after how many bytes more a direction is cut off with its
	// connection; a negative number is never. It is asked once for each direction.
	Budget func(down bool) int64

	// Look, where set, sees each piece before it goes on, and says what becomes of it.
	// down is from the target to who has connected.
	Look func(down bool, piece []byte) Verdict
}

// Verdict is what becomes of a piece. The zero value lets it pass.
type Verdict struct {
	Cut    bool // the connection ends, in both directions,
	After  int  // when so many bytes of the piece have passed
	Orphan bool // who sent it is cut off; the other side still gets it
}

// NewProxy starts a proxy that runs until the test ends.
func NewProxy(t testing.TB, targets ...string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		Addr: l.Addr().String(), listener: l, targets: targets,
		fault: &Fault{}, changed: make(chan struct{}), links: map[*link]bool{},
	}
	p.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.work.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(p.Close)
	return p
}

// Close ends the proxy: who connects then is refused by the system.
func (p *Proxy) Close() {
	p.listener.Close()
	p.Set(Fault{Refuse: true})
	p.CutAll()
	p.work.Wait()
}

// Set is what goes wrong from now on, also with the connections that there are.
func (p *Proxy) Set(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = &f
	close(p.changed)
	p.changed = make(chan struct{})
}

// Targets replaces the targets. Connections to one that is none any more are cut.
func (p *Proxy) Targets(targets ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.targets = slices.Clone(targets)
	for l := range p.links {
		if !slices.Contains(targets, l.target) {
			l.cut()
		}
	}
}

// CutAll cuts the connections that there are.
func (p *Proxy) CutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Forget leaves the connections that there are open, and passes on nothing more of them,
// as where a machine or a firewall between has vanished. New ones work.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.forgotten.Store(true)
	}
}

func (p *Proxy) now() (*Fault, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault, p.changed
}

// link is a connection to the proxy, and the one that it has made for it.
type link struct {
	client, server *net.TCPConn
	target         string
	orphan         atomic.Bool // nobody hears what the target still says
	ended          chan struct{}
	once           sync.Once
	forgotten      atomic.Bool
}

// cut ends both connections; whoever still sends is told so at once.
func (l *link) cut() {
	l.once.Do(func() {
		close(l.ended)
		for _, c := range []*net.TCPConn{l.client, l.server} {
			c.SetLinger(0)
			c.Close()
		}
	})
}

// dial connects to the next target that answers, nil where there is none.
func (p *Proxy) dial(client net.Conn) *link {
	p.mu.Lock()
	targets := slices.Clone(p.targets)
	p.turn++
	turn := p.turn
	refuse := p.fault.Refuse
	p.mu.Unlock()
	for i := range targets {
		target := targets[(turn+i)%len(targets)]
		if refuse {
			break
		}
		server, err := net.DialTimeout("tcp", target, 5*time.Second)
		if err != nil {
			continue
		}
		l := &link{client: client.(*net.TCPConn), server: server.(*net.TCPConn), target: target, ended: make(chan struct{})}
		p.mu.Lock()
		p.links[l] = true
		if p.fault.Refuse || !slices.Contains(p.targets, target) { // in the meantime
			l.cut()
		}
		p.mu.Unlock()
		return l
	}
	return nil
}

func (p *Proxy) serve(client net.Conn) {
	l := p.dial(client)
	if l == nil {
		client.(*net.TCPConn).SetLinger(0)
		client.Close()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(l, false, l.client, l.server) })
	both.Go(func() { p.pass(l, true, l.server, l.client) })
	both.Wait()
	l.client.Close()
	l.server.Close()
	l.cut()
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

// late is a piece on its way, and when it arrives.
type late struct {
	data []byte
	due  time.Time
	then func()
}

// pass is one direction of a link, until its sender ends or it is cut.
func (p *Proxy) pass(l *link, down bool, from, to *net.TCPConn) {
	way := make(chan late, 16)
	var arrival sync.WaitGroup
	arrival.Go(func() { p.arrive(l, way, to) })
	defer arrival.Wait()
	defer close(way)
	var under *Fault
	left := int64(-1)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err == io.EOF {
			way <- late{then: func() { to.CloseWrite() }}
			return
		}
		if err != nil {
			way <- late{then: l.cut}
			return
		}
		f := p.letThrough(l)
		if f != under {
			if under, left = f, -1; f.Budget != nil {
				left = f.Budget(down)
			}
		}
		v := Verdict{}
		if f.Look != nil && !l.orphan.Load() {
			v = f.Look(down, buf[:n])
		}
		if !v.Cut && left >= 0 {
			v.Cut, v.After = int64(n) >= left, int(min(left, int64(n)))
			left -= int64(n)
		}
		if v.Cut {
			n = v.After
		}
		if v.Orphan {
			l.orphan.Store(true)
			from.SetLinger(0)
			from.Close()
		}
		next := late{data: append([]byte(nil), buf[:n]...), due: time.Now().Add(f.Delay)}
		switch {
		case v.Cut:
			next.then = l.cut
		case v.Orphan:
			next.then = func() { to.CloseWrite() }
		}
		way <- next
		if next.then != nil {
			return
		}
	}
}

// letThrough waits while nothing gets through, and gives the fault that counts then.
func (p *Proxy) letThrough(l *link) *Fault {
	for {
		f, changed := p.now()
		if l.forgotten.Load() {
			changed = nil
		} else if !f.Silent {
			return f
		}
		select {
		case <-changed:
		case <-l.ended:
			return f
		}
	}
}

// arrive hands on what is on its way when it is due.
func (p *Proxy) arrive(l *link, way <-chan late, to net.Conn) {
	for next := range way {
		l.pause(time.Until(next.due))
		if len(next.data) > 0 {
			if _, err := to.Write(next.data); err != nil {
				l.cut() // and what is still on its way is lost
			}
			if f, _ := p.now(); f.Rate > 0 {
				l.pause(time.Duration(len(next.data)) * time.Second / time.Duration(f.Rate))
			}
		}
		if next.then != nil {
			next.then()
		}
	}
}

// pause waits, unless the link is cut before.
func (l *link) pause(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-l.ended:
	}
}
