package blobs

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"sucai/internal/library"
)

// S3 keeps blobs as objects of a bucket of an S3-compatible store: PREFIX/ab/cdef.., as
// Dir does. A blob is one request in either direction. No call waits for ever: 3 s for
// the head of an answer, 30 s without a byte of a body.
type S3 struct {
	core    *minio.Core
	network *http.Transport
	at      s3Address
	scratch string
	limits  limits
}

var _ library.Blobs = (*S3)(nil)

const (
	// maxConnections bounds the connections to the store. It is above what one node
	// has use for, and below what systems let a process have open.
	maxConnections = 256
	// attempts is how often a request is made that the store could not take. They fit,
	// with the pauses between, into the time for an answer.
	attempts = 3
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
	keys, err := findCredentials(&http.Client{Timeout: limits.answer, Transport: s.network})
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("credentials for blobs in %s: %w", at, err)
	}
	s.core, err = minio.NewCore(at.host, &minio.Options{
		Creds: keys, Secure: at.secure, Region: at.region, Transport: s.network, MaxRetries: attempts,
	})
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("blobs in %s: %w", at, err)
	}
	return s, nil
}

// String names the place, without what is secret.
func (s *S3) String() string { return s.at.String() }

// Close lets go of connections that nobody uses.
func (s *S3) Close() error {
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
	if err := s.store(ctx, s.key(b.Name), tmp, b.Size, b.Name[:sumLen], minio.PutObjectOptions{}); err != nil {
		return library.Blob{}, s.explain(err)
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

// store puts an object that the store checks against its sha256, in hex.
func (s *S3) store(ctx context.Context, key string, r io.ReaderAt, size int64, sum string, opt minio.PutObjectOptions) error {
	w := watched(ctx, s.limits.answer)
	defer w.end()
	opt.DisableContentSha256 = true // the sum is of the whole, not of pieces on the way
	opt.ContentType = "application/octet-stream"
	_, err := s.core.PutObject(w, s.at.bucket, key, &sending{io.NewSectionReader(r, 0, size), w, s.limits}, size, "", sum, opt)
	return w.reason(err)
}

// Open implements library.Blobs. The reader's bytes come from the store while they are
// read; io.ErrUnexpectedEOF is the end of one that broke off.
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
	r, err := s.get(ctx, s.key(name), offset, length)
	switch s3Code(err) {
	case minio.NoSuchKey, minio.InvalidRange:
		if err := s.holds(ctx, name, offset+length); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, s.explain(err)
	}
	return r, nil
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
		return tooShort(name, have, size)
	}
	return nil
}

func tooShort(name string, have, want int64) error {
	return fmt.Errorf("blob %s has %d bytes, at least %d are wanted", name, have, want)
}

// get gives length bytes of an object, 1 or more, or fails before anything is handed out.
func (s *S3) get(ctx context.Context, key string, offset, length int64) (_ io.ReadCloser, err error) {
	w := watched(ctx, s.limits.answer)
	defer func() {
		if err != nil {
			w.end()
		}
	}()
	var opt minio.GetObjectOptions
	if err := opt.SetRange(offset, offset+length-1); err != nil {
		return nil, err
	}
	body, _, head, err := s.core.GetObject(w, s.at.bucket, key, opt)
	if err != nil {
		return nil, w.reason(err)
	}
	w.pause()
	if err := checkRange(head, offset, length); err != nil {
		body.Close()
		return nil, err
	}
	return s.receive(body, length, w), nil
}

// checkRange looks at an answer's head for the range that was asked for.
func checkRange(head http.Header, offset, length int64) error {
	var first, last, size int64
	text := head.Get("Content-Range")
	if text == "" { // all of it, from a store that does not know ranges
		_, err := fmt.Sscanf(head.Get("Content-Length"), "%d", &size)
		if err == nil && offset == 0 && size >= length {
			return nil
		}
	} else if _, err := fmt.Sscanf(text, "bytes %d-%d/%d", &first, &last, &size); err == nil && first == offset && last == offset+length-1 {
		return nil
	}
	return fmt.Errorf("%d bytes at %d are wanted, the store offers %q of %q", length, offset, text, head.Get("Content-Length"))
}

// Remove implements library.Blobs.
func (s *S3) Remove(ctx context.Context, name string) error {
	if !isName(name) {
		return nil
	}
	w := watched(ctx, s.limits.answer)
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
	w := watched(ctx, s.limits.answer)
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
