package blobs

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// findCredentials looks for credentials in the environment, the shared AWS file and the
// machine's role, in that order, and stays with where it found them. They are asked for
// now: later, having none would look as if access were denied.
func findCredentials(client *http.Client) (*keys, error) {
	role := &credentials.IAM{Client: client}
	if os.Getenv("AWS_WEB_IDENTITY_TOKEN_FILE")+os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")+os.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI") == "" {
		role.Endpoint = os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT") // where the machine's is not at the usual address
	}
	var fileErr, roleErr error
	for _, s := range []struct {
		of  string
		ask credentials.Provider
		err *error
	}{
		{"of the environment", &credentials.EnvAWS{}, new(error)},
		{"of the shared AWS file", &credentials.FileAWSCredentials{}, &fileErr},
		{"of the role", role, &roleErr},
	} {
		k := newKeys(s.of, s.ask, client)
		v, err := k.ask()
		if err == nil {
			k.take(v, nil)
			return k, nil
		}
		k.close()
		*s.err = err
		if v.AccessKeyID != "" || v.SecretAccessKey != "" {
			break // one without the other: what comes after is not what was meant
		}
	}
	text := "there are none: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, write them to the shared AWS file, or give the machine a role"
	if fileErr != nil && !errors.Is(fileErr, fs.ErrNotExist) {
		text += "; " + fileErr.Error()
	}
	if roleErr != nil {
		return nil, fmt.Errorf("%s (asked for a role: %w)", text, withoutAddress(roleErr))
	}
	return nil, errors.New(text)
}

// errFile stands for what is wrong with a file: that itself may be a line with a secret.
var errFile = errors.New("the shared AWS file cannot be read, or lacks the profile (AWS_PROFILE) or one of its two keys")

// withoutAddress leaves out the address of what gives credentials, which may hold a token.
func withoutAddress(err error) error {
	var network *url.Error
	if errors.As(err, &network) {
		return network.Err
	}
	return err
}

// roleClient asks for the credentials of a role. No proxy is there for what is asked without
// encryption: that is this machine or its host, and nobody else is to see the answer.
func roleClient(network *http.Transport, limit time.Duration) *http.Client {
	t := network.Clone()
	t.DisableKeepAlives = true // it is asked once in hours
	t.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" || network.Proxy == nil {
			return nil, nil
		}
		return network.Proxy(r)
	}
	return &http.Client{Timeout: limit, Transport: t}
}
