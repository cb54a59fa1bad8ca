package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// binary finds this very code as a program, as the sessions do.
func binary(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("sucai")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func newClientFor(p *process) *wechat.Client {
	return &wechat.Client{Endpoint: p.endpoint, AppID: "wxone", Secret: "s1", HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
}

// callTime bounds what a test of this file waits for.
const callTime = 20 * time.Second

// ledger is what clients were told. What a check has seen is known as what was
// acknowledged is, and stays known.
type ledger struct {
	mu      sync.Mutex
	sent    map[[32]byte]bool   // contents of files that were on their way
	kept    map[string][32]byte // files that must be there
	deleted map[string]bool     // files that must not
	unsure  map[string]bool     // files of which a deletion was not answered
	news    map[string]string   // news that must be there, by the media_id of their cover
}

func newLedger() *ledger {
	return &ledger{sent: map[[32]byte]bool{}, kept: map[string][32]byte{}, deleted: map[string]bool{}, unsure: map[string]bool{}, news: map[string]string{}}
}

// size is how many materials and news were acknowledged, deleted or not.
func (l *ledger) size() (n int) {
	l.write(func() { n = len(l.kept) + len(l.deleted) + len(l.news) })
	return n
}

func (l *ledger) write(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

// A server that is killed at any moment has everything that it acknowledged, byte for
// byte, and shows nothing half-written.
func TestKilled(t *testing.T) {
	t.Parallel()
	rounds := 3
	if storetest.Thorough() {
		rounds = 12
	}
	dir := t.TempDir()
	l := newLedger()
	env := append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1")
	for round := range rounds {
		p, err := startServer(binary(t), env, dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		t.Cleanup(p.kill)
		check(t, newClientFor(p), l)
		ctx, cancel := context.WithTimeout(t.Context(), 2*callTime)
		kept := l.size()
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() { load(ctx, newClientFor(p), l, rand.New(rand.NewPCG(uint64(round), uint64(w)))) })
		}
		for end := time.Now().Add(callTime); l.size() < kept+8 && time.Now().Before(end); { // a machine may be busy
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		p.kill()
		p.wait(callTime)
		cancel()
		wg.Wait()
	}
	p, err := startServer(binary(t), env, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	check(t, newClientFor(p), l)
	if err := p.stop(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, p.err)
	}
	t.Logf("%d materials, %d news, %d deleted", len(l.kept), len(l.news), len(l.deleted))
	if len(l.kept) < rounds || len(l.news) == 0 {
		t.Errorf("only %d uploads and %d news were acknowledged: nothing was tested", len(l.kept), len(l.news))
	}
}

// load uploads, adds news and deletes until the server is gone.
func load(ctx context.Context, c *wechat.Client, l *ledger, random *rand.Rand) {
	var mine []string
	for ctx.Err() == nil {
		data := append([]byte{}, fixtures[".png"]...)
		size := 1000 + random.IntN(200_000)
		if random.IntN(10) == 0 {
			size = 3 << 20
		}
		for len(data) < size {
			data = append(data, byte(random.Uint32()))
		}
		sum := sha256.Sum256(data)
		l.write(func() { l.sent[sum] = true })
		added, err := c.AddMaterial(ctx, wechat.Upload{Type: wechat.Image, Name: "a.png", Body: bytes.NewReader(data)})
		if err != nil {
			return
		}
		l.write(func() { l.kept[added.MediaID] = sum })
		switch random.IntN(4) {
		case 0:
			id, err := c.AddNews(ctx, []wechat.Article{{Title: "t", Content: added.MediaID, ThumbMediaID: added.MediaID}})
			if err != nil {
				return
			}
			l.write(func() { l.news[id] = added.MediaID })
		case 1:
			if len(mine) == 0 {
				break
			}
			id := mine[0]
			mine = mine[1:]
			l.write(func() { l.unsure[id] = true })
			if c.DelMaterial(ctx, id) != nil {
				return
			}
			l.write(func() { delete(l.unsure, id); delete(l.kept, id); l.deleted[id] = true })
		default:
			mine = append(mine, added.MediaID)
		}
	}
}

// check reads everything back, and writes down what it sees: that must not go away by a
// later kill either.
func check(t *testing.T, c *wechat.Client, l *ledger) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	images := checkFiles(ctx, t, c, l)
	news := checkNews(ctx, t, c, l)
	n, err := c.GetMaterialCount(ctx)
	if err != nil || n.Image != images || n.News != news {
		t.Fatalf("counts %+v, %v; listed %d images, %d news", n, err, images, news)
	}
}

func checkFiles(ctx context.Context, t *testing.T, c *wechat.Client, l *ledger) int64 {
	t.Helper()
	read := func(id string) (sum [32]byte, err error) {
		m, err := c.GetMaterial(ctx, id)
		if err != nil {
			return sum, err
		}
		defer m.File.Body.Close()
		h := sha256.New()
		if _, err := io.Copy(h, m.File.Body); err != nil {
			return sum, err
		}
		return [32]byte(h.Sum(nil)), nil
	}
	listed, sums := map[string]bool{}, map[[32]byte]bool{}
	for it, err := range c.All(ctx, wechat.Image) {
		if err != nil {
			t.Fatal(err)
		}
		listed[it.MediaID] = true
		sum, err := read(it.MediaID)
		if err != nil {
			t.Fatalf("listed, but cannot be read: %v", err)
		}
		if want, ok := l.kept[it.MediaID]; ok && sum != want || !l.sent[sum] {
			t.Fatalf("%s is not what was sent", it.MediaID)
		}
		if sums[sum] {
			t.Fatalf("%s: one upload has two rows", it.MediaID)
		}
		sums[sum] = true
		l.kept[it.MediaID] = sum
	}
	for id := range l.unsure { // done or not, it stays so
		if !listed[id] {
			delete(l.kept, id)
			l.deleted[id] = true
		}
	}
	clear(l.unsure)
	for id := range l.kept {
		if !listed[id] {
			t.Fatalf("%s was acknowledged or seen and is not there", id)
		}
	}
	for id := range l.deleted {
		if _, err := read(id); listed[id] || !errors.Is(err, wechat.ErrInvalidMediaID) {
			t.Fatalf("%s was deleted and is there: %v", id, err)
		}
	}
	return int64(len(listed))
}

func checkNews(ctx context.Context, t *testing.T, c *wechat.Client, l *ledger) int64 {
	t.Helper()
	listed := map[string]bool{}
	whole := func(articles []wechat.Article, cover string) bool {
		return len(articles) == 1 && articles[0].Title == "t" && articles[0].ThumbMediaID == cover && articles[0].Content == cover
	}
	for it, err := range c.All(ctx, wechat.News) {
		if err != nil || len(it.Content.NewsItem) != 1 {
			t.Fatalf("news %+v, %v", it, err)
		}
		listed[it.MediaID] = true
		cover, known := l.news[it.MediaID]
		if !known {
			cover = it.Content.NewsItem[0].ThumbMediaID
			l.news[it.MediaID] = cover
		}
		if !whole(it.Content.NewsItem, cover) {
			t.Fatalf("news %s is not what was sent: %+v", it.MediaID, it.Content.NewsItem)
		}
		m, err := c.GetMaterial(ctx, it.MediaID)
		if err != nil || m.News == nil || !whole(m.News.NewsItem, cover) {
			t.Fatalf("news %s is listed, but reads %+v, %v", it.MediaID, m, err)
		}
	}
	for id := range l.news {
		if !listed[id] {
			t.Fatalf("news %s was acknowledged or seen and is not there", id)
		}
	}
	return int64(len(listed))
}

// asked is a transport that lets a server ask for the body: seen is called when it has
// read the head of a request and wants more.
type asked struct {
	http.RoundTripper
	seen func()
}

func (a asked) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{Got100Continue: a.seen}))
	req.Header.Set("Expect", "100-continue")
	return a.RoundTripper.RoundTrip(req)
}

// SIGTERM finishes what is under way, takes no new work, and exits 0.
func TestTerminated(t *testing.T) {
	t.Parallel()
	p, err := startServer(binary(t), append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	c := newClientFor(p)
	if _, err := c.GetMaterialCount(ctx); err != nil { // has a token from here on
		t.Fatal(err)
	}
	seen := make(chan struct{})
	c.HTTP.Transport = asked{&http.Transport{ExpectContinueTimeout: callTime}, sync.OnceFunc(func() { close(seen) })}
	body, feed := io.Pipe()
	// A transport waits for its read of a body, and a writer of a pipe for a reader.
	defer context.AfterFunc(ctx, func() { body.CloseWithError(context.DeadlineExceeded) })()
	got := make(chan error, 1)
	go func() {
		_, err := c.AddMaterial(ctx, wechat.Upload{Type: wechat.Image, Name: "a.png", Body: body})
		body.CloseWithError(fmt.Errorf("the upload has ended: %v", err)) // nobody reads on
		got <- err
	}()
	select {
	case <-seen: // the upload is under way
	case err := <-got:
		t.Fatalf("the upload ended early: %v", err)
	}
	if _, err := feed.Write(fixtures[".png"]); err != nil {
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- p.stop() }()
	fresh := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for end := time.Now().Add(callTime / 4); ; time.Sleep(10 * time.Millisecond) {
		res, err := fresh.Get(p.endpoint)
		if err != nil {
			break
		}
		res.Body.Close()
		if time.Now().After(end) {
			t.Fatal("new work is still taken")
		}
	}
	for range 20 {
		if _, err := feed.Write(bytes.Repeat([]byte{0}, 10_000)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	feed.Close()
	if err := <-got; err != nil {
		t.Errorf("what was under way: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("exit: %v\n%s", err, p.err)
	}
}

// A start that is told to end ends with 0, and the next one finishes it.
func TestStartTerminated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(binary(t), "serve", "--demo", "--listen", "127.0.0.1:0")
	cmd.Dir = dir
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(callTime, func() { cmd.Process.Kill() }).Stop()
	log := bufio.NewReader(pipe)
	for line := ""; err == nil && !strings.Contains(line, "making the demo library"); {
		line, err = log.ReadString('\n')
	}
	cmd.Process.Signal(syscall.SIGTERM)
	rest, _ := io.ReadAll(log)
	if err := cmd.Wait(); err != nil || !bytes.Contains(rest, []byte("ended while starting")) {
		t.Errorf("%v\n%s", err, rest)
	}
	wholeDemo(t, dir)
}

// A start that is killed while it makes the demo library is finished by the next.
func TestDemoKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, after := range []time.Duration{20, 60, 150, 300} {
		cmd := exec.Command(binary(t), "serve", "--demo", "--listen", "127.0.0.1:0")
		cmd.Dir = dir
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(after * time.Millisecond)
		cmd.Process.Kill()
		cmd.Wait()
	}
	wholeDemo(t, dir)
}

// wholeDemo starts a server and reads the whole demo library.
func wholeDemo(t *testing.T, dir string) {
	t.Helper()
	p, err := startServer(binary(t), os.Environ(), dir, "--demo")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	c := &wechat.Client{Endpoint: p.endpoint, AppID: demoAppID, Secret: demoSecret}
	n, err := c.GetMaterialCount(ctx)
	if err != nil || fmt.Sprint(*n) != "{3 2 51 4}" {
		t.Errorf("counts %+v, %v", n, err)
	}
	for _, typ := range wechat.Listed {
		for it, err := range c.All(ctx, typ) {
			if err != nil {
				t.Fatal(err)
			}
			m, err := c.GetMaterial(ctx, it.MediaID)
			if err != nil {
				t.Fatal(err)
			}
			if m.File != nil {
				if _, err := io.Copy(io.Discard, m.File.Body); err != nil {
					t.Error(err)
				}
				m.File.Body.Close()
			}
		}
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
}
