package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

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

// ledger is what clients were told.
type ledger struct {
	mu      sync.Mutex
	sent    map[[32]byte]bool   // contents of files that were on their way
	kept    map[string][32]byte // acknowledged uploads
	deleted map[string]bool     // acknowledged deletions
	unsure  map[string]bool     // deletions whose answer never came
	news    map[string]bool     // acknowledged news, until they were seen
	allNews int
}

func (l *ledger) write(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

// A server that is killed at any moment has everything that it acknowledged, byte for
// byte, and shows nothing half-written.
func TestKilled(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	dir := t.TempDir()
	l := &ledger{sent: map[[32]byte]bool{}, kept: map[string][32]byte{}, deleted: map[string]bool{}, unsure: map[string]bool{}, news: map[string]bool{}}
	env := append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1")
	for round := range rounds {
		p, err := startServer(binary(t), env, dir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		check(t, newClientFor(p), l)
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() { load(ctx, newClientFor(p), l, rand.New(rand.NewPCG(uint64(round), uint64(w)))) })
		}
		time.Sleep(time.Duration(50+rand.IntN(400)) * time.Millisecond)
		p.kill()
		p.wait(time.Minute)
		cancel()
		wg.Wait()
	}
	p, err := startServer(binary(t), env, dir)
	if err != nil {
		t.Fatal(err)
	}
	check(t, newClientFor(p), l)
	if err := p.stop(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, p.err)
	}
	t.Logf("%d materials and %d news acknowledged, %d deleted", len(l.kept), l.allNews, len(l.deleted))
	if len(l.kept) < rounds {
		t.Errorf("only %d uploads were acknowledged: nothing was tested", len(l.kept))
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
			id, err := c.AddNews(ctx, []wechat.Article{{Title: "t", Content: "c", ThumbMediaID: added.MediaID}})
			if err != nil {
				return
			}
			l.write(func() { l.news[id] = true; l.allNews++ })
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

// check reads everything back.
func check(t *testing.T, c *wechat.Client, l *ledger) {
	t.Helper()
	ctx := t.Context()
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
	listed := map[string]bool{}
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
	}
	for id := range l.kept {
		if !listed[id] && !l.unsure[id] {
			t.Fatalf("%s was acknowledged and is not there", id)
		}
	}
	for id := range l.deleted {
		if _, err := read(id); listed[id] || !errors.Is(err, wechat.ErrInvalidMediaID) {
			t.Fatalf("%s was deleted and is there: %v", id, err)
		}
	}
	news := int64(0)
	for it, err := range c.All(ctx, wechat.News) {
		if err != nil || len(it.Content.NewsItem) != 1 {
			t.Fatalf("news %+v, %v", it, err)
		}
		news++
		delete(l.news, it.MediaID)
	}
	if len(l.news) > 0 {
		t.Fatalf("news were acknowledged and are not there: %v", l.news)
	}
	n, err := c.GetMaterialCount(ctx)
	if err != nil || n.Image != int64(len(listed)) || n.News != news {
		t.Fatalf("counts %+v, %v; listed %d images, %d news", n, err, len(listed), news)
	}
}

// SIGTERM finishes what is under way, takes no new work, and exits 0.
func TestTerminated(t *testing.T) {
	p, err := startServer(binary(t), append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1"), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := newClientFor(p)
	if _, err := c.GetMaterialCount(t.Context()); err != nil {
		t.Fatal(err)
	}
	body, feed := io.Pipe()
	got := make(chan error, 1)
	go func() {
		_, err := c.AddMaterial(t.Context(), wechat.Upload{Type: wechat.Image, Name: "a.png", Body: body})
		got <- err
	}()
	if _, err := feed.Write(fixtures[".png"]); err != nil { // the upload is under way
		t.Fatal(err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- p.stop() }()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(p.endpoint); err != nil {
			break
		}
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

// A start that is killed while it makes the demo library is finished by the next.
func TestDemoKilled(t *testing.T) {
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
	p, err := startServer(binary(t), os.Environ(), dir, "--demo")
	if err != nil {
		t.Fatal(err)
	}
	c := &wechat.Client{Endpoint: p.endpoint, AppID: demoAppID, Secret: demoSecret}
	n, err := c.GetMaterialCount(t.Context())
	if err != nil || fmt.Sprint(*n) != "{3 2 51 4}" {
		t.Errorf("counts %+v, %v", n, err)
	}
	for _, typ := range wechat.Listed {
		for it, err := range c.All(t.Context(), typ) {
			if err != nil {
				t.Fatal(err)
			}
			m, err := c.GetMaterial(t.Context(), it.MediaID)
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
