package library

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sucai/wechat"
)

// CloudEnv is one environment (云环境) from which cloud calls (云调用) come: who may make
// them, on behalf of which accounts. Neither its text nor its JSON holds a secret.
type CloudEnv struct {
	ID        string   `json:"env"`     // as cloud.init names it
	SecretID  string   `json:"-"`       // tells by whose key a call is signed; unique
	SecretKey string   `json:"-"`       // in clear: a signature cannot be checked by its hash
	Ticket    string   `json:"-"`       // WX_API_TOKEN of the callers; in clear, the operator needs it anew on each machine
	Owner     string   `json:"owner"`   // appid of the account for which a call is that names none
	Allow     []string `json:"allow"`   // appids of the other accounts that a call may name, ascending
	Methods   []string `json:"methods"` // that may be called, such as officialAccount.material.get, in the order given
	Created   int64    `json:"created"` // Unix seconds
}

// String keeps secrets out of logs and errors.
func (e CloudEnv) String() string { return "environment " + e.ID }

// CloudEnvs keeps environments, under the same promises as [Materials]. With an account
// ([Accounts.RemoveAccount]) go the environments that it owns, and its place among
// others' allowed accounts: one that is added later under its appid has neither.
type CloudEnvs interface {
	// CreateCloudEnv adds one. ErrExists where its ID or SecretID is taken, ErrNotFound
	// where an account that it names is not there; nothing is changed by an error.
	CreateCloudEnv(ctx context.Context, e *CloudEnv) error

	// CloudEnv gives one by its ID.
	CloudEnv(ctx context.Context, id string) (*CloudEnv, error)

	// CloudEnvBySecretID gives one by its SecretID.
	CloudEnvBySecretID(ctx context.Context, secretID string) (*CloudEnv, error)

	// CloudEnvList gives all, by ID.
	CloudEnvList(ctx context.Context) ([]*CloudEnv, error)

	// SetCloudKeys replaces SecretID, SecretKey and Ticket of the environment of that
	// ID. ErrExists where the SecretID is another's.
	SetCloudKeys(ctx context.Context, e *CloudEnv) error

	// RemoveCloudEnv removes one.
	RemoveCloudEnv(ctx context.Context, id string) error
}

// NewCloudEnv adds an environment, of which ID, Owner, Allow and Methods are given, and
// makes up its keys. ErrExists where the ID is taken.
func (ls *Libraries) NewCloudEnv(ctx context.Context, e *CloudEnv) error {
	if !appIDForm.MatchString(e.ID) {
		return fmt.Errorf("environment %q: its name has 1 to 64 letters, digits, _ and -", e.ID)
	}
	e.Allow = slices.DeleteFunc(slices.Sorted(slices.Values(e.Allow)), func(appID string) bool { return appID == e.Owner })
	e.Allow = slices.Compact(e.Allow)
	for _, appID := range append([]string{e.Owner}, e.Allow...) {
		if _, err := ls.Known(ctx, appID); errors.Is(err, wechat.ErrInvalidAppID) {
			return fmt.Errorf("there is no account %s; `sucai account ls` lists them", appID)
		} else if err != nil {
			return err
		}
	}
	e.makeKeys()
	e.Created = ls.now().Unix()
	return ls.Accounts.CreateCloudEnv(ctx, e)
}

// RotateCloudEnv gives an environment new keys and a new ticket; the old ones end at
// once. ErrNotFound where it is not there.
func (ls *Libraries) RotateCloudEnv(ctx context.Context, id string) (*CloudEnv, error) {
	e, err := ls.Accounts.CloudEnv(ctx, id)
	if err != nil {
		return nil, err
	}
	defer ls.clouds.drop()
	e.makeKeys()
	return e, ls.Accounts.SetCloudKeys(ctx, e)
}

// RemoveCloudEnv removes an environment; its calls end at once. ErrNotFound where it is
// not there.
func (ls *Libraries) RemoveCloudEnv(ctx context.Context, id string) error {
	defer ls.clouds.drop()
	return ls.Accounts.RemoveCloudEnv(ctx, id)
}

func (e *CloudEnv) makeKeys() {
	e.SecretID, e.SecretKey, e.Ticket = "AKID"+randomHex(16), randomHex(16), randomHex(32)
}

// CloudEnv gives an environment by its ID, from memory for at most a second: what this
// process changed at once, what was not found never. ErrNotFound where there is none.
func (ls *Libraries) CloudEnv(ctx context.Context, id string) (*CloudEnv, error) {
	return ls.cloudEnv(ctx, "id", id, ls.Accounts.CloudEnv)
}

// CloudEnvBySecretID is CloudEnv by the SecretID.
func (ls *Libraries) CloudEnvBySecretID(ctx context.Context, secretID string) (*CloudEnv, error) {
	return ls.cloudEnv(ctx, "secret", secretID, ls.Accounts.CloudEnvBySecretID)
}

func (ls *Libraries) cloudEnv(ctx context.Context, by, value string, read func(context.Context, string) (*CloudEnv, error)) (*CloudEnv, error) {
	if !plausible(value) {
		return nil, ErrNotFound
	}
	key := by + " " + value
	e, seen := ls.clouds.get(key)
	if e != nil {
		return e, nil
	}
	e, err := read(ctx, value)
	if err == nil {
		ls.clouds.put(key, e, seen)
	}
	return e, err
}

// HasCloudEnvs tells whether there is any environment.
func (ls *Libraries) HasCloudEnvs(ctx context.Context) (bool, error) {
	const any = "any"
	e, seen := ls.clouds.get(any)
	if e != nil {
		return true, nil
	}
	list, err := ls.Accounts.CloudEnvList(ctx)
	if len(list) > 0 {
		ls.clouds.put(any, list[0], seen)
	}
	return len(list) > 0, err
}

// For gives the account that a call is for: the owner where appID is empty. ErrNotFound
// where the environment may not call for it, or it has been removed.
func (ls *Libraries) For(ctx context.Context, e *CloudEnv, appID string) (*Account, error) {
	if appID == "" {
		appID = e.Owner
	}
	if appID != e.Owner && !slices.Contains(e.Allow, appID) {
		return nil, ErrNotFound
	}
	return ls.Accounts.Account(ctx, appID)
}
