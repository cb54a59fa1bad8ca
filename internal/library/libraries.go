package library

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"sucai/wechat"
)

// Caps are how many materials of each listed type an account may have.
type Caps map[wechat.Type]int64

// DefaultCaps are those of the documents.
func DefaultCaps() Caps {
	return Caps{wechat.News: 100_000, wechat.Image: 100_000, wechat.Voice: 1000, wechat.Video: 1000}
}

// Engines are the three stores that Libraries stands on.
type Engines struct {
	Materials Materials
	Accounts  Accounts
	Blobs     Blobs
}

// Options change how Libraries behaves; the zero value is what users get.
type Options struct {
	Caps Caps             // DefaultCaps where nil
	Now  func() time.Time // time.Now where nil; tests move it
}

// Libraries is everything that a process serves: accounts, their tokens and their
// libraries.
type Libraries struct {
	Engines
	caps    Caps
	now     func() time.Time
	rootKey []byte

	callers recent[[32]byte, Caller]
	clouds  recent[string, CloudEnv]
	scaled  pictureCache
	scaling *scaler
	trees   turns // articles that are parsed at once
	done    work
	probes  struct{ database, blobs probe }
}

// turns bounds how much of something runs at once.
type turns chan struct{}

// do runs fn when it is its turn, unless ctx has ended by then.
func (t turns) do(ctx context.Context, fn func()) error {
	select {
	case t <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t }()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	fn()
	return nil
}

// Open joins the engines. It refuses blobs that belong to another database, a place without
// any where the database has some elsewhere, and a clock that CheckClock refuses.
func Open(ctx context.Context, e Engines, o Options) (*Libraries, error) {
	st, err := e.Accounts.Store(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkClock(ctx, e.Accounts); err != nil {
		return nil, err
	}
	if err := e.Blobs.Claim(ctx, st.Place, !st.Claimed); err != nil {
		return nil, err
	}
	if !st.Claimed { // afterwards: a start that breaks off in between begins anew
		if err := e.Accounts.SetClaimed(ctx); err != nil {
			return nil, err
		}
	}
	ls := &Libraries{
		Engines: e, caps: o.Caps, now: o.Now, rootKey: st.RootKey,
		scaling: newScaler(), trees: make(turns, 2),
	}
	if ls.caps == nil {
		ls.caps = DefaultCaps()
	}
	if ls.now == nil {
		ls.now = time.Now
	}
	return ls, nil
}

// Of gives the library of one account.
func (ls *Libraries) Of(a *Account) *Library { return &Library{ls, a} }

// Library is one account's materials.
type Library struct {
	ls      *Libraries
	Account *Account
}

// sign makes 32 hex digits that nobody can guess without the store's root key. purpose
// keeps signatures of one sort from being used as another's.
func (ls *Libraries) sign(purpose string, parts ...string) string {
	mac := hmac.New(sha256.New, ls.rootKey)
	mac.Write([]byte(purpose))
	for _, p := range parts {
		mac.Write([]byte{0})
		mac.Write([]byte(p))
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// plausible keeps names that no row can have away from the engines, some of which
// refuse them with an error instead of finding nothing.
func plausible(name string) bool {
	return name != "" && len(name) <= 512 && !strings.ContainsFunc(name, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == '\uFFFD'
	})
}

// storable is a text as every engine can keep it.
func storable(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
}
