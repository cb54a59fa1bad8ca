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
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/library/storetest"
	"sucai/wechat"
)

// program runs a program of ours to its end.
type program struct {
	env []string
	dir string
}

func (c program) run(t testing.TB, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.Command(binary(t), args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = c.env, c.dir, &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func (c program) must(t testing.TB, args ...string) string {
	t.Helper()
	out, errs, err := c.run(t, args...)
	if err != nil || errs != "" {
		t.Fatalf("%v: %v\n%s", args, err, errs)
	}
	return out
}

const ownBase = "http://material.example.com"

var (
	addressForm = regexp.MustCompile(`http://material\.example\.com[^"\\ ]*`)
	signedBy    = regexp.MustCompile(`expires=\d+&vkey=[0-9a-f]+`)
)

// answers is all that a client can get of an account from a server: lists, materials and
// what is at every address in them. What changes with the second is left out.
func answers(t *testing.T, endpoint, token string) map[string]string {
	t.Helper()
	all := map[string]string{}
	var fetch func(name string, res *http.Response, err error)
	fetch = func(name string, res *http.Response, err error) {
		t.Helper()
		must(t, err)
		body, err := io.ReadAll(res.Body)
		must(t, errors.Join(err, res.Body.Close()))
		plain := signedBy.ReplaceAllString(string(body), "")
		all[name] = fmt.Sprintf("%d %s %s %d bytes %x", res.StatusCode, res.Header.Get("Content-Type"), res.Header.Get("Content-Disposition"), len(plain), sha256.Sum256([]byte(plain)))
		if strings.Contains(name, " ") { // of an answer of the API
			for _, address := range addressForm.FindAllString(strings.ReplaceAll(string(body), `\/`, "/"), -1) {
				name := signedBy.ReplaceAllString(address, "")
				if _, known := all[name]; !known {
					all[name] = "" // asked for once
					res, err := http.Get(endpoint + strings.ReplaceAll(strings.TrimPrefix(address, ownBase), "&amp;", "&"))
					fetch(name, res, err)
				}
			}
		}
	}
	post := func(path, body string) {
		t.Helper()
		res, err := http.Post(endpoint+"/cgi-bin/material/"+path+"?access_token="+token, "application/json", strings.NewReader(body))
		fetch(path+" "+body, res, err)
	}
	c := &wechat.Client{Endpoint: endpoint, AppID: demoAppID, Secret: demoSecret}
	defer http.DefaultClient.CloseIdleConnections()
	post("get_materialcount", "{}")
	for _, typ := range wechat.Listed {
		for offset := 0; offset <= 60; offset += 20 {
			post("batchget_material", fmt.Sprintf(`{"type":%q,"offset":%d,"count":20}`, typ, offset))
		}
		for it, err := range c.All(t.Context(), typ) {
			must(t, err)
			post("get_material", fmt.Sprintf(`{"media_id":%q}`, it.MediaID))
		}
	}
	return all
}

// A client cannot tell a copy from its source: not on PostgreSQL and S3, nor back in a
// directory. Its token is good there too.
func TestCopyServed(t *testing.T) {
	t.Parallel()
	db, bucket, env := newOutgrown(t).beside()
	dir := t.TempDir()
	c := program{env, dir}
	source, err := startServer(binary(t), env, dir, "--demo", "--data", "first", "--url", ownBase)
	must(t, err)
	defer source.kill()
	res, err := http.Get(source.endpoint + "/cgi-bin/token?grant_type=client_credential&appid=" + demoAppID + "&secret=" + demoSecret)
	must(t, err)
	issued, err := io.ReadAll(res.Body)
	must(t, errors.Join(err, res.Body.Close()))
	_, token, _ := strings.Cut(string(issued), `"access_token":"`)
	token, _, _ = strings.Cut(token, `"`)
	want := answers(t, source.endpoint, token)
	if len(want) < 150 {
		t.Fatalf("only %d answers", len(want))
	}
	for name, answer := range want {
		if !strings.HasPrefix(answer, "200 ") {
			t.Fatalf("%s: %s", name, answer)
		}
	}
	c.env = append(env, "SUCAI_FROM=first", "SUCAI_TO="+db, "SUCAI_TO_BLOBS="+bucket, "SUCAI_GRANTS=true")
	if out := c.must(t, "copy"); !strings.Contains(out, "materials=60\n") {
		t.Errorf("%s", out)
	}
	must(t, source.stop())
	c.env = append(env, "SUCAI_FROM="+db, "SUCAI_FROM_BLOBS="+bucket, "SUCAI_TO=second", "SUCAI_GRANTS=true")
	c.must(t, "copy")
	for _, at := range [][]string{{"SUCAI_DB=" + db, "SUCAI_BLOBS=" + bucket}, {"SUCAI_DATA=second"}} {
		c.env = append(env, at...)
		if out := c.must(t, "verify"); !strings.Contains(out, "materials=60\nblobs=56\n") {
			t.Errorf("%s", out)
		}
		p, err := startServer(binary(t), c.env, dir, "--url", ownBase)
		must(t, err)
		defer p.kill()
		if diff := cmp.Diff(want, answers(t, p.endpoint, token)); diff != "" {
			t.Errorf("%s answers (-source +copy):\n%s", at[0], diff)
		}
		must(t, p.stop())
	}
	// Left alone now: a server has run on both.
	c.env = append(env, "SUCAI_FROM=first", "SUCAI_TO="+db, "SUCAI_TO_BLOBS="+bucket)
	if _, errs, err := c.run(t, "copy"); err == nil || !strings.Contains(errs, "on which a server has run since") {
		t.Errorf("%v, %s", err, errs)
	}
}

// A store moves to other machines while clients write: what a server acknowledged is
// there behind the last pass, byte for byte, and what was deleted is not.
func TestMoveWhileServed(t *testing.T) {
	t.Parallel()
	db, bucket, env := newOutgrown(t).beside()
	env = append(env, "SUCAI_ACCOUNTS=wxone:s1")
	dir := t.TempDir()
	source, err := startServer(binary(t), env, dir, "--data", "first")
	must(t, err)
	defer source.kill()
	l := newLedger()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var wg sync.WaitGroup
	for w := range 3 {
		wg.Go(func() {
			client := newClientFor(source)
			defer client.HTTP.CloseIdleConnections()
			load(ctx, client, l, rand.New(rand.NewPCG(uint64(w), 9)))
		})
	}
	written := func(n int) {
		t.Helper()
		for end := time.Now().Add(startTime); ; time.Sleep(10 * time.Millisecond) {
			var have int
			l.write(func() { have = len(l.kept) })
			if have >= n {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%d of %d are written", have, n)
			}
		}
	}
	copying := program{append(env, "SUCAI_FROM=first", "SUCAI_TO="+db, "SUCAI_TO_BLOBS="+bucket), dir}
	written(20)
	copying.must(t, "copy")
	written(40)
	copying.must(t, "copy")
	cancel()
	wg.Wait()
	must(t, source.stop())
	copying.must(t, "copy")
	moved := append(env, "SUCAI_DB="+db, "SUCAI_BLOBS="+bucket)
	if out := (program{moved, dir}).must(t, "verify"); !strings.Contains(out, "missing=0\ndamaged=0\n") {
		t.Errorf("%s", out)
	}
	p, err := startServer(binary(t), moved, dir)
	must(t, err)
	defer p.kill()
	client := newClientFor(p)
	defer client.HTTP.CloseIdleConnections()
	check(t, client, l)
	if len(l.deleted) == 0 || len(l.news) == 0 {
		t.Errorf("%d deleted, %d news: nothing was tested", len(l.deleted), len(l.news))
	}
	must(t, p.stop())
}

// A copy that is killed, or told to end, at any moment is finished by the next.
func TestCopyBrokenOff(t *testing.T) {
	t.Parallel()
	materials := 150
	if storetest.Thorough() {
		materials = 450
	}
	first := filepath.Join(t.TempDir(), "first")
	fillImages(t, first, materials)
	t.Run("embedded", func(t *testing.T) {
		dir := t.TempDir()
		count := func() int {
			list, err := filepath.Glob(filepath.Join(dir, "second", "blobs", "[0-9a-f][0-9a-f]", "*"))
			must(t, err)
			return len(list)
		}
		breakOff(t, program{append(os.Environ(), "SUCAI_FROM="+first, "SUCAI_TO=second", "SUCAI_DATA=second"), dir}, materials, count)
	})
	t.Run("outgrown", func(t *testing.T) {
		db, bucket, env := newOutgrown(t).beside()
		s, err := blobs.OpenS3(bucket, t.TempDir())
		must(t, err)
		defer s.Close()
		count := func() (n int) {
			for after, ended := "", false; !ended; {
				names, next, err := s.List(t.Context(), after, time.Now().Add(time.Hour))
				must(t, err)
				n += len(names)
				after, ended = next, next == ""
			}
			return n
		}
		env = append(env, "SUCAI_FROM="+first, "SUCAI_TO="+db, "SUCAI_TO_BLOBS="+bucket, "SUCAI_DB="+db, "SUCAI_BLOBS="+bucket)
		breakOff(t, program{env, t.TempDir()}, materials, count)
	})
}

// fillImages makes a data directory of one account with so many images.
func fillImages(t testing.TB, dir string, n int) {
	t.Helper()
	ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, dir), library.Options{})
	must(t, err)
	a, _, err := ls.NewAccount(t.Context(), "wxone", "s1")
	must(t, err)
	l := ls.Of(a)
	var ms []*library.Material
	for i := range n {
		m := &library.Material{MediaID: fmt.Sprintf("m%04d", i), Type: wechat.Image, Number: library.NextNumber, Created: int64(i)}
		must(t, l.ImportFile(t.Context(), m, strings.NewReader(fmt.Sprint("picture ", i))))
		ms = append(ms, m)
	}
	_, err = l.Import(t.Context(), ms)
	must(t, err)
}

// settled gives a count that has stood for a while.
func settled(count func() int) int {
	for have := count(); ; {
		time.Sleep(300 * time.Millisecond)
		now := count()
		if now == have {
			return now
		}
		have = now
	}
}

// breakOff ends copies by turns when so many blobs have come, as count tells.
func breakOff(t *testing.T, c program, materials int, count func() int) {
	broken := 0
	for i, part := range []int{1, 40, 110, 60, 130} { // of 450
		more := 1 + part*materials/450
		before := settled(count) // what the last one had under way still comes
		cmd := exec.Command(binary(t), "copy")
		var errs bytes.Buffer
		cmd.Env, cmd.Dir, cmd.Stderr = c.env, c.dir, &errs
		must(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		signal := []os.Signal{os.Kill, os.Interrupt}[i%2]
		var err error
		for waiting := true; waiting; {
			select {
			case err = <-ended:
				waiting = false
			default:
				if count() >= before+more {
					cmd.Process.Signal(signal)
					err, waiting = <-ended, false
					break
				}
				time.Sleep(2 * time.Millisecond)
			}
		}
		if err == nil {
			continue // it was faster
		}
		broken++
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		if signal == os.Kill {
			if status := exit.Sys().(syscall.WaitStatus); !status.Signaled() {
				t.Errorf("%v: %s", err, &errs)
			}
		} else if exit.ExitCode() != 1 || errs.String() != "sucai: broken off: what was copied stays; the same command goes on from there\n" {
			t.Errorf("%v: %s", err, &errs)
		}
	}
	t.Logf("%d copies were broken off", broken)
	if broken < 2 {
		t.Errorf("%d copies were broken off: nothing was tested", broken)
	}
	c.must(t, "copy")
	want := fmt.Sprintf("materials=0\nunchanged=%d\nremoved=0\nbytes=0\nfailed=0\n", materials)
	if out := c.must(t, "copy"); !strings.HasSuffix(out, want) {
		t.Errorf("at the end:\n%s", out)
	}
	want = fmt.Sprintf("materials=%d\nblobs=%d\n", materials, materials)
	if out := c.must(t, "verify"); !strings.Contains(out, want) || !strings.Contains(out, "missing=0\ndamaged=0\n") {
		t.Errorf("at the end:\n%s", out)
	}
	p, err := startServer(binary(t), c.env, c.dir)
	must(t, err)
	defer p.kill()
	client := newClientFor(p)
	defer client.HTTP.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), callTime)
	defer cancel()
	left := materials
	for it, err := range client.All(ctx, wechat.Image) {
		must(t, err)
		if left--; it.MediaID != fmt.Sprintf("m%04d", left) {
			t.Fatalf("%s stands at the place of %d", it.MediaID, left)
		}
	}
	must(t, p.stop())
}

// Memory grows neither with the number of materials nor with their size.
func TestMovingMemory(t *testing.T) {
	t.Parallel()
	news, size, most := 32, 4<<20, 110 // the last in MB
	if storetest.Thorough() {
		news, size, most = 24, 8<<20, 150
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Log("memory is measured on Linux only")
		return
	}
	path, dir := build(t), t.TempDir()
	ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, filepath.Join(dir, "first")), library.Options{})
	must(t, err)
	a, _, err := ls.NewAccount(t.Context(), "wxone", "s1")
	must(t, err)
	for i := range news {
		m := &library.Material{MediaID: fmt.Sprint("news", i), Type: wechat.News, Number: library.NextNumber}
		ls.Of(a).SetArticles(m, []wechat.Article{{Title: "t", Content: strings.Repeat("x", size)}}, ownBase)
		_, err := ls.Of(a).Import(t.Context(), []*library.Material{m})
		must(t, err)
	}
	for _, args := range [][]string{{"copy", "--from", "first", "--to", "second"}, {"verify", "--data", "second"}, {"backup", "one.tar", "--data", "second"}, {"restore", "one.tar", "--data", "third"}} {
		cmd := exec.Command(path, args...)
		var out bytes.Buffer
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &out
		must(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		used, looks := 0, 0
		for running := true; running; {
			select {
			case err = <-ended:
				running = false
			case <-time.After(10 * time.Millisecond):
				if mb, err := memoryOf(cmd, "VmHWM"); err == nil { // it may have ended
					used, looks = mb, looks+1
				}
			}
		}
		if err != nil || !strings.Contains(out.String(), fmt.Sprintf("materials=%d\n", news)) || looks == 0 {
			t.Fatalf("%v: %v after %d looks\n%s", args, err, looks, &out)
		}
		t.Logf("%s: %d MB", args[0], used)
		if used > most {
			t.Errorf("%s takes %d MB, at most %d are wanted", args[0], used, most)
		}
	}
}

// A copy that broke off is no store: nothing takes it for one, unless its owner says so.
func TestUnfinishedCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ls, err := library.Open(t.Context(), storetest.EmbeddedAt(t, filepath.Join(dir, "source")), library.Options{})
	must(t, err)
	a, _, err := ls.NewAccount(t.Context(), "wxone", "s1")
	must(t, err)
	for i := range 2 {
		m := &library.Material{MediaID: fmt.Sprint("news", i), Type: wechat.News, Number: library.NextNumber}
		ls.Of(a).SetArticles(m, []wechat.Article{{Title: "t", Content: "x"}}, ownBase)
		_, err := ls.Of(a).Import(t.Context(), []*library.Material{m})
		must(t, err)
	}
	t.Run("copy", func(t *testing.T) {
		broken, cancel := context.WithCancel(t.Context())
		_, err = ls.Copy(broken, storetest.EmbeddedAt(t, filepath.Join(dir, "copy")), library.CopyOptions{Watch: library.Watch{Progress: func(int64, int64) { cancel() }}})
		if err == nil {
			t.Fatal("it came to its end")
		}
	})
	run := func(args ...string) (out string, err error) {
		cmd := exec.Command(binary(t), args...)
		cmd.Dir = dir
		text, err := cmd.CombinedOutput()
		return string(text), err
	}
	for _, args := range [][]string{
		{"verify", "--data", "copy"}, {"backup", "one.tar", "--data", "copy"}, {"serve", "--listen", "127.0.0.1:0", "--data", "copy"}, {"copy", "--from", "copy", "--to", "second"},
	} {
		if out, err := run(args...); err == nil || !strings.Contains(out, "a copy that is not finished") {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
	if out, err := run("serve", "--listen", "127.0.0.1:0", "--data", "none", "--accept-unfinished-copy"); err == nil || !strings.Contains(out, "there is no store") {
		t.Errorf("of nothing: %v\n%s", err, out)
	}
	p, err := startServer(binary(t), os.Environ(), dir, "--data", "copy", "--accept-unfinished-copy")
	must(t, err)
	defer p.kill()
	must(t, p.stop())
	if !strings.Contains(p.err.String(), "what was not copied is missing") {
		t.Errorf("the log:\n%s", p.err)
	}
	if out, err := run("verify", "--data", "copy"); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if out, err := run("copy", "--from", "source", "--to", "copy"); err == nil || !strings.Contains(out, "on which a server has run") {
		t.Errorf("copied again: %v\n%s", err, out)
	}
}
