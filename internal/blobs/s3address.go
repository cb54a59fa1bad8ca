package blobs

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"
)

// s3Address is where a bucket is, and where in it the blobs are.
type s3Address struct {
	bucket string
	prefix string // empty, or ends in a slash
	host   string // of the endpoint, with its port where it has one
	secure bool   // https
	region string // empty: the store is asked
}

const s3Form = "s3://BUCKET/PREFIX?endpoint=http://HOST:PORT&region=REGION is wanted"

// IsS3 tells whether an address is for OpenS3.
func IsS3(address string) bool { return strings.HasPrefix(address, "s3://") }

// parseS3 reads an address. Errors never show it whole: by mistake it may hold a secret.
func parseS3(address string) (a s3Address, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return a, errors.New("the address of the bucket cannot be read: " + s3Form)
	}
	if u.User != nil {
		return a, errors.New("the address of the bucket holds credentials, which others could read there: " +
			"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them to the shared AWS file")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, errors.New("what follows the ? in the address of the bucket cannot be read: " + s3Form)
	}
	for key, values := range query {
		switch {
		case key != "endpoint" && key != "region":
			return a, fmt.Errorf("the address of the bucket has %q, it can have endpoint and region only: credentials come from "+
				"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the shared AWS file or the machine's role", key)
		case len(values) > 1:
			return a, fmt.Errorf("the address of the bucket has %s twice", key)
		}
	}
	a.bucket, a.region = u.Host, query.Get("region")
	if u.Scheme != "s3" || a.bucket == "" || u.Port() != "" || u.Fragment != "" {
		return a, errors.New("the address of the bucket names no bucket: " + s3Form)
	}
	if err := s3utils.CheckValidBucketNameStrict(a.bucket); err != nil {
		return a, fmt.Errorf("no bucket can be called %q: %w", a.bucket, err)
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		if a.prefix = prefix + "/"; path.Clean(prefix) != prefix || strings.HasPrefix(prefix, "..") {
			return a, fmt.Errorf("the bucket's prefix %q has empty parts or dots: choose another", prefix)
		}
	}
	a.host, a.secure = "s3.amazonaws.com", true
	if endpoint := query.Get("endpoint"); endpoint != "" {
		e, err := url.Parse(endpoint)
		if err == nil && e.User != nil {
			return a, errors.New("the bucket's endpoint holds credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead")
		}
		if err != nil || (e.Scheme != "http" && e.Scheme != "https") || e.Host == "" || strings.Trim(e.Path, "/") != "" || e.RawQuery != "" {
			return a, errors.New("the bucket's endpoint is not of the form http://HOST:PORT or https://HOST")
		}
		a.host, a.secure = e.Host, e.Scheme == "https"
	}
	return a, nil
}

// String names the place for messages.
func (a s3Address) String() string {
	scheme := "http://"
	if a.secure {
		scheme = "https://"
	}
	return "s3://" + a.bucket + "/" + strings.TrimSuffix(a.prefix, "/") + " at " + scheme + a.host
}
