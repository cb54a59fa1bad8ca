package evidence

import (
	"context"
	"fmt"
	"strings"

	"sucai/internal/library"
)

// Bound implements Lab.
func (l *lab) Bound() map[string]string { return l.bound }

func (l *lab) bind(name, value string) {
	if l.bound == nil {
		l.bound = map[string]string{}
	}
	l.bound[name] = value
}

// platformState brings about the states of third-party platforms. The words: "component",
// a new one; "component set key=value", "component rotate"; "ticket", bound; "component
// token", bound; "authorize 11,100", by the case's account; "unauthorize"; "authorized
// 11,100", all of these up to a token on behalf of the account.
func (l *lab) platformState(appID string, words []string) error {
	ctx, platform := context.Background(), l.bound["COMPONENT"]
	account, err := l.ls.Accounts.Account(ctx, appID)
	if err != nil {
		return err
	}
	do := func(words ...string) error { return l.platformState(appID, words) }
	switch strings.Join(words[:min(len(words), 2)], " ") {
	case "component":
		c, secret, err := l.ls.NewComponent(ctx, "", "")
		if err != nil {
			return err
		}
		l.bind("COMPONENT", c.AppID)
		l.bind("COMPONENT_SECRET", secret)
		return nil
	case "component set":
		key, value, _ := strings.Cut(strings.Join(words[2:], " "), "=")
		return l.ls.SetComponent(ctx, platform, func(s *library.ComponentSettings) error { return s.Set(key, value) })
	case "component rotate":
		_, err := l.ls.RotateComponent(ctx, platform)
		return err
	case "component token":
		t, err := l.ls.ComponentToken(ctx, platform, l.bound["COMPONENT_SECRET"], l.bound["TICKET"])
		if err == nil {
			l.bind("COMPONENT_TOKEN", t.ComponentAccessToken)
		}
		return err
	case "ticket":
		ticket, err := l.ls.Ticket(ctx, platform)
		l.bind("TICKET_BEFORE", l.bound["TICKET"])
		l.bind("TICKET", ticket)
		return err
	case "unauthorize":
		return l.ls.Unauthorize(ctx, platform, account)
	}
	switch words[0] {
	case "authorize":
		sets, err := library.ParseSets(words[1])
		if err != nil {
			return err
		}
		code, err := l.ls.Authorize(ctx, platform, account, sets, "")
		l.bind("AUTH_CODE_BEFORE", l.bound["AUTH_CODE"])
		l.bind("AUTH_CODE", code)
		return err
	case "authorized":
		for _, step := range [][]string{{"component"}, {"ticket"}, {"component", "token"}, {"authorize", words[1]}} {
			if err := do(step...); err != nil {
				return err
			}
		}
		info, err := l.ls.QueryAuth(ctx, l.bound["COMPONENT"], l.bound["AUTH_CODE"])
		if err == nil {
			l.bind("AUTHORIZER_TOKEN", info.AuthorizerAccessToken)
			l.bind("REFRESH_TOKEN", info.AuthorizerRefreshToken)
		}
		return err
	}
	return fmt.Errorf("there is no state %q", words[0])
}
