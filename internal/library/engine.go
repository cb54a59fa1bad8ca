package library

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sucai/internal/media"
	"sucai/wechat"
)

// The errors that engines return as they are, so that callers may compare them.
var (
	ErrNotFound = errors.New("not found")                                // no such row or blob
	ErrExists   = errors.New("exists already")                           // a unique name is taken
	ErrFull     = errors.New("the library is full")                      // Insert beyond the cap
	ErrConflict = errors.New("changed by somebody else in the meantime") // Update on an old version
)

// Material is one row of an account's library. What is sent about it is made at read.
type Material struct {
	Account int64       // Account.ID
	MediaID string      // unique in the account
	Type    wechat.Type // image, voice, video or news
	Number  int64       // place in the account's list of the type, ascending; 0: never listed, never counted

	Name         string // file name; a video's title; empty for news
	Introduction string // of a video

	Key    string // of the public address; cannot be guessed; unique among all, of a news in its account
	Blob   string // name of the blob; empty for news
	Size   int64  // bytes of the blob; of a news, of its articles
	Format media.Format
	Width  int // pixels, of images
	Height int

	Articles       wechat.Articles // of a news
	ArticlesFormat int             // wechat.ArticlesFormat when it was written

	Created int64 // Unix seconds
	Updated int64 // Unix seconds
	Expires int64 // Unix seconds; 0: never. Set for temporary media only
	Version int64 // counts updates; compared by Update
}

// NextNumber as the Number of a material to import stands for the next one.
const NextNumber = -1

// Materials keeps the rows of materials. Accounts never see each other. An acknowledged
// write survives the end of the process at any instant and loss of power. Every method
// may be called from any number of goroutines. A missing thing is ErrNotFound and
// nothing else is; trouble comes out wrapped. Where trouble hides whether a write was
// kept, it comes out as trouble too.
//
// What is written as text is valid UTF-8 without U+0000; what is looked for may be
// anything, and is not found where no row can have it.
type Materials interface {
	Sweeps

	// Insert adds m. With cap above 0 it is listed: it takes the next number of its
	// account and type, into m.Number, unless that many of the type are alive
	// (ErrFull). With cap 0 it is never listed, and m.Number is 0. ErrExists where the
	// media_id or the key is taken, ErrNotFound where the account is gone; nothing is
	// changed by an error.
	Insert(ctx context.Context, m *Material, cap int64) error

	// Import adds materials of one account as they are, in one transaction: numbers as
	// given, NextNumber for the next one, 0 for never listed. No cap applies. One whose
	// media_id is there already is left as it is. It returns how many it added.
	Import(ctx context.Context, account int64, ms []*Material) (added int, err error)

	// Material gives one material, listed or not, expired or not. Articles larger than
	// maxArticles bytes are left out.
	Material(ctx context.Context, account int64, mediaID string, maxArticles int64) (*Material, error)

	// ByKey gives the one material with a public key that is not a news.
	ByKey(ctx context.Context, key string) (*Material, error)

	// NewsByKey gives a news of an account by its key. Articles larger than maxArticles
	// bytes are left out.
	NewsByKey(ctx context.Context, account int64, key string, maxArticles int64) (*Material, error)

	// Page calls each with the listed materials of a type from offset on, the newest
	// created first, and gives how many there are of the type in all; both are of one
	// snapshot. Updates never reorder. It costs about the same at any offset. Past the
	// end each is not called. A material has what a list shows: MediaID, Type, Number,
	// Name, Key, Size, Format, Articles, ArticlesFormat, Created, Updated. Articles larger
	// than SmallArticles are read one by one and are gone when each returns; before the
	// snapshot, and while nothing is held, room is asked for the largest of them, and
	// again where it has grown meanwhile. An error of each or room ends it and comes out
	// as it is.
	Page(ctx context.Context, account int64, t wechat.Type, offset, count int64, room Room, each func(*Material) error) (total int64, err error)

	// Rows gives at most count materials of an account, listed or not, expired or not,
	// whose media_ids come behind after, in the order of their bytes; "" stands before
	// all. Articles are left out. It costs about the same behind any media_id, and who
	// asks for one piece after the other sees each row that was there all the time once.
	Rows(ctx context.Context, account int64, after string, count int64) ([]*Material, error)

	// Miscounts tells, in words, where what is counted of an account differs from its
	// rows, both of one snapshot: nothing where all adds up. It reads all its rows.
	Miscounts(ctx context.Context, account int64) ([]string, error)

	// Counts gives how many listed materials of each type are alive.
	Counts(ctx context.Context, account int64) (map[wechat.Type]int64, error)

	// UpdateArticles replaces the stored articles, size, time of update and version by
	// those of m, if the stored version is still m.Version-1; ErrConflict otherwise.
	UpdateArticles(ctx context.Context, m *Material) error

	// Delete removes a row, and nothing else: the blob is left to sweep. Others keep
	// their order. ErrNotFound where there is none, also when two delete at once.
	Delete(ctx context.Context, account int64, mediaID string) error

	// DeleteExpired removes the rows whose time to expire is before the given one, in
	// pieces, so that nobody waits long.
	DeleteExpired(ctx context.Context, before int64) error

	// DeleteAll removes everything of a removed account, in pieces, so that nobody
	// waits long.
	DeleteAll(ctx context.Context, account int64) error

	// RemovedAccounts gives the accounts that were removed and still have rows here.
	RemovedAccounts(ctx context.Context) ([]int64, error)

	// Ready tells whether the store answers.
	Ready(ctx context.Context) error
}

// Account is one Official Account (公众号).
type Account struct {
	ID      int64  // never given to another account, even when this one is removed
	AppID   string // wx and 16 hex digits, as a rule
	Uin     int64  // the account's number in addresses of articles; unique, chosen at random
	Salt    []byte // of Hash
	Hash    []byte // sha256 of salt and secret: secrets are long and random
	Created int64  // Unix seconds

	Settings Settings
	Stable   StableToken
}

// StableToken is what stable_token hands out again. It stays in clear for that.
type StableToken struct {
	Token   string `json:"token,omitempty"`
	Expires int64  `json:"expires,omitempty"` // Unix seconds
	Forced  int64  `json:"forced,omitempty"`  // Unix seconds; when it was last refreshed by force
	Day     int64  `json:"day,omitempty"`     // of that
	Times   int64  `json:"times,omitempty"`   // that it was refreshed by force on that day
}

// GrantKind tells how an access token was issued, so that tokens of one kind end together.
type GrantKind string

// Kinds of grants.
const (
	PlainGrant  GrantKind = "token"
	StableGrant GrantKind = "stable"

	ComponentGrant  GrantKind = "component"  // a component's own: component_access_token
	AuthorizerGrant GrantKind = "authorizer" // a component's on behalf of an account: authorizer_access_token
)

// Grant is what an access token allows. It is found by the sha256 of the token: the
// token itself is not kept.
type Grant struct {
	Hash      [32]byte
	Account   int64 // 0 in a component's own
	Component int64 // 0 in an account's own
	Kind      GrantKind
	Expires   int64 // Unix seconds; its own end
	Ends      int64 // Unix seconds; earlier than Expires when it was superseded or revoked
}

// Grants is what a change of an account may do to its grants, in the same transaction.
type Grants interface {
	// Add stores a new grant of the account.
	Add(g *Grant) error
	// End makes every grant of a kind that has not come to its own end by now end at the
	// given time, if not earlier.
	End(kind GrantKind, at, now int64) error
}

// Store names a store and holds the key from which its signatures are made. Both are
// made at random when the store is, never change, and travel with a copy of it. The rest
// is a store's own.
type Store struct {
	ID      string
	RootKey []byte // 32 bytes

	Place   string // names the place of its blobs; a copy has another
	Claimed bool   // there is such a place: one without any blobs is not it

	Copied     bool // it is a copy, and no server has run on it yet
	Unfinished bool // and something may be missing: no server opens it
}

// Accounts keeps accounts and grants, under the same promises as [Materials].
type Accounts interface {
	CloudEnvs
	Components

	// Store gives the identity of the store.
	Store(ctx context.Context) (*Store, error)

	// SetClaimed notes that the blobs of the store have their place.
	SetClaimed(ctx context.Context) error

	// Clock gives the time of the one clock that all who use the store can look at: the
	// database's, or where that is a file, this machine's.
	Clock(ctx context.Context) (time.Time, error)

	// Adopt makes the store a copy of another: id and root key are st's from then on, and
	// it is Claimed, Copied and Unfinished. ErrConflict, and nothing is changed, where the
	// store was Claimed or holds something, unless it is a copy of st already on which no
	// server has run. This engine may change the store until another Adopts it, or a
	// server opens it; then each change gives an error that is none of the contract's.
	Adopt(ctx context.Context, st *Store) error

	// FinishCopy notes that nothing is missing in a copy any more.
	FinishCopy(ctx context.Context) error

	// CreateAccount adds an account and sets its ID. ErrExists where the appid or uin is taken.
	CreateAccount(ctx context.Context, a *Account) error

	// Account gives one by its appid.
	Account(ctx context.Context, appID string) (*Account, error)

	// AccountByID gives one by its ID.
	AccountByID(ctx context.Context, id int64) (*Account, error)

	// AccountByUin gives one by its number.
	AccountByUin(ctx context.Context, uin int64) (*Account, error)

	// AccountList gives all, by appid.
	AccountList(ctx context.Context) ([]*Account, error)

	// ChangeAccount runs change on the account and stores what it leaves of secret,
	// settings and stable token, and its grants, in one transaction that excludes other
	// changes of the same account. An error of change undoes all and comes out as it
	// is. change may run more than once, each time on a fresh account.
	ChangeAccount(ctx context.Context, appID string, change func(a *Account, g Grants) error) error

	// RemoveAccount removes an account, its grants, its environments and its authorisations
	// of components; its materials stay for Materials.DeleteAll and are out of reach.
	RemoveAccount(ctx context.Context, appID string) error

	// Grant gives a grant by the sha256 of its token, ended or not, until it is forgotten.
	Grant(ctx context.Context, hash [32]byte) (*Grant, error)

	// GrantList gives at most count grants whose hashes come behind after, in the order of
	// their bytes, ended or not.
	GrantList(ctx context.Context, after [32]byte, count int64) ([]*Grant, error)

	// ImportGrants adds grants as they are, all or, where one is there already, none:
	// ErrExists.
	ImportGrants(ctx context.Context, gs []*Grant) error

	// DropGrants removes every grant.
	DropGrants(ctx context.Context) error

	// CountCall counts a call of an endpoint by an account on a day, unless limit calls
	// were counted on it already, and tells whether it was counted.
	CountCall(ctx context.Context, account int64, endpoint string, day, limit int64) (within bool, err error)

	// ForgetCalls removes the counts of the days before a day.
	ForgetCalls(ctx context.Context, before int64) error

	// ForgetGrants removes the grants that were ended early before ended, and those
	// whose own end was before expired.
	ForgetGrants(ctx context.Context, ended, expired int64) error
}

// Blob is stored bytes. It belongs to one row, never changes, and its name is never reused.
type Blob struct {
	Name string // <sha256>-<8 random hex digits>
	Size int64
}

// ShortError is of a blob that has fewer bytes than were asked for: it is damaged, or
// another was meant.
type ShortError struct {
	Blob       string
	Have, Want int64 // bytes
}

func (e *ShortError) Error() string {
	return fmt.Sprintf("blob %s has %d bytes, at least %d are wanted", e.Blob, e.Have, e.Want)
}

// Blobs keeps bytes, under the same promises as [Materials].
type Blobs interface {
	// Claim ties the store of blobs to the store of rows, which knows its place. With first
	// it leaves a marker with the place's name where there is nothing yet. It fails where
	// there is nothing otherwise, where the marker has another name, and where there are
	// blobs without a marker.
	Claim(ctx context.Context, place string, first bool) error

	// Put stores all of r, streaming. When r has ended, accept looks at what came,
	// before anything is kept. The error of r, or of accept, comes out unchanged, and
	// nothing is left behind then. When Put returns a Blob, it is on disk.
	Put(ctx context.Context, r io.Reader, accept func(r io.ReaderAt, size int64) error) (Blob, error)

	// Open gives a reader that stands at offset and has at least length bytes, or fails
	// at once: ErrNotFound where there is no such blob, a *ShortError where it is
	// shorter. It is an *os.File where there is one. The reader may have more bytes. One
	// that breaks off before length ends in an error that is neither io.EOF nor
	// io.ErrUnexpectedEOF, by which decoders know a damaged file.
	Open(ctx context.Context, name string, offset, length int64) (io.ReadCloser, error)

	// Remove deletes a blob; one that is not there is no error.
	Remove(ctx context.Context, name string) error

	// List gives, in the order of their names, blobs whose names come behind after and that
	// were last written before the given time: what a store lists at once, of which no
	// blob may be of that age. It goes on behind next, and is at its end where that is "".
	// Any begin of a name may stand as after. A blob that is there all the while is in one
	// piece exactly. The piece at the end removes what unfinished uploads of before that
	// time left behind.
	List(ctx context.Context, after string, before time.Time) (names []string, next string, err error)

	// Ready tells whether the store answers.
	Ready(ctx context.Context) error
}
