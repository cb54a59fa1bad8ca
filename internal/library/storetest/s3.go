package storetest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
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
// server that runs while a test has use for it. The credentials are in the environment,
// which parallel tests share, until the last of them ends. Where there is no server, it is Missing.
func S3(t testing.TB) string {
	t.Helper()
	address := os.Getenv("TEST_S3_URL")
	if address == "" {
		server, err := borrowS3()
		if err != nil {
			Missing(t, err)
		}
		t.Cleanup(func() { returnS3(t) })
		address = server.Address(server.Host)
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
	server *S3Server
	users  int
	before map[string]string // of the environment; without what was not there
}

func borrowS3() (*S3Server, error) {
	sharedS3.Lock()
	defer sharedS3.Unlock()
	if sharedS3.users == 0 {
		server, err := StartS3()
		if err != nil {
			return nil, err
		}
		sharedS3.server, sharedS3.before = server, map[string]string{}
		for _, pair := range server.Env() {
			name, value, _ := strings.Cut(pair, "=")
			if before, is := os.LookupEnv(name); is {
				sharedS3.before[name] = before
			}
			if err := os.Setenv(name, value); err != nil {
				return nil, errors.Join(err, server.Stop())
			}
		}
	}
	sharedS3.users++
	return sharedS3.server, nil
}

func returnS3(t testing.TB) {
	sharedS3.Lock()
	defer sharedS3.Unlock()
	if sharedS3.users--; sharedS3.users > 0 {
		return
	}
	for _, pair := range sharedS3.server.Env() {
		name, _, _ := strings.Cut(pair, "=")
		os.Unsetenv(name)
		if before, is := sharedS3.before[name]; is {
			os.Setenv(name, before)
		}
	}
	if err := sharedS3.server.Stop(); err != nil {
		t.Error(err)
	}
	sharedS3.server = nil
}

// S3Server is a server that tests have started.
type S3Server struct {
	*guard
	Host string // where it listens
}

const s3Bucket = "sucai-tests"

// Address is that of the server's bucket for who reaches the server at a host.
func (s *S3Server) Address(host string) string {
	return "s3://" + s3Bucket + "?region=us-east-1&endpoint=" + url.QueryEscape("http://"+host)
}

// Env is the credentials of the server's bucket.
func (s *S3Server) Env() []string {
	return []string{"AWS_ACCESS_KEY_ID=" + s3Key, "AWS_SECRET_ACCESS_KEY=" + s3Secret}
}

// StartS3 starts a server with an empty bucket. It ends, and its files with it, when Stop
// is called or this process ends in any way.
func StartS3() (*S3Server, error) {
	program, err := findS3()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "sucai-s3-")
	if err != nil {
		return nil, err
	}
	buckets := filepath.Join(dir, "buckets")
	port, err := freePort()
	if err := errors.Join(err, os.MkdirAll(filepath.Join(buckets, s3Bucket), 0o700)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &S3Server{Host: fmt.Sprintf("127.0.0.1:%d", port)}
	s.guard, err = startGuard(dir, "KILL", "TERM", nil, program,
		"--quiet", "--keep-alive", "--port", s.Host, "--access", s3Key, "--secret", s3Secret, "posix", buckets)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.answers(); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Start makes a server run again that was halted, and waits until it answers.
func (s *S3Server) Start() error {
	if err := s.tell("start"); err != nil {
		return err
	}
	return s.answers()
}

// answers waits until somebody may connect.
func (s *S3Server) answers() error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if conn, err := net.Dial("tcp", s.Host); err == nil {
			return conn.Close()
		}
	}
	return fmt.Errorf("versitygw does not listen on %s:\n%s", s.Host, s.said())
}

// findS3 looks where .ci/setup puts the server.
func findS3() (string, error) {
	if err := alone(); err != nil {
		return "", err
	}
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
