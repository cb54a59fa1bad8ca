package blobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"sucai/internal/library"
)

// S3 keeps blobs as objects of a bucket of an S3-compatible store: PREFIX/ab/cdef.., as
// Dir does. A blob is one request in either direction. No call waits for ever: 3 s for
// the head of an answer, 30 s without a byte of a body.
type S3 struct {
	core    *minio.Core
	network *http.Transport
	keys    *keys // nil before they are found
	at      s3Address
	scratch string
	spare   atomic.Int64 // bytes that bodies may still move into scratch files
	limits  limits

	hot     *hotBlobs // nil without a cache
	filling context.Context
	stop    context.CancelFunc // of filling
	fills   sync.WaitGroup
}

var _ library.Blobs = (*S3)(nil)

const (
	// maxConnections bounds the connections to the store. It is above what one node
	// has use for, and below what systems let a process have open.
	maxConnections = 256
	// attempts is how often a request is made that the store could not take. They fit,
	// with the pauses between, into the time for an answer.
	attempts = 3
	// maxMoved bounds the bytes in scratch files for those who take blobs slowly, of which
	// anybody may have many.
	maxMoved = 1 << 30
	// pageSize is how many names a store lists at once.
	pageSize = 1000
)

// OpenS3 gives the store of an address s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=REGION.
// Without endpoint it is AWS; without region the store is asked for it. Credentials come
// from the environment, the shared AWS file or the machine's role, in that order, and
// are an error in the address. What is uploaded is first kept in files of the directory
// scratch, which is made where there is none. Whether the bucket is there, Claim tells.
func OpenS3(address, scratch string) (*S3, error) {
	at, err := parseS3(address)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(scratch, 0o700); err != nil {
		return nil, err
	}
	clearScratch(scratch)
	limits := usualLimits()
	s := &S3{at: at, scratch: scratch, limits: limits, network: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: limits.answer, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: limits.answer,
		MaxConnsPerHost:     maxConnections,
		MaxIdleConnsPerHost: maxConnections / 4,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // bytes are to come as they are stored
	}}
	s.filling, s.stop = context.WithCancel(context.Background())
	s.keys, err = findCredentials(roleClient(s.network, limits.answer))
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("credentials for blobs in %s: %w", at, err)
	}
	s.spare.Store(maxMoved)
	s.core, err = minio.NewCore(at.host, &minio.Options{
		Creds: credentials.New(s.keys), Secure: at.secure, Region: at.region, Transport: witness{s.network}, MaxRetries: attempts,
	})
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("blobs in %s: %w", at, err)
	}
	return s, nil
}

// String names the place, without what is secret.
func (s *S3) String() string { return s.at.String() }

// Close ends what goes on in the background and lets go of connections that nobody uses.
func (s *S3) Close() error {
	s.stop()
	s.fills.Wait()
	if s.keys != nil {
		s.keys.close()
	}
	s.network.CloseIdleConnections()
	return nil
}

func (s *S3) key(name string) string { return s.at.prefix + name[:2] + "/" + name[2:] }

// name gives the blob of a key, "" where it is none.
func (s *S3) name(key string) string {
	shard, rest, _ := strings.Cut(strings.TrimPrefix(key, s.at.prefix), "/")
	if name := shard + rest; len(shard) == 2 && isName(name) {
		return name
	}
	return ""
}

// Put implements library.Blobs. The store gets a request whose size and sha256 are
// known, and so can be made again when it fails; the name is new each time.
func (s *S3) Put(ctx context.Context, r io.Reader, accept func(io.ReaderAt, int64) error) (library.Blob, error) {
	tmp, err := s.scratchFile()
	if err != nil {
		return library.Blob{}, err
	}
	defer discard(tmp)
	b, err := receive(ctx, tmp, r, accept)
	if err != nil {
		return library.Blob{}, err
	}
	etag, err := s.store(ctx, s.key(b.Name), tmp, b.Size, b.Name[:sumLen], minio.PutObjectOptions{})
	if err != nil {
		return library.Blob{}, s.explain(err)
	}
	if !isSum(etag) { // then the word of who answers is not enough
		err := s.holds(ctx, b.Name, b.Size)
		if err == library.ErrNotFound {
			err = fmt.Errorf("blobs in %s: the store says that it keeps %s, and does not list it", s.at, b.Name)
		}
		if err != nil {
			return library.Blob{}, err
		}
	}
	return b, nil
}

const scratchNames = "blob-"

// scratchFile gives a file that is gone when discard is called or the process ends.
func (s *S3) scratchFile() (*os.File, error) {
	f, err := os.CreateTemp(s.scratch, scratchNames)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // where that is not possible, discard does it
	return f, nil
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// blobType is the type of our objects.
const blobType = "application/octet-stream"

// store puts an object that the store checks against its sha256, in hex.
func (s *S3) store(ctx context.Context, key string, r io.ReaderAt, size int64, sum string, opt minio.PutObjectOptions) (etag string, err error) {
	w := s.watched(ctx)
	defer w.end()
	opt.DisableContentSha256 = true // the sum is of the whole, not of pieces on the way
	opt.ContentType = blobType
	kept, err := s.core.PutObject(w, s.at.bucket, key, &sending{io.NewSectionReader(r, 0, size), w, s.limits}, size, "", sum, opt)
	return kept.ETag, w.reason(err)
}

// Open implements library.Blobs. The reader's bytes come from the store while they are
// read, or from the cache. A blob that another process has removed may be in the cache for
// a while, but no row names it any more.
func (s *S3) Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error) {
	if !isName(name) {
		return nil, library.ErrNotFound
	}
	if length == 0 {
		if err := s.holds(ctx, name, offset); err != nil {
			return nil, err
		}
		return http.NoBody, nil
	}
	if s.hot != nil {
		if r, err := s.hot.open(ctx, s, name, offset, length); err != errNotHot {
			return r, err
		}
	}
	r, _, err := s.fetch(ctx, name, offset, length)
	return r, err
}

// fetch opens a blob of which 1 byte or more is wanted in the store, and gives its size.
func (s *S3) fetch(ctx context.Context, name string, offset, length int64) (r io.ReadCloser, size int64, err error) {
	r, size, err = s.get(ctx, s.key(name), offset, length)
	var other rangeError
	if code := s3Code(err); code == minio.NoSuchKey || code == minio.InvalidRange || errors.As(err, &other) {
		if err := s.holds(ctx, name, offset+length); err != nil {
			return nil, 0, err
		}
	}
	if err != nil {
		return nil, 0, s.explain(err)
	}
	return r, size, nil
}

// holds asks the list whether a blob has at least size bytes: library.ErrNotFound where
// there is none. Unlike the status 404, which a proxy may have said too, a list tells
// absence from trouble.
func (s *S3) holds(ctx context.Context, name string, size int64) error {
	key := s.key(name)
	list, err := s.page(ctx, key, "", 1)
	if err != nil {
		return err
	}
	if len(list) == 0 || list[0].Key != key {
		return library.ErrNotFound
	}
	if have := list[0].Size; have < size {
		return &library.ShortError{Blob: name, Have: have, Want: size}
	}
	return nil
}

// Remove implements library.Blobs.
func (s *S3) Remove(ctx context.Context, name string) error {
	if !isName(name) {
		return nil
	}
	if s.hot != nil {
		defer s.hot.remove(name) // afterwards: one that comes in meanwhile goes too
	}
	w := s.watched(ctx)
	defer w.end()
	err := w.reason(s.core.RemoveObject(w, s.at.bucket, s.key(name), minio.RemoveObjectOptions{}))
	if s3Code(err) == minio.NoSuchKey && s.holds(ctx, name, 0) == library.ErrNotFound {
		return nil // few stores tell that there was nothing to remove
	}
	return s.explain(err)
}

// List implements library.Blobs. The times are of the store's clock. Uploads leave
// nothing unfinished in a bucket.
func (s *S3) List(ctx context.Context, after string, before time.Time) (names []string, next string, err error) {
	behind := ""
	switch {
	case len(after) > 2:
		behind = s.key(after)
	case after != "": // without a slash, behind which some stores would pass over all of ab/
		behind = s.at.prefix + after
	}
	for {
		list, err := s.page(ctx, s.at.prefix, behind, pageSize)
		if err != nil {
			return nil, "", err
		}
		for _, o := range list {
			name := s.name(o.Key)
			if name != "" {
				next = name
			}
			if name != "" && o.LastModified.Before(before) {
				names = append(names, name)
			}
		}
		if len(list) < pageSize {
			return names, "", nil
		}
		if next != "" {
			return names, next, nil
		}
		behind = list[len(list)-1].Key // none of these was a blob
	}
}

// page gives up to most objects with a prefix, in the order of their keys, that come
// behind one.
func (s *S3) page(ctx context.Context, prefix, after string, most int) ([]minio.ObjectInfo, error) {
	w := s.watched(ctx)
	defer w.end()
	if most > 1 {
		w.extend(s.limits.page)
	}
	var list []minio.ObjectInfo
	for o := range s.core.ListObjectsIter(w, s.at.bucket, minio.ListObjectsOptions{
		Prefix: prefix, StartAfter: after, MaxKeys: most, Recursive: true,
	}) {
		if o.Err != nil {
			return nil, s.explain(w.reason(o.Err))
		}
		if list = append(list, o); len(list) == most {
			return list, nil
		}
	}
	// A call that was ended gives no error here, and would look like an empty bucket.
	return list, s.explain(w.reason(w.Err()))
}

// clearScratch removes what uploads of processes that are gone left behind: little, where
// files that are open can be removed. Others may be at work in the directory.
func clearScratch(dir string) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return // uploads will tell
	}
	for _, f := range files {
		info, err := f.Info()
		if err == nil && strings.HasPrefix(f.Name(), scratchNames) && time.Since(info.ModTime()) > library.SweepAge {
			os.Remove(filepath.Join(dir, f.Name()))
		}
	}
}
