package blobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
)

// Claim implements library.Blobs.
func (s *S3) Claim(ctx context.Context, place string, first bool) error {
	have, err := s.marker(ctx)
	if err == nil && have == "" {
		have, err = s.mark(ctx, place, first)
	}
	if err != nil {
		return err
	}
	if have != place {
		return fmt.Errorf("the blobs in %s belong to another database (its place is called %s, not %s): check --db and --blobs", s.at, have, place)
	}
	return nil
}

// noBlobs is of a place that is empty, though a database has its blobs somewhere.
func noBlobs(place string) error {
	return fmt.Errorf("there are no blobs in %s, but the database has some elsewhere: check --db and --blobs", place)
}

// Exists tells whether a store has claimed the place.
func (s *S3) Exists(ctx context.Context) (bool, error) {
	have, err := s.marker(ctx)
	return have != "", err
}

// mark leaves the marker where nothing is yet, and gives the id that stands there then:
// another's, where two came at once.
func (s *S3) mark(ctx context.Context, place string, first bool) (have string, err error) {
	list, err := s.page(ctx, s.at.prefix, "", 1)
	if err != nil {
		return "", err
	}
	if len(list) > 0 {
		return "", fmt.Errorf("%s holds something, but not the object %s that ties blobs to their database: choose an empty bucket or another prefix for --blobs", s.at, marker)
	}
	if !first {
		return "", noBlobs(s.at.String())
	}
	text := place + "\n"
	sum := sha256.Sum256([]byte(text))
	put := func(opt minio.PutObjectOptions) error {
		_, err := s.store(ctx, s.at.prefix+marker, strings.NewReader(text), int64(len(text)), hex.EncodeToString(sum[:]), opt)
		return err
	}
	var ifNone minio.PutObjectOptions
	ifNone.SetMatchETagExcept("*")
	err = put(ifNone)
	var refused minio.ErrorResponse
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotImplemented {
		err = put(minio.PutObjectOptions{}) // a store without conditions
	}
	if err != nil && s3Code(err) != minio.PreconditionFailed && s3Code(err) != "ConditionalRequestConflict" {
		return "", s.explain(err)
	}
	if have, err = s.marker(ctx); err == nil && have == "" {
		err = fmt.Errorf("%s did not keep the object %s that was just written", s.at, marker)
	}
	return have, err
}

// marker gives the id in the marker, "" where there is none.
func (s *S3) marker(ctx context.Context) (string, error) {
	key := s.at.prefix + marker
	list, err := s.page(ctx, key, "", 1)
	if err != nil || len(list) == 0 || list[0].Key != key {
		return "", err
	}
	if list[0].Size == 0 || list[0].Size > 1000 {
		return "", fmt.Errorf("%s: the object %s was not written by sucai: it has %d bytes", s.at, marker, list[0].Size)
	}
	r, _, err := s.get(ctx, key, 0, list[0].Size)
	if err != nil {
		return "", s.explain(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	return strings.TrimSpace(string(text)), err
}

// Ready implements library.Blobs, by one byte of the marker.
func (s *S3) Ready(ctx context.Context) error {
	r, _, err := s.get(ctx, s.at.prefix+marker, 0, 1)
	if err != nil {
		return s.explain(err)
	}
	return r.Close()
}
