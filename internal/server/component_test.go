package server

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"sucai/internal/library"
)

// platform is a third-party platform that may call on behalf of the fixture's account.
type platform struct {
	*fixture
	component, secret, ticket, token, authorizer, refresh string
}

func (f *fixture) platform(sets ...int) *platform {
	f.t.Helper()
	ctx := context.Background()
	c, secret, err := f.ls.NewComponent(ctx, "wxplatform", "platform-secret")
	must(f.t, err)
	p := &platform{fixture: f, component: c.AppID, secret: secret}
	p.ticket, err = f.ls.Ticket(ctx, c.AppID)
	must(f.t, err)
	p.token = p.ask("api_component_token", "", map[string]any{"component_appsecret": secret, "component_verify_ticket": p.ticket})["component_access_token"].(string)
	code, err := f.ls.Authorize(ctx, c.AppID, f.account, sets, "")
	must(f.t, err)
	info := p.ask("api_query_auth", p.token, map[string]any{"authorization_code": code})["authorization_info"].(map[string]any)
	p.authorizer, p.refresh = info["authorizer_access_token"].(string), info["authorizer_refresh_token"].(string)
	return p
}

func (p *platform) ask(endpoint, token string, args map[string]any) (answer map[string]any) {
	p.t.Helper()
	args["component_appid"] = p.component
	body, err := json.Marshal(args)
	must(p.t, err)
	_, data := p.do("POST", "/cgi-bin/component/"+endpoint+"?component_access_token="+token, "application/json", bytes.NewReader(body))
	must(p.t, json.Unmarshal(data, &answer))
	return answer
}

func wantErrcode(t *testing.T, what string, answer map[string]any, code float64) {
	t.Helper()
	if got, _ := answer["errcode"].(float64); got != code {
		t.Errorf("%s: %v, want %v", what, answer, code)
	}
}

const withdrawn = `{"errcode":61007,"errmsg":"api is unauthorized to component"}`

// A withdrawal holds at once where it was made, and within a second on every other node.
func TestWithdrawalHoldsWithinASecond(t *testing.T) {
	f := newFixture(t)
	p := f.platform(11)
	ctx := context.Background()
	other, err := library.Open(ctx, f.ls.Engines, library.Options{Now: func() time.Time { return f.now }})
	must(t, err)
	wantBody(t, "before", f.alive(p.authorizer), "alive")
	must(t, f.ls.Unauthorize(ctx, p.component, f.account))
	wantBody(t, "withdrawn here", f.alive(p.authorizer), withdrawn)

	code, err := f.ls.Authorize(ctx, p.component, f.account, []int{11}, "")
	must(t, err)
	info := p.ask("api_query_auth", p.token, map[string]any{"authorization_code": code})["authorization_info"].(map[string]any)
	token := info["authorizer_access_token"].(string)
	wantBody(t, "authorised again", f.alive(token), "alive")
	must(t, other.Unauthorize(ctx, p.component, f.account))
	time.Sleep(1100 * time.Millisecond)
	wantBody(t, "withdrawn elsewhere", f.alive(token), withdrawn)
}

// Whose right goes away, goes with its tokens.
func TestTokensGoWithTheirPlatform(t *testing.T) {
	f := newFixture(t)
	p := f.platform(11)
	must(t, f.ls.SetComponent(context.Background(), p.component, func(s *library.ComponentSettings) error { return s.Set("sets", "1") }))
	wantBody(t, "the platform lacks the set", f.alive(p.authorizer), withdrawn)
	must(t, f.ls.SetComponent(context.Background(), p.component, func(s *library.ComponentSettings) error { return s.Set("sets", "") }))
	wantBody(t, "and has it again", f.alive(p.authorizer), "alive")
	must(t, f.ls.RemoveComponent(context.Background(), p.component))
	wantBody(t, "its token on behalf of the account", f.alive(p.authorizer), ended)
	wantErrcode(t, "its own token", p.ask("api_create_preauthcode", p.token, map[string]any{}), 40001)
	wantBody(t, "the account's own", f.alive(f.token), "alive")

	again, _, err := f.ls.NewComponent(context.Background(), p.component, p.secret)
	must(t, err)
	wantErrcode(t, "the ticket of one that had the same appid", p.ask("api_component_token", "", map[string]any{
		"component_appsecret": p.secret, "component_verify_ticket": p.ticket}), 61006)
	if again.AppID != p.component {
		t.Error(again.AppID)
	}
}

// A platform that is removed while it calls is unknown, which is no trouble of ours.
func TestPlatformsRemovedMeanwhile(t *testing.T) {
	f := newFixture(t)
	p := f.platform(11)
	f.ls.Accounts = removedMeanwhile{f.ls.Accounts}
	wantErrcode(t, "start of tickets", p.ask("api_start_push_ticket", "", map[string]any{"component_secret": p.secret}), 40013)
	wantErrcode(t, "token", p.ask("api_component_token", "", map[string]any{
		"component_appsecret": p.secret, "component_verify_ticket": p.ticket}), 61011)
	if log := f.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("in the log:\n%s", log)
	}
}

type removedMeanwhile struct{ library.Accounts }

func (removedMeanwhile) ChangeComponent(context.Context, string, func(*library.Component, library.Holdings) error) error {
	return library.ErrNotFound
}

// The accounts' owner removes one; the platforms that it authorised are told.
func TestRemovedAccountsAreToldOf(t *testing.T) {
	f := newFixture(t)
	p := f.platform(11)
	ctx := context.Background()
	other, _, err := f.ls.NewComponent(ctx, "wxother", "")
	must(t, err)
	for _, appID := range []string{p.component, other.AppID} {
		must(t, f.ls.SetComponent(ctx, appID, func(s *library.ComponentSettings) error { return s.Set("push_url", "http://127.0.0.1:1/") }))
	}
	must(t, f.ls.RemoveAccount(ctx, f.account.AppID))
	c, err := f.ls.Accounts.Component(ctx, p.component)
	must(t, err)
	for c, want := range map[*library.Component]string{c: "unauthorized", other: ""} {
		state, err := f.ls.ComponentState(ctx, c)
		must(t, err)
		var events []string
		for _, push := range state.Pushes {
			events = append(events, push.InfoType)
		}
		if got := strings.Join(events, " "); got != want || state.Authorized != 0 {
			t.Errorf("%s is told %q of %d, want %q", c.AppID, got, state.Authorized, want)
		}
	}
}

// A pre-auth code is good once, for half an hour, and for its own platform.
func TestPreAuthCodes(t *testing.T) {
	f := newFixture(t)
	p := f.platform(11)
	ctx := context.Background()
	code := func() string {
		return p.ask("api_create_preauthcode", p.token, map[string]any{})["pre_auth_code"].(string)
	}
	use := func(component, code string) string {
		_, err := f.ls.Authorize(ctx, component, f.account, []int{11}, code)
		if err != nil {
			return err.Error()
		}
		return "used"
	}
	first, second := code(), code()
	_, _, err := f.ls.NewComponent(ctx, "wxother", "")
	must(t, err)
	wantBody(t, "another platform's", use("wxother", first), "61009 code is invalid")
	wantBody(t, "good", use(p.component, first), "used")
	wantBody(t, "twice", use(p.component, first), "61009 code is invalid")
	wantBody(t, "unknown", use(p.component, "preauthcode@@@x"), "61009 code is invalid")
	f.now = f.now.Add(1799 * time.Second)
	wantBody(t, "in its last second", use(p.component, second), "used")
	third := code()
	f.now = f.now.Add(1800 * time.Second)
	wantBody(t, "too old", use(p.component, third), "61010 code is expired")
	wantBody(t, "still too old", use(p.component, third), "61010 code is expired")
	f.now = f.now.Add(25 * time.Hour)
	must(t, f.ls.Tidy(ctx))
	wantBody(t, "forgotten", use(p.component, third), "61009 code is invalid")
}

// Refresh tokens that a platform has already go on working, and where one is none, no other
// is taken in.
func TestImportedAuthorizations(t *testing.T) {
	f := newFixture(t)
	p := f.platform(1)
	ctx := context.Background()
	second, _, err := f.ls.NewAccount(ctx, "wxsecond", "")
	must(t, err)
	const imported = "refreshtoken@@@from-elsewhere"
	list := []library.ImportedAuthorization{{Account: f.account, Sets: []int{11}, RefreshToken: imported}, {Account: second, RefreshToken: "a\x00b"}}
	if n, err := f.ls.ImportAuthorizations(ctx, p.component, list); n != 0 || err == nil || !strings.Contains(err.Error(), "wxsecond") {
		t.Errorf("a token that is none: %d, %v", n, err)
	}
	refresh := func(token string) map[string]any {
		return p.ask("api_authorizer_token", p.token, map[string]any{"authorizer_appid": f.account.AppID, "authorizer_refresh_token": token})
	}
	wantErrcode(t, "nothing was taken in", refresh(imported), 61023)
	list[1].RefreshToken = "another"
	taken, err := f.ls.ImportAuthorizations(ctx, p.component, list)
	if must(t, err); taken != 2 {
		t.Errorf("%d were taken in", taken)
	}
	wantErrcode(t, "the one before", refresh(p.refresh), 61023)
	answer := refresh(imported)
	if answer["authorizer_refresh_token"] != imported {
		t.Fatalf("answer %v", answer)
	}
	wantBody(t, "the call", f.alive(answer["authorizer_access_token"].(string)), "alive")
	page := p.ask("api_get_authorizer_list", p.token, map[string]any{"offset": 0, "count": 500})
	if page["total_count"].(float64) != 2 || len(page["list"].([]any)) != 2 {
		t.Errorf("list %v", page)
	}
}

// The log says who called for whom, and holds nothing that opens anything.
func TestPlatformsInTheLog(t *testing.T) {
	f := newFixture(t)
	p := f.platform(11)
	f.alive(p.authorizer)
	p.ask("api_authorizer_token", p.token, map[string]any{"authorizer_appid": f.account.AppID, "authorizer_refresh_token": p.refresh})
	log := f.log.String()
	if !strings.Contains(log, "appid=wxaccount component=wxplatform") {
		t.Errorf("not in the log:\n%s", log)
	}
	for _, secret := range []string{p.secret, p.ticket, p.token, p.authorizer, p.refresh} {
		if strings.Contains(log, secret) {
			t.Errorf("%.20s.. is in the log", secret)
		}
	}
}
