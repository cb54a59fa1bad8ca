package library_test

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"

	"sucai/internal/library"
	"sucai/wechat"
)

// platform is a third-party platform, known to all nodes, that may call for an account.
type platform struct {
	appID, secret string
	account       *library.Account
	own           string // its component_access_token
	code          string // an authorization code, not used
}

func (n *nodes) platform(name string) *platform {
	n.Helper()
	ctx := n.Context()
	c, secret, err := n.list[0].NewComponent(ctx, "wxplatform"+name, "")
	n.must(err)
	p := &platform{appID: c.AppID, secret: secret, account: n.account("wxof" + name)}
	ticket, err := n.list[1].Ticket(ctx, p.appID)
	n.must(err)
	token, err := n.list[2].ComponentToken(ctx, p.appID, secret, ticket)
	n.must(err)
	p.own = token.ComponentAccessToken
	p.code, err = n.list[0].Authorize(ctx, p.appID, p.account, []int{11}, "")
	n.must(err)
	return p
}

// calls gives a probe of a call for the account.
func (n *nodes) calls(token string) func(*node) error {
	return func(node *node) error {
		c, err := node.Authenticate(n.Context(), token)
		if err != nil {
			return err
		}
		return node.Admit(n.Context(), c, "batchget_material", []int{11}, netip.MustParseAddr("192.0.2.1"))
	}
}

// Tickets, codes, authorisations and tokens of a platform are everybody's at once, and
// what is good once is good once among all.
func TestNodesAndPlatforms(t *testing.T) {
	n := newNodes(t)
	ctx, p := t.Context(), n.platform("one")
	n.everywhere("its own token", nil, n.authenticates(p.own))
	c, err := n.list[0].Accounts.Component(ctx, p.appID)
	n.must(err)

	ticket, err := n.list[1].Ticket(ctx, p.appID)
	n.must(err)
	if got := n.atOnce(3, func(node *node) error {
		same, err := node.Ticket(ctx, p.appID)
		if err == nil && same != ticket {
			err = errors.New("another ticket")
		}
		return err
	}); got["<nil>"] != 9 {
		t.Errorf("the ticket at all nodes: %v", got)
	}

	for i := range n.list {
		pre, err := n.list[i].NewPreAuthCode(ctx, p.appID)
		n.must(err)
		var mu sync.Mutex
		var codes []string
		used := n.atOnce(4, func(node *node) error {
			code, err := node.Authorize(ctx, p.appID, p.account, []int{11, i + 1}, pre.PreAuthCode)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				codes = append(codes, code)
			}
			return err
		})
		if used["<nil>"] != 1 || used[fmt.Sprint(wechat.ErrInvalidCode)] != 11 {
			t.Fatalf("a pre-auth code of node %d, used 12 times: %v", i, used)
		}
		var info *wechat.AuthorizationInfo
		used = n.atOnce(4, func(node *node) error {
			one, err := node.QueryAuth(ctx, p.appID, codes[0])
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				info = one
			}
			return err
		})
		if used["<nil>"] != 1 || used[fmt.Sprint(wechat.ErrInvalidCode)] != 11 {
			t.Fatalf("an authorization code, used 12 times: %v", used)
		}
		first := info.AuthorizerAccessToken
		n.everywhere("for the account", nil, n.calls(first))
		n.everywhere("shown", nil, func(node *node) error {
			about, err := node.AuthorizerInfo(ctx, c, p.account.AppID)
			if err == nil && (about.AuthorizerRefreshToken != info.AuthorizerRefreshToken || len(about.FuncInfo) != 2) {
				err = fmt.Errorf("%+v", about)
			}
			if page, e := node.AuthorizerList(ctx, c, 0, 10); e != nil || page.Total != 1 || len(page.List) != 1 {
				err = fmt.Errorf("listed %+v, %w", page, e)
			}
			return err
		})
		next, err := n.list[(i+1)%3].AuthorizerToken(ctx, p.appID, p.account.AppID, info.AuthorizerRefreshToken)
		n.must(err)
		n.everywhere("refreshed", nil, n.calls(next.AuthorizerAccessToken))
		n.everywhere("the one before", nil, n.calls(first))
		n.pass(310e9)
		n.everywhere("five minutes later", wechat.ErrInvalidCredential, n.calls(first))
		n.everywhere("the next one", nil, n.calls(next.AuthorizerAccessToken))
	}
}

// What is taken away from a platform at one node, is gone everywhere within a second.
func TestNodesWithdraw(t *testing.T) {
	n := newNodes(t)
	var wg sync.WaitGroup
	for what, c := range map[string]struct {
		change     func(*node, *platform) error
		own, calls error // what its token, and one for the account, come to
	}{
		"removed": {func(by *node, p *platform) error { return by.RemoveComponent(t.Context(), p.appID) },
			wechat.ErrInvalidCredential, wechat.ErrInvalidCredential},
		"rotated": {func(by *node, p *platform) error { _, err := by.RotateComponent(t.Context(), p.appID); return err },
			wechat.ErrInvalidCredential, nil},
		"withdrawn": {func(by *node, p *platform) error { return by.Unauthorize(t.Context(), p.appID, p.account) },
			nil, wechat.ErrSetMissing},
		"account removed": {func(by *node, p *platform) error { return by.RemoveAccount(t.Context(), p.account.AppID) },
			nil, wechat.ErrInvalidCredential},
		"sets": {func(by *node, p *platform) error {
			return by.SetComponent(t.Context(), p.appID, func(s *library.ComponentSettings) error { return s.Set("sets", "1") })
		}, nil, wechat.ErrSetMissing},
	} {
		for by := range n.list {
			p := n.platform(fmt.Sprintf("%.3s%d", what, by))
			info, err := n.list[1].QueryAuth(t.Context(), p.appID, p.code)
			n.must(err)
			both := func(node *node) error { // one of them tells
				if c.own != nil {
					return n.authenticates(p.own)(node)
				}
				return n.calls(info.AuthorizerAccessToken)(node)
			}
			want := c.own
			if want == nil {
				want = c.calls
			}
			wg.Go(func() {
				n.spreads(what, by, nil, want, func(by *node) error { return c.change(by, p) }, both)
				n.everywhere(what+", its own token", c.own, n.authenticates(p.own))
				n.everywhere(what+", the token for the account", c.calls, n.calls(info.AuthorizerAccessToken))
			})
		}
	}
	wg.Wait()
}

// Tokens from before a withdrawal stay dead when the account authorises again, whatever
// clocks say.
func TestNodesAuthorizeAgain(t *testing.T) {
	n := newNodes(t)
	p := n.platform("again")
	info, err := n.list[1].QueryAuth(t.Context(), p.appID, p.code)
	n.must(err)
	n.everywhere("before", nil, n.calls(info.AuthorizerAccessToken))
	n.must(n.list[1].Unauthorize(t.Context(), p.appID, p.account))
	n.pass(0)
	_, err = n.list[1].Authorize(t.Context(), p.appID, p.account, []int{11}, "")
	n.must(err)
	n.pass(0)
	n.everywhere("authorised again", wechat.ErrInvalidCredential, n.calls(info.AuthorizerAccessToken))
}

// Environments of cloud calls are everybody's at once; old keys and removed ones end within
// a second.
func TestNodesAndCloudEnvs(t *testing.T) {
	n := newNodes(t)
	ctx := t.Context()
	a := n.account("wxone")
	var wg sync.WaitGroup
	for by := range n.list {
		e := &library.CloudEnv{ID: fmt.Sprint("env-", by), Owner: a.AppID, Methods: []string{"officialAccount.material.get"}}
		n.must(n.list[by].NewCloudEnv(ctx, e))
		id, key := e.ID, e.SecretID
		finds := func(secretID string) func(*node) error {
			return func(node *node) error {
				found, err := node.CloudEnvBySecretID(ctx, secretID)
				if err == nil && found.ID != id {
					err = fmt.Errorf("found %s", found)
				}
				return err
			}
		}
		n.everywhere("made", nil, finds(key))
		n.everywhere("any", nil, func(node *node) error {
			if any, err := node.HasCloudEnvs(ctx); err != nil || !any {
				return fmt.Errorf("%v, %w", any, err)
			}
			return nil
		})
		wg.Go(func() {
			var next *library.CloudEnv
			n.spreads("rotated", by, nil, library.ErrNotFound, func(by *node) (err error) {
				next, err = by.RotateCloudEnv(ctx, id)
				return err
			}, finds(key))
			if next == nil {
				return // told already
			}
			n.everywhere("the new key", nil, finds(next.SecretID))
			n.spreads("removed", by, nil, library.ErrNotFound, func(by *node) error { return by.RemoveCloudEnv(ctx, id) }, func(node *node) error {
				_, err := node.CloudEnv(ctx, id)
				return err
			})
		})
	}
	wg.Wait()
}
