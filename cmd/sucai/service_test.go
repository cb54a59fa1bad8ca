package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// service is several nodes behind a balancer, on servers of their own.
type service struct {
	t     *testing.T
	db    *storetest.PostgresServer
	s3    *storetest.S3Server
	front *storetest.Proxy // the balancer
	nodes []*node
}

// node is one sucai, and what stands between it and the stores.
type node struct {
	*process
	toDB, toS3 *storetest.Proxy
	env        []string
	dir        string
}

// The accounts of a service: one whose history is recorded, one with all sorts of things
// in it, and one to try what works.
const (
	recorded = "wxrecorded"
	mixed    = "wxmixed"
	tried    = "wxtried"
)

// startService starts everything; it ends with the test, and then shows what the nodes
// have logged, where the test failed.
func startService(t *testing.T, nodes int) *service {
	t.Helper()
	s := &service{t: t}
	s.db, s.s3 = storetest.Servers(t)
	s.front = storetest.NewProxy(t)
	db, err := url.Parse(s.db.URL)
	must(t, err)
	for range nodes {
		n := &node{toDB: storetest.NewProxy(t, db.Host), toS3: storetest.NewProxy(t, s.s3.Host), dir: t.TempDir()}
		behind := *db
		behind.Host = n.toDB.Addr
		n.env = append(s.s3.Env(), "PATH="+os.Getenv("PATH"), "HOME="+n.dir, "SUCAI_DB="+behind.String(),
			"SUCAI_BLOBS="+s.s3.Address(n.toS3.Addr), "SUCAI_ACCOUNTS="+recorded+":s1,"+mixed+":s1,"+tried+":s1")
		s.nodes = append(s.nodes, n)
		s.start(n)
	}
	s.balance(s.nodes...)
	return s
}

// start makes a node run, and again where it was killed.
func (s *service) start(n *node) {
	s.t.Helper()
	p, err := startServer(binary(s.t), n.env, n.dir)
	must(s.t, err)
	n.process = p
	s.t.Cleanup(func() {
		err := p.stop()
		<-p.ended
		killed := p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if err != nil && !killed {
			s.t.Errorf("a node ended with %v", err)
		}
		log := p.err.String()
		if strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic") {
			s.t.Errorf("a node has raced or panicked")
		}
		if s.t.Failed() {
			s.t.Logf("the log of the node at %s:\n%s", p.endpoint, log)
		}
	})
}

// balance sends clients to these nodes alone.
func (s *service) balance(nodes ...*node) {
	var hosts []string
	for _, n := range nodes {
		hosts = append(hosts, strings.TrimPrefix(n.endpoint, "http://"))
	}
	s.front.Targets(hosts...)
}

// each sets what is wrong between nodes and a store.
func (s *service) each(f storetest.Fault, of func(n *node) *storetest.Proxy) {
	for _, n := range s.nodes {
		of(n).Set(f)
	}
}

func toDB(n *node) *storetest.Proxy { return n.toDB }
func toS3(n *node) *storetest.Proxy { return n.toS3 }

// clientOf gives a client of one node with connections of its own.
func clientOf(t *testing.T, endpoint, appID string) *wechat.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 20}
	t.Cleanup(transport.CloseIdleConnections)
	return &wechat.Client{Endpoint: endpoint, AppID: appID, Secret: "s1", HTTP: &http.Client{Transport: transport}}
}

// want is a store that a call cannot do without.
type want int

const (
	wantsDB want = iota + 1
	wantsS3
)

// endpoints is one call of each sort, on things that are there.
type endpoints struct {
	c                  *wechat.Client
	image, news, spare string // media_ids; the last is there to be deleted
	url                string // of the image
	bytes              []byte // of the image
}

// newEndpoints adds the things.
func newEndpoints(ctx context.Context, c *wechat.Client) (e *endpoints, err error) {
	e = &endpoints{c: c, bytes: picture(300_000, 1)}
	var added [2]*wechat.Added
	for i := range added {
		added[i], err = c.AddMaterial(ctx, wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(e.bytes)})
		if err != nil {
			return nil, err
		}
	}
	e.image, e.url, e.spare = added[0].MediaID, added[0].URL, added[1].MediaID
	e.news, err = c.AddNews(ctx, []wechat.Article{e.article()})
	return e, err
}

func (e *endpoints) article() wechat.Article {
	return wechat.Article{Title: "t", Content: "c", ThumbMediaID: e.image}
}

// picture is a file of a size with bytes of its own.
func picture(size int, seed byte) []byte {
	data := bytes.Repeat([]byte{seed}, size)
	copy(data, fixtures[".png"])
	return data
}

// endpointCall is one of them.
type endpointCall struct {
	wants want
	do    func(ctx context.Context) error
}

func (e *endpoints) calls() map[string]endpointCall {
	upload := func() wechat.Upload {
		return wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(e.bytes)}
	}
	return map[string]endpointCall{
		"token":        {wantsDB, func(ctx context.Context) error { _, err := e.c.GetToken(ctx); return err }},
		"stable_token": {wantsDB, func(ctx context.Context) error { _, err := e.c.StableToken(ctx, false); return err }},
		"counts":       {wantsDB, func(ctx context.Context) error { _, err := e.c.GetMaterialCount(ctx); return err }},
		"list": {wantsDB, func(ctx context.Context) error {
			_, err := e.c.BatchGetMaterial(ctx, wechat.News, 0, 20)
			return err
		}},
		"get a news":  {wantsDB, func(ctx context.Context) error { _, err := e.c.GetMaterial(ctx, e.news); return err }},
		"delete":      {wantsDB, func(ctx context.Context) error { return e.c.DelMaterial(ctx, e.spare) }},
		"add news":    {wantsDB, func(ctx context.Context) error { _, err := e.c.AddNews(ctx, []wechat.Article{e.article()}); return err }},
		"update news": {wantsDB, func(ctx context.Context) error { return e.c.UpdateNews(ctx, e.news, 0, e.article()) }},
		"get an image": {wantsS3, func(ctx context.Context) error {
			m, err := e.c.GetMaterial(ctx, e.image)
			if err != nil {
				return err
			}
			return e.same(m.File)
		}},
		"fetch an address": {wantsS3, func(ctx context.Context) error {
			f, err := e.c.Fetch(ctx, e.url)
			if err != nil {
				return err
			}
			return e.same(f)
		}},
		"add": {wantsS3, func(ctx context.Context) error { _, err := e.c.AddMaterial(ctx, upload()); return err }},
		"add a picture": {wantsS3, func(ctx context.Context) error {
			_, err := e.c.UploadImg(ctx, upload())
			return err
		}},
		"add a medium": {wantsS3, func(ctx context.Context) error { _, err := e.c.UploadMedia(ctx, upload()); return err }},
	}
}

var errOther = errors.New("the body looks whole and is not what was stored")

func (e *endpoints) same(f *wechat.File) error {
	defer f.Body.Close()
	got, err := io.ReadAll(f.Body)
	if err == nil && !bytes.Equal(got, e.bytes) {
		return errOther
	}
	return err
}

// healing bounds how long after a fault everything works again, on a slow machine. It
// takes a second or so.
const healing = 30 * time.Second

// healed waits until each node is ready and every call on it succeeds, and tells how long
// that took.
func (s *service) healed() time.Duration {
	s.t.Helper()
	start := time.Now()
	ctx, cancel := context.WithTimeout(s.t.Context(), healing)
	defer cancel()
	var all sync.WaitGroup
	for i, n := range s.nodes {
		all.Go(func() {
			var err error
			for ctx.Err() == nil {
				if err = n.works(ctx, s.t); err == nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			s.t.Errorf("node %d does not work again: %v", i, err)
		})
	}
	all.Wait()
	return time.Since(start)
}

// works tells whether a node does all that it is there for.
func (n *node) works(ctx context.Context, t *testing.T) error {
	c := clientOf(t, n.endpoint, tried)
	res, err := c.HTTP.Get(n.endpoint + "/_sucai/ready")
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("ready: %s", res.Status)
	}
	e, err := newEndpoints(ctx, c)
	if err != nil {
		return err
	}
	for what, call := range e.calls() {
		if err := call.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}
