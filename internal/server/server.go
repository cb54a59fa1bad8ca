// Package server speaks WeChat's HTTP API over the libraries of package library: the
// route table, the endpoints, the one writer of answers, and the public addresses of
// pictures, voices, videos and articles.
//
// A request walks this way: [Server.ServeHTTP] tells the API from public addresses;
// request.call finds the route and checks in the documented order who calls and how; the
// endpoint reads its arguments, calls the library and returns a value or an error; reply
// writes it.
package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"sucai/internal/library"
	"sucai/internal/metrics"
)

// Options are what an operator may choose; the zero value is safe.
type Options struct {
	URL            string         // scheme and host of our own addresses; "": as the caller reached us
	TrustedProxies []netip.Prefix // whose X-Forwarded-For and X-Forwarded-Proto are believed
	RequireHTTPS   bool           // calls of the API over plain http are refused with 43003
	Live           bool           // the live wire: answers and refusals as the live service's, not as documented
	Log            *slog.Logger   // slog.Default() where nil

	Metrics  *metrics.Metrics // of one server; nil: nobody wants to see them
	AdminKey string           // opens /_sucai/metrics, which is closed where it is ""
}

// Server is the HTTP handler of everything that sucai serves.
type Server struct {
	libraries *library.Libraries
	opt       Options
	log       *slog.Logger
	limits    limits
	memory    *semaphore.Weighted // what large bodies and answers may hold together:
	budget    int64               // bytes
	held      atomic.Int64        // of them

	metrics   *metrics.Metrics
	endpoints map[string]*metrics.Endpoint // by path; unknown for the others
	unknown   *metrics.Endpoint
	addresses map[string]*metrics.Address // by sort
	key       [sha256.Size]byte           // of Options.AdminKey
	ending    atomic.Bool
	ready     atomic.Pointer[state] // what /_sucai/ready answered last
}

// limits in time, of one request.
type limits struct {
	progress time.Duration // without progress, in either direction
	body     time.Duration // for a whole body
}

// New makes the handler.
func New(ls *library.Libraries, opt Options) *Server {
	s := &Server{
		libraries: ls,
		opt:       opt,
		log:       opt.Log,
		limits:    limits{progress: 30 * time.Second, body: 10 * time.Minute},
		memory:    semaphore.NewWeighted(memoryBudget),
		budget:    memoryBudget,
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.metrics = opt.Metrics; s.metrics == nil {
		s.metrics = metrics.New("")
	}
	s.metrics.Libraries(ls.Stats)
	s.metrics.Memory(s.budget, s.held.Load)
	s.endpoints = map[string]*metrics.Endpoint{}
	for path := range routes {
		s.endpoints[path] = s.metrics.Endpoint(endpointName(path))
	}
	s.unknown, s.addresses = s.metrics.Endpoint(unknownEndpoint), addressInstruments(s.metrics)
	s.key = sha256.Sum256([]byte(opt.AdminKey))
	return s
}

// HTTP gives an http.Server with the limits that go with the handler.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          log.New(connectionLog{s.log}, "", 0),
	}
}

// connectionLog takes what net/http has to say: mostly of clients that come and go, but of
// a panic too.
type connectionLog struct{ log *slog.Logger }

func (l connectionLog) Write(text []byte) (int, error) {
	level := slog.LevelDebug
	if bytes.Contains(text, []byte("panic")) {
		level = slog.LevelError
	}
	l.log.Log(context.Background(), level, strings.TrimSpace(string(text)))
	return len(text), nil
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, "/mmbiz"):
		s.visited(w, r, pictureAddress, servePicture)
	case strings.HasPrefix(path, "/video/"):
		s.visited(w, r, videoAddress, serveVideo)
	case path == "/s":
		s.visited(w, r, articleAddress, serveArticle)
	case path == "/":
		s.visited(w, r, indexAddress, serveIndex)
	case strings.HasPrefix(path, "/_sucai/"):
		s.serveOwn(w, r)
	default:
		s.serveAPI(w, r)
	}
}

// serveAPI answers a call of the API.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request) {
	s.answer(w, s.newRequest(r, s.watch(w, r)))
}

func (s *Server) newRequest(r *http.Request, b *body) *request {
	return &request{Request: r, server: s, rid: newRID(), start: time.Now(), memory: hold{server: s, ctx: r.Context()}, body: b}
}

func (s *Server) answer(w http.ResponseWriter, rq *request) {
	defer rq.done()
	value, err := rq.callSafely()
	rq.body.drain(w)
	s.reply(w, rq, value, err)
}

// newRID makes the id of a request in the form of the platform: three groups of eight
// hex digits, of which the first is the time.
func newRID() string {
	var b [8]byte
	rand.Read(b[:])
	return fmt.Sprintf("%08x-%08x-%08x", time.Now().Unix(), binary.BigEndian.Uint32(b[:4]), binary.BigEndian.Uint32(b[4:]))
}

// base gives the scheme and host on which this caller's addresses of ours stand.
func (s *Server) base(r *http.Request) string {
	if s.opt.URL != "" {
		return s.opt.URL
	}
	host := r.Host
	if host == "" || strings.ContainsFunc(host, notInHost) {
		host = "localhost" // not sent, or no host at all
		if addr, ok := r.Context().Value(http.LocalAddrContextKey).(fmt.Stringer); ok {
			host = addr.String()
		}
	}
	return s.scheme(r) + "://" + host
}

// scheme tells whether the caller came by http or https.
func (s *Server) scheme(r *http.Request) string {
	if proto := r.Header.Get("X-Forwarded-Proto"); (proto == "http" || proto == "https") && s.trusts(remote(r)) {
		return proto
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func notInHost(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-:[]_", r))
}

// remote gives the address at the other end of the connection; the zero one where there
// is none to be had.
func remote(r *http.Request) netip.Addr {
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr().Unmap()
}

// trusts tells whether an address is that of a proxy that the operator trusts.
func (s *Server) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(s.opt.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// client gives the caller's address: the last one in X-Forwarded-For that is no trusted
// proxy, as far as trusted proxies say so.
func (s *Server) client(r *http.Request) netip.Addr {
	addr := remote(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusts(addr); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		addr = hop.Unmap()
	}
	return addr
}
