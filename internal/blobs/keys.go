package blobs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// keys are credentials for credentials.New. Where they expire the next ones are asked for
// in time, and nobody waits for that while the old ones are good. When they are not, calls
// fail: unlike those of credentials.Chain, which then go out unsigned.
type keys struct {
	of     string // whose they are, for messages
	source credentials.Provider
	client *http.Client
	now    func() time.Time
	ctx    context.Context // of asking
	stop   context.CancelFunc

	mu    sync.Mutex
	value credentials.Value
	isNew bool          // value was not handed out yet
	next  time.Time     // when to ask again; zero: never
	asks  chan struct{} // closed when the asking that goes on has ended; nil while nobody asks
	since time.Time     // when it began
	err   error         // of the last time
}

var _ credentials.Provider = (*keys)(nil)

const (
	renewAt    = 0.8              // of the life of keys
	renewAgain = time.Second      // after a failure
	renewTime  = 10 * time.Second // for an answer, which may take several requests
	// renewWait is how long a call waits whose keys have expired, of its time for all.
	renewWait = time.Second
)

func newKeys(of string, source credentials.Provider, client *http.Client) *keys {
	k := &keys{of: of, source: source, client: client, now: time.Now}
	k.ctx, k.stop = context.WithCancel(context.Background())
	return k
}

// ask asks for credentials. Beside an error it may give half of them.
func (k *keys) ask() (credentials.Value, error) {
	ctx, cancel := context.WithTimeout(k.ctx, renewTime)
	defer cancel()
	v, err := k.source.RetrieveWithCredContext(&credentials.CredContext{Client: k.client, Context: ctx})
	switch {
	case err != nil:
	case v.AccessKeyID == "" || v.SecretAccessKey == "":
		err = errors.New("they are empty")
	case !v.Expiration.IsZero() && !k.now().Before(v.Expiration):
		err = errors.New("they have expired already: is the clock of this machine right?")
	}
	if _, isFile := k.source.(*credentials.FileAWSCredentials); isFile && err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = errFile
	}
	return v, err
}

// take keeps what ask gave.
func (k *keys) take(v credentials.Value, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err = err
	if err == nil {
		k.value, k.isNew, k.next = v, true, time.Time{}
	}
	if left := k.value.Expiration.Sub(k.now()); err != nil {
		k.next = k.now().Add(renewAgain)
	} else if !v.Expiration.IsZero() {
		k.next = k.now().Add(max(renewAgain, time.Duration(renewAt*float64(left))))
	}
	if k.asks != nil {
		close(k.asks)
		k.asks = nil
	}
}

// look tells whether the keys are good now, and asks for the next ones when it is time. The
// caller holds mu.
func (k *keys) look() bool {
	now := k.now()
	if !k.next.IsZero() && !now.Before(k.next) && k.asks == nil && k.ctx.Err() == nil {
		k.asks, k.since = make(chan struct{}), time.Now()
		go func() { k.take(k.ask()) }()
	}
	return k.value.Expiration.IsZero() || now.Before(k.value.Expiration)
}

// IsExpired implements credentials.Provider: there is something to hand out, or to say.
func (k *keys) IsExpired() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.look() || k.isNew
}

// Retrieve implements credentials.Provider.
func (k *keys) Retrieve() (credentials.Value, error) { return k.RetrieveWithCredContext(nil) }

// RetrieveWithCredContext implements credentials.Provider. Who calls holds a lock for which
// other calls wait, whatever their time is: so it takes little.
func (k *keys) RetrieveWithCredContext(*credentials.CredContext) (credentials.Value, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	good := k.look()
	if asks := k.asks; !good && asks != nil {
		enough := time.NewTimer(time.Until(k.since.Add(renewWait)))
		defer enough.Stop()
		k.mu.Unlock()
		select {
		case <-asks:
		case <-enough.C:
		}
		k.mu.Lock()
		good = k.look()
	}
	if !good {
		why := k.err
		if why == nil {
			why = errors.New("no answer yet")
		}
		return credentials.Value{}, fmt.Errorf("the credentials %s could not be renewed, and have expired at %s: check that they are still given, and that what gives them can be reached (%w)",
			k.of, k.value.Expiration.UTC().Format(time.RFC3339), withoutAddress(why))
	}
	k.isNew = false
	return k.value, nil
}

// close ends asking, as far as that heeds it.
func (k *keys) close() {
	k.stop()
	k.mu.Lock()
	asks := k.asks
	k.mu.Unlock()
	if asks == nil {
		return
	}
	select {
	case <-asks:
	case <-time.After(time.Second): // a program that a profile names does not
	}
}
