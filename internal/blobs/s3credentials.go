package blobs

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// findCredentials looks for credentials in the environment, the shared AWS file and the
// machine's role, in that order. They are asked for now: later, having none would look as
// if access were denied. Those of a role are asked for again before they expire.
func findCredentials(client *http.Client) (*credentials.Credentials, error) {
	file := &asked{Provider: &credentials.FileAWSCredentials{}}
	role := &asked{Provider: &credentials.IAM{Client: client}}
	keys := credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, file, role})
	found, err := keys.GetWithContext(nil)
	if err != nil || !found.SignerType.IsAnonymous() {
		return keys, err
	}
	// What is wrong with a file is not shown: it may be a line with a secret. Nor is the
	// address of a role, which may hold a token.
	text := "there are none: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, write them to the shared AWS file, or give the machine a role"
	if file.err != nil && !errors.Is(file.err, fs.ErrNotExist) {
		text += "; the shared AWS file cannot be read, or lacks the profile (AWS_PROFILE) or one of its two keys"
	}
	var network *url.Error
	if errors.As(role.err, &network) {
		role.err = network.Err
	}
	if role.err != nil {
		return nil, fmt.Errorf("%s (asked for a role: %w)", text, role.err)
	}
	return nil, errors.New(text)
}

// asked remembers why its provider gave nothing, which a chain of them keeps to itself.
type asked struct {
	credentials.Provider
	err error
}

func (a *asked) Retrieve() (credentials.Value, error) { return a.RetrieveWithCredContext(nil) }

func (a *asked) RetrieveWithCredContext(cc *credentials.CredContext) (v credentials.Value, err error) {
	v, err = a.Provider.RetrieveWithCredContext(cc)
	a.err = err
	return v, err
}
