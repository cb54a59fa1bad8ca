package blobs

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7"
)

// s3Code gives what the store called an error, or "".
func s3Code(err error) string {
	var e minio.ErrorResponse
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// explain makes one line of trouble with the store: where, what, and what to do.
func (s *S3) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err // the caller's wish
	}
	return fmt.Errorf("blobs in %s: %w", s.at, explained(err))
}

func explained(err error) error {
	var e minio.ErrorResponse
	if errors.As(err, &e) {
		if way := wayOut(e); way != "" {
			return fmt.Errorf("%s (%w)", way, err)
		}
		return fmt.Errorf("%w (%s)", err, e.Code)
	}
	var silent silence
	var network *url.Error
	var other stranger
	var garbled *xml.SyntaxError
	var wrong xml.UnmarshalError
	switch {
	case errors.As(err, &other):
		return fmt.Errorf("what answers is no S3: check the endpoint in --blobs, and what is between (%w)", other)
	case errors.As(err, &silent):
		return fmt.Errorf("%w: is it overloaded, or behind a firewall that drops what it refuses?", err)
	case errors.As(err, &network):
		return fmt.Errorf("it cannot be reached: check the endpoint in --blobs, and that the store runs (%w)", network.Err)
	case errors.As(err, &garbled), errors.As(err, &wrong), errors.Is(err, io.EOF): // nothing at all, where XML is wanted
		return fmt.Errorf("what answers is no S3: check the endpoint in --blobs (%w)", err)
	}
	return err
}

// wayOut tells what is wrong and what to do about it, where the store's word says it.
func wayOut(e minio.ErrorResponse) string {
	switch e.Code {
	case minio.NoSuchBucket:
		if e.RequestID == "" { // stores give one, and the client makes this code of any page that is not found
			return "there is no such bucket: create it, or correct --blobs; if what answers is no S3, check the endpoint in --blobs"
		}
		return "there is no such bucket: create it, or correct --blobs"
	case minio.InvalidAccessKeyID, "XAdminUserNotFound":
		return "the access key is unknown there: check AWS_ACCESS_KEY_ID, or where else the credentials come from"
	case minio.SignatureDoesNotMatch:
		return "the secret key is wrong: check AWS_SECRET_ACCESS_KEY, or where else the credentials come from"
	case "ExpiredToken", "InvalidToken", "ExpiredTokenException":
		return "the session token is not valid any more: check AWS_SESSION_TOKEN, or where else the credentials come from"
	case "RequestTimeTooSkewed":
		return "its clock and that of this machine differ too much: set both, by NTP for instance"
	case minio.AuthorizationHeaderMalformed, minio.InvalidRegion, "PermanentRedirect", "IncorrectEndpoint", "IllegalLocationConstraintException":
		if e.Region != "" {
			return "the bucket is in the region " + e.Region + ": correct region in --blobs"
		}
		return "the region is wrong: correct region in --blobs"
	case minio.AccessDenied:
		return "access is denied: the credentials must allow to list the bucket, and to get, put and delete objects"
	}
	switch {
	case e.StatusCode == http.StatusServiceUnavailable, e.StatusCode == http.StatusTooManyRequests:
		return "it is overloaded or not ready"
	case e.StatusCode >= 300 && e.StatusCode < 400:
		return "it sends us elsewhere: correct endpoint and region in --blobs"
	}
	return ""
}
