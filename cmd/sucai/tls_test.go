package main

import (
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
	"path/filepath"
	"testing"
	"time"

	"sucai/wechat"
)

// writeKeyPair makes a certificate for 127.0.0.1, and hosts, with a serial number of its own.
func writeKeyPair(t *testing.T, dir string, serial int64, hosts ...string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: hosts,
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
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "PRIVATE KEY", Bytes: keyDER}} {
		data := pem.EncodeToMemory(block)
		pool.AppendCertsFromPEM(data)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}

func TestHTTPS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pool := writeKeyPair(t, dir, 1)
	p, err := startServer(binary(t), append(os.Environ(), "SUCAI_ACCOUNTS=wxone:s1"), dir, "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--require-https")
	if err != nil {
		t.Fatal(err)
	}
	defer p.stop()
	get := func(pool *x509.CertPool) (*http.Response, error) {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
		defer tr.CloseIdleConnections()
		c := &wechat.Client{Endpoint: p.endpoint, AppID: "wxone", Secret: "s1", HTTP: &http.Client{Transport: tr}}
		if _, err := c.GetMaterialCount(t.Context()); err != nil {
			return nil, err
		}
		res, err := c.HTTP.Get(p.endpoint + "/_sucai/health")
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	res, err := get(pool)
	if err != nil {
		t.Fatal(err)
	}
	if res.Proto != "HTTP/2.0" || res.TLS.PeerCertificates[0].SerialNumber.Int64() != 1 {
		t.Errorf("%s, certificate %s", res.Proto, res.TLS.PeerCertificates[0].SerialNumber)
	}

	// A broken pair changes nothing; a good one is taken within a second or two.
	if err := os.WriteFile(filepath.Join(dir, "cert.pem"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1100 * time.Millisecond)
	if _, err := get(pool); err != nil {
		t.Errorf("with a broken file: %v", err)
	}
	fresh := writeKeyPair(t, dir, 2)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		res, err := get(fresh)
		if err == nil {
			if n := res.TLS.PeerCertificates[0].SerialNumber.Int64(); n != 2 {
				t.Errorf("certificate %d", n)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the new certificate is not served: %v", err)
		}
	}
}
