package storetest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// versitygw is the S3 server of the tests. .ci/setup reads its version here.
const versitygw = "v1.8.0"

// The key of the server that the tests start.
const (
	s3Key    = "sucai-tests"
	s3Secret = "no secret at all"
)

// S3 gives an address for blobs that nothing else uses, in the store that TEST_S3_URL
// names (s3://BUCKET?endpoint=.., its credentials in the environment), or else in a
// server that runs while a test has use for it. The credentials are in the environment
// until the test ends. Where there is no server the test is skipped, or fails where CI
// is set.
func S3(t testing.TB) string {
	t.Helper()
	address := os.Getenv("TEST_S3_URL")
	if address == "" {
		server, err := borrowS3()
		if err != nil {
			if os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
		t.Cleanup(returnS3)
		t.Setenv("AWS_ACCESS_KEY_ID", s3Key)
		t.Setenv("AWS_SECRET_ACCESS_KEY", s3Secret)
		address = server.address()
	}
	address, err := newPrefix(address)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// newPrefix gives an address in a bucket that nothing else uses.
func newPrefix(bucket string) (string, error) {
	u, err := url.Parse(bucket)
	if err != nil {
		return "", errors.New("TEST_S3_URL cannot be read")
	}
	return u.JoinPath("test-" + rand.Text()).String(), nil
}

// sharedS3 is the running server and the number of tests that use it: starting it takes
// a tenth of a second, and a process for each test would cost more memory than one.
var sharedS3 struct {
	sync.Mutex
	server *s3Server
	users  int
}

func borrowS3() (*s3Server, error) {
	sharedS3.Lock()
	defer sharedS3.Unlock()
	if sharedS3.users == 0 {
		server, err := startS3()
		if err != nil {
			return nil, err
		}
		sharedS3.server = server
	}
	sharedS3.users++
	return sharedS3.server, nil
}

func returnS3() {
	sharedS3.Lock()
	defer sharedS3.Unlock()
	if sharedS3.users--; sharedS3.users == 0 {
		sharedS3.server.stop()
		sharedS3.server = nil
	}
}

type s3Server struct {
	root  string
	host  string
	input io.Closer // the server ends when it is closed
	ended chan struct{}
	said  bytes.Buffer // to be looked at when it has ended
}

func (s *s3Server) address() string {
	return "s3://" + s3Bucket + "?region=us-east-1&endpoint=" + url.QueryEscape("http://"+s.host)
}

const s3Bucket = "sucai-tests"

// untilClosed runs a command in a shell until standard input ends, also when that is
// because this process was killed: no server outlives its tests.
const untilClosed = `"$@" & pid=$!; cat >/dev/null; kill $pid; wait $pid`

func startS3() (*s3Server, error) {
	program, err := findS3()
	if err != nil {
		return nil, err
	}
	s := &s3Server{ended: make(chan struct{})}
	if s.root, err = os.MkdirTemp("", "sucai-s3-"); err != nil {
		return nil, err
	}
	if err := errors.Join(os.Mkdir(s.bucket(), 0o700), s.run(program)); err != nil {
		os.RemoveAll(s.root)
		return nil, err
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if conn, err := net.Dial("tcp", s.host); err == nil {
			return s, conn.Close()
		}
	}
	s.stop()
	return nil, fmt.Errorf("versitygw does not listen on %s:\n%s", s.host, &s.said)
}

// bucket is the directory that the server serves as the bucket.
func (s *s3Server) bucket() string { return filepath.Join(s.root, s3Bucket) }

func (s *s3Server) run(program string) error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.host = free.Addr().String()
	free.Close()
	cmd := exec.Command("sh", "-c", untilClosed, "sh", program,
		"--quiet", "--keep-alive", "--port", s.host, "--access", s3Key, "--secret", s3Secret, "posix", s.root)
	cmd.Stdout, cmd.Stderr = &s.said, &s.said
	if s.input, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(s.ended)
		cmd.Wait()
	}()
	return nil
}

func (s *s3Server) stop() {
	s.input.Close()
	<-s.ended
	os.RemoveAll(s.root)
}

// findS3 looks where .ci/setup puts the server.
func findS3() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(cache, "sucai", "versitygw-"+versitygw)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("there is no S3 server to test with: .ci/setup builds it, or TEST_S3_URL names one (%w)", err)
	}
	return path, nil
}
