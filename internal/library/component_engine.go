package library

import "context"

// Component is one third-party platform (第三方平台).
type Component struct {
	ID      int64  // never given to another, even when this one is removed
	AppID   string // wx and 16 hex digits, as a rule
	Salt    []byte // of Hash
	Hash    []byte // sha256 of salt and secret: secrets are long and random
	Created int64  // Unix seconds

	Settings ComponentSettings

	Ticket     string // component_verify_ticket, the newest; "" where none was made
	TicketMade int64  // Unix seconds
	NextTicket int64  // Unix seconds when the next one is made and pushed; 0: pushing was not started
}

// Authorization is what an account allows a third-party platform.
type Authorization struct {
	Component    int64
	Account      int64
	AppID        string // the account's; not kept, filled in at read
	Sets         []int  // permission sets (权限集), by their numbers, ascending
	RefreshToken string // in clear: it is handed out again
	Created      int64  // Unix seconds
	Updated      int64  // Unix seconds; when it was last granted anew
}

// CodeKind tells two sorts of codes apart.
type CodeKind string

// Kinds of codes.
const (
	PreAuthCode       CodeKind = "preauth"       // with which the authorisation page is opened
	AuthorizationCode CodeKind = "authorization" // which the page hands out
)

// Code is good for one use. It is found by the sha256 of its text, which is not kept.
type Code struct {
	Hash      [32]byte
	Component int64
	Kind      CodeKind
	Account   int64 // of an authorization code
	Expires   int64 // Unix seconds
}

// Push is a message to a third-party platform, on its way or delivered not long ago.
type Push struct {
	ID        int64
	Component int64
	Account   int64 // that an event is about; 0 in tickets
	InfoType  string
	Message   []byte // XML, before encryption; gone when it is done
	Created   int64  // Unix seconds
	Due       int64  // Unix seconds when somebody may take it; 0: done
	Tries     int    // how often it was taken
	Outcome   string // of the last try; "" before there was one
	Delivered bool

	Lease int64 // Unix seconds until when it and its component are the taker's; not kept
}

// Holdings is what a change of a component may do to what belongs to it, in the same
// transaction.
type Holdings interface {
	// AddGrant stores a new grant of the component, on behalf of g.Account unless it is 0.
	AddGrant(g *Grant) error
	// EndGrants makes every grant on behalf of an account, or with account 0 the
	// component's own, that has not come to its own end by now end at the given time, if
	// not earlier.
	EndGrants(account, at, now int64) error

	// AddCode stores a new code of the component.
	AddCode(c *Code) error
	// TakeCode gives a code of the component and kind, and removes it. ErrNotFound where
	// there is none.
	TakeCode(hash [32]byte, kind CodeKind) (*Code, error)

	// Authorization gives what an account allows the component.
	Authorization(account int64) (*Authorization, error)
	// SetAuthorization adds or replaces one; the account's authorization codes for the
	// component go, as they stand for the one before. ErrNotFound where the account is gone.
	SetAuthorization(a *Authorization) error
	// RemoveAuthorization removes one with the account's authorization codes for the
	// component; ErrNotFound where there is none.
	RemoveAuthorization(account int64) error

	// AddPush stores a new message and sets its ID. One with Tries of 1 is taken by who
	// adds it, until it is due.
	AddPush(p *Push) error
	// DropPushes makes the undelivered messages of an InfoType, or with "" all, done, with
	// an outcome. One that is being delivered is dropped too: [Components.FinishPush] gives
	// ErrConflict for it.
	DropPushes(infoType, outcome string) error
	// DropEvents does the same to the undelivered messages about an account, and gives the
	// InfoType of the newest of them, "" where there was none.
	DropEvents(account int64, outcome string) (infoType string, err error)
}

// Components keeps third-party platforms and what belongs to them, under the same
// promises as [Materials].
type Components interface {
	// CreateComponent adds one and sets its ID. ErrExists where another has the appid.
	CreateComponent(ctx context.Context, c *Component) error

	// Component gives one by its appid.
	Component(ctx context.Context, appID string) (*Component, error)

	// ComponentByID gives one by its ID.
	ComponentByID(ctx context.Context, id int64) (*Component, error)

	// ComponentList gives all, by appid.
	ComponentList(ctx context.Context) ([]*Component, error)

	// ChangeComponent runs change on the component and stores what it leaves of secret,
	// settings and ticket, and its holdings, in one transaction that excludes other
	// changes of the same component. An error of change undoes all and comes out as it
	// is. change may run more than once, each time on a fresh component.
	ChangeComponent(ctx context.Context, appID string, change func(c *Component, h Holdings) error) error

	// RemoveComponent removes one with its grants, codes, authorisations and pushes.
	RemoveComponent(ctx context.Context, appID string) error

	// Authorization gives what an account allows a component. It goes with either.
	Authorization(ctx context.Context, component, account int64) (*Authorization, error)

	// AuthorizationPage gives the authorisations of a component from offset on, in an
	// order that does not change, and how many there are in all.
	AuthorizationPage(ctx context.Context, component, offset, count int64) (list []*Authorization, total int64, err error)

	// TicketsDue gives the appids of at most limit components whose NextTicket is set
	// and not after now, the longest due first.
	TicketsDue(ctx context.Context, now, limit int64) ([]string, error)

	// TakePush gives the message that is longest due, and makes it due again at until:
	// so long it is the taker's alone, on any number of nodes, and no other message of its
	// component is given. ErrNotFound where none is due.
	TakePush(ctx context.Context, now, until int64) (*Push, error)

	// FinishPush stores what became of a taken message: Due, Outcome and Delivered. A
	// message that is done loses its text. ErrConflict where somebody else has taken it
	// since, or it was dropped. In any case, no message of the component is given before
	// next from then on, unless the lease had passed and somebody else has taken one.
	FinishPush(ctx context.Context, p *Push, next int64) error

	// Pushes gives the newest messages of a component, the newest first.
	Pushes(ctx context.Context, component, count int64) ([]*Push, error)

	// ForgetComponents removes the codes that expired before a time, and the messages
	// that were made before it and are done.
	ForgetComponents(ctx context.Context, before int64) error
}
