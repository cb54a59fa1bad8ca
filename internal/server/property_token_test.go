package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"

	"sucai/wechat"
)

func (p *player) refresh() {
	if !p.alone || p.roll(2) == 0 {
		p.plainToken()
		return
	}
	p.stableToken(false)
}

func (p *player) plainToken() {
	_, got := p.send("GET", "/cgi-bin/token?grant_type=client_credential&appid="+p.own.appID+"&secret="+p.own.secret, "", nil)
	p.own.supersede(false, p.now()+300)
	p.take(got, false)
}

// take takes a new token out of an answer.
func (p *player) take(got string, stable bool) {
	token := p.match("token", got, `\{"access_token":"(\d+_[A-Za-z0-9_-]{100,200})","expires_in":7200\}`)[0]
	if slices.ContainsFunc(p.own.grants, func(g *modelGrant) bool { return g.token == token }) {
		p.Fatalf("the same token again: %s", token)
	}
	p.token = token
	end := p.now() + 7200
	p.own.grants = append(p.own.grants, &modelGrant{token, stable, end, end})
	if stable {
		p.own.stable.token, p.own.stable.expires = token, end
	}
}

func (p *player) stableToken(force bool) {
	s, now := &p.own.stable, p.now()
	_, got := p.send("POST", "/cgi-bin/stable_token", "", fmt.Appendf(nil,
		`{"grant_type":"client_credential","appid":"%s","secret":"%s","force_refresh":%v}`, p.own.appID, p.own.secret, force))
	if s.expires-now > 300 && !(force && now-s.forced >= 30) {
		p.want("the same stable token", got, fmt.Sprintf(`{"access_token":"%s","expires_in":%d}`, s.token, s.expires-now))
		p.token = s.token
		return
	}
	if force {
		if day := (now + 8*3600) / (24 * 3600); day != s.day { // days begin at midnight in China
			s.day, s.times = day, 0
		}
		if s.times == 20 {
			p.wantError("the 21st forced refresh of a day", got, wechat.ErrQuota)
			return
		}
		s.times++
		s.forced = now
		p.own.supersede(true, now)
	}
	p.take(got, true)
}

// forceOften refreshes by force up to more often than a day allows.
func (p *player) forceOften() {
	for range pick(p, []int{1, 1, 2, 2, 2, 2, 21}) {
		p.stableToken(true)
		p.clock.Add(int64(pick(p, []int{30, 31, 29})))
	}
}

func (p *player) badCredentials() {
	grant, id, secret := "client_credential", p.own.appID, p.own.secret
	var want *wechat.Error
	switch p.roll(5) {
	case 0:
		id, want = "", wechat.ErrAppIDMissing
	case 1:
		id, grant, want = "wxnobody", "x", wechat.ErrInvalidAppID
	case 2:
		grant, secret, want = "x", "", wechat.ErrInvalidGrantType
	case 3:
		secret, want = "", wechat.ErrSecretMissing
	case 4:
		secret, want = "x"+secret, wechat.ErrInvalidSecret
	}
	q := url.Values{"grant_type": {grant}, "appid": {id}, "secret": {secret}}
	_, got := p.send("GET", "/cgi-bin/token?"+q.Encode(), "", nil)
	p.wantError("token", got, want)
	body, err := json.Marshal(map[string]any{"grant_type": grant, "appid": id, "secret": secret, "force_refresh": true})
	if err != nil {
		p.Fatal(err)
	}
	_, got = p.send("POST", "/cgi-bin/stable_token", "", body)
	p.wantError("stable_token", got, want)
}

// oldToken calls with any token that the account ever had.
func (p *player) oldToken() {
	tokens := []string{"", "1_x"}
	for _, g := range p.own.grants {
		tokens = append(tokens, g.token)
	}
	mine := p.token
	p.token = pick(p, tokens)
	p.counts()
	if p.roll(2) == 0 {
		p.token = mine
	}
}

// waitToTheEnd calls with a token in its last second, and in the next.
func (p *player) waitToTheEnd() {
	if len(p.own.grants) == 0 {
		p.Skip("no token")
	}
	g := pick(p, p.own.grants[max(0, len(p.own.grants)-4):])
	end := g.ends
	if p.roll(3) == 0 {
		end = g.expires + 24*3600
	}
	for ; end > p.now(); p.clock.Store(min(end, max(end-1, p.now()+1))) {
		p.token = g.token
		p.counts()
	}
	p.token = g.token
	p.counts()
}
