package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// keyPair is a certificate with its key, read again when its files change.
type keyPair struct {
	certFile, keyFile string

	mu      sync.Mutex
	cert    *tls.Certificate
	changed [2]time.Time // of the files, as read
	looked  time.Time
}

func loadKeyPair(certFile, keyFile string) (*keyPair, error) {
	if certFile == "" || keyFile == "" {
		return nil, usagef("--tls-cert and --tls-key go together")
	}
	k := &keyPair{certFile: certFile, keyFile: keyFile}
	return k, k.load()
}

func (k *keyPair) load() error {
	changed, err := k.times()
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	k.cert, k.changed = &cert, changed
	return nil
}

func (k *keyPair) times() (t [2]time.Time, err error) {
	for i, name := range []string{k.certFile, k.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return t, err
		}
		t[i] = info.ModTime()
	}
	return t, nil
}

func (k *keyPair) config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.current(), nil },
	}
}

// current looks at the files once a second at most, and keeps what it has while they
// do not fit together.
func (k *keyPair) current() *tls.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.looked) < time.Second {
		return k.cert
	}
	k.looked = time.Now()
	if t, err := k.times(); err != nil || t == k.changed {
		return k.cert
	}
	if err := k.load(); err != nil {
		slog.Warn("the certificate has changed and cannot be read; the one before it stays", "error", err)
		return k.cert
	}
	slog.Info("the certificate was read again")
	return k.cert
}
