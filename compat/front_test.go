package compat

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// front is a real nginx with deploy/nginx.conf.
type front struct {
	plain, secure string // its addresses
	pool          *x509.CertPool
	dir           string // of access.log and error.log
}

// startNginx puts it before two nodes; only their addresses, its own and the place of its
// certificate are replaced in the file.
func startNginx(t *testing.T, node1, node2 string) *front {
	t.Helper()
	program := tool(t, "nginx")
	dir, plain, secure := t.TempDir(), freeAddress(t), freeAddress(t)
	f := &front{plain: "http://" + plain, secure: "https://" + secure, pool: writeCertificate(t, dir), dir: dir}
	snippet, err := os.ReadFile("../deploy/nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := replaceEach(t, string(snippet),
		"server node1:8080 ", "server "+strings.TrimPrefix(node1, "http://")+" ", "server node2:8080 ", "server "+strings.TrimPrefix(node2, "http://")+" ",
		"listen 80;", "listen "+plain+";", "listen 443 ssl;", "listen "+secure+" ssl;", "/etc/nginx/tls/", dir+"/", "/var/log/nginx/", dir+"/")
	around := "daemon off; pid nginx.pid; error_log stderr warn; events {} http { include sucai.conf; "
	if os.Getuid() == 0 {
		around = "user root; " + around // the directory is ours alone
	}
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		around += what + "_temp_path " + what + "; "
	}
	for name, text := range map[string]string{"sucai.conf": text, "nginx.conf": around + "}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr"}
	if out, err := exec.Command(program, append(args, "-t")...).CombinedOutput(); err != nil || bytes.Contains(out, []byte("[warn]")) {
		t.Fatalf("deploy/nginx.conf: %v\n%s", err, out)
	}
	var log bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("nginx: %v", err)
		}
		if t.Failed() {
			t.Logf("nginx says:\n%s", &log)
		}
	})
	until(t, "nginx listens", func() error {
		c, err := net.Dial("tcp", secure)
		if err == nil {
			err = c.Close()
		}
		return err
	})
	return f
}

// api is a client that comes from an address of this machine.
func (f *front) api(t *testing.T, from string) *api {
	tr := &http.Transport{
		TLSClientConfig:       &tls.Config{RootCAs: f.pool},
		DialContext:           (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext,
		ExpectContinueTimeout: time.Minute, // a body goes out when it is asked for
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &api{t: t, endpoint: f.secure, client: http.Client{Transport: tr, Timeout: 2 * time.Minute}}
}

// replaceEach is strings.NewReplacer, but each old text must be there.
func replaceEach(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%q is not there", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// until waits for what takes a while.
func until(t *testing.T, what string, ready func() error) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		err := ready()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// freeAddress is one on which nobody listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// writeCertificate writes fullchain.pem and privkey.pem for 127.0.0.1, which the pool trusts.
func writeCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for name, block := range map[string]*pem.Block{"fullchain.pem": {Type: "CERTIFICATE", Bytes: der}, "privkey.pem": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		data := pem.EncodeToMemory(block)
		pool.AppendCertsFromPEM(data)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}
