package blobs

import (
	"strings"
	"testing"
)

func TestS3Addresses(t *testing.T) {
	for address, want := range map[string]s3Address{
		"s3://bucket":                               {bucket: "bucket", host: "s3.amazonaws.com", secure: true},
		"s3://bucket/?region=eu-west-1":             {bucket: "bucket", host: "s3.amazonaws.com", secure: true, region: "eu-west-1"},
		"s3://bucket/a/b/?endpoint=http://h:9000":   {bucket: "bucket", prefix: "a/b/", host: "h:9000"},
		"s3://bucket/a?endpoint=https://h/&region=": {bucket: "bucket", prefix: "a/", host: "h", secure: true},
	} {
		if got, err := parseS3(address); err != nil || got != want {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
	for address, want := range map[string]string{
		"s3://":                                     "names no bucket",
		"s3:///prefix":                              "names no bucket",
		"s3://bucket:80/x":                          "names no bucket",
		"s3://B/x":                                  "no bucket can be called",
		"s3://key:hunter2@bucket/x":                 "AWS_SECRET_ACCESS_KEY",
		"s3://bucket/%zz?hunter2":                   "cannot be read",
		"s3://bucket/x?endpoint=%zz":                "cannot be read",
		"s3://bucket/x?secret_key=hunter2":          "AWS_SECRET_ACCESS_KEY",
		"s3://bucket/x?endpoint=http://k:hunter2@h": "AWS_SECRET_ACCESS_KEY",
		"s3://bucket/x?endpoint=localhost:9000":     "http://HOST:PORT",
		"s3://bucket/x?endpoint=http://h/path":      "http://HOST:PORT",
		"s3://bucket/x?region=a&region=b":           "twice",
		"s3://bucket/a//b":                          "empty parts",
		"s3://bucket/../b":                          "empty parts or dots",
	} {
		if _, err := parseS3(address); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
