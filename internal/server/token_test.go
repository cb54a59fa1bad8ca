package server

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"context"
)

func (f *fixture) alive(token string) string {
	f.t.Helper()
	_, data := f.do("GET", "/cgi-bin/material/get_materialcount?access_token="+token, "", nil)
	if strings.Contains(string(data), "voice_count") {
		return "alive"
	}
	return string(data)
}

const (
	ended   = `{"errcode":40001,"errmsg":"invalid credential access_token isinvalid or not latest"}`
	expired = `{"errcode":42001,"errmsg":"access_token expired"}`
)

func TestToken(t *testing.T) {
	f := newFixture(t)
	res, data := f.do("GET", "/cgi-bin/token?grant_type=client_credential&appid=wxaccount&secret=secret&neededText=", "", nil)
	if !regexp.MustCompile(`^\{"access_token":"[0-9]+_[A-Za-z0-9_-]{136,157}","expires_in":7200\}$`).Match(data) {
		t.Errorf("answer %s", data)
	}
	if got := res.Header.Get("Content-Type"); got != "application/json; encoding=utf-8" {
		t.Errorf("Content-Type %s", got)
	}
	for _, c := range []struct {
		query string
		code  int
	}{
		{"", 41002},
		{"appid=wxnone", 40013},
		{"appid=wxaccount", 40002},
		{"appid=wxaccount&grant_type=x&secret=secret", 40002},
		{"appid=wxaccount&grant_type=client_credential", 41004},
		{"appid=wxaccount&grant_type=client_credential&secret=wrong", 40125},
		{"appid=a%00b&grant_type=client_credential&secret=x", 40013},
	} {
		_, data := f.do("GET", "/cgi-bin/token?"+c.query, "", nil)
		wantCode(t, c.query, string(data), c.code)
	}
	_, data = f.do("POST", "/cgi-bin/token?grant_type=client_credential&appid=wxaccount&secret=secret", "", nil)
	wantCode(t, "POST", string(data), 43001)
}

func TestTokensEnd(t *testing.T) {
	f := newFixture(t)
	first := f.token
	second := f.newToken()
	if first == second {
		t.Fatal("the same token again")
	}
	f.now = f.now.Add(299 * time.Second)
	wantBody(t, "superseded, within 5 minutes", f.alive(first), "alive")
	f.now = f.now.Add(time.Second)
	wantBody(t, "superseded, after 5 minutes", f.alive(first), ended)
	wantBody(t, "the latest", f.alive(second), "alive")
	f.now = f.now.Add(6899 * time.Second)
	wantBody(t, "in its last second", f.alive(second), "alive")
	f.now = f.now.Add(time.Second)
	wantBody(t, "at its end", f.alive(second), expired)
	f.now = f.now.Add(24*time.Hour - time.Second)
	wantBody(t, "a day later", f.alive(second), expired)
	must(t, f.ls.Tidy(context.Background()))
	wantBody(t, "remembered through tidying", f.alive(second), expired)
	f.now = f.now.Add(time.Second)
	wantBody(t, "forgotten", f.alive(second), ended)
	must(t, f.ls.Tidy(context.Background()))
	time.Sleep(1100 * time.Millisecond) // longer than any cache
	wantBody(t, "forgotten on disk", f.alive(second), ended)
	wantBody(t, "unknown", f.alive("nonsense"), ended)
}

func TestStableToken(t *testing.T) {
	f := newFixture(t)
	stable := func(more string) (string, float64) {
		t.Helper()
		_, data := f.do("POST", "/cgi-bin/stable_token", "", strings.NewReader(
			`{"grant_type":"client_credential","appid":"wxaccount","secret":"secret"`+more+`}`))
		return f.member(string(data), "access_token").(string), f.member(string(data), "expires_in").(float64)
	}
	first, left := stable("")
	if left != 7200 {
		t.Errorf("expires_in %v", left)
	}
	f.now = f.now.Add(6899 * time.Second)
	if again, left := stable(`,"force_refresh":false`); again != first || left != 301 {
		t.Errorf("another token, or %v left", left)
	}
	plain := f.newToken()
	wantBody(t, "stable beside plain", f.alive(first), "alive")
	f.now = f.now.Add(time.Second)
	second, left := stable("")
	if second == first || left != 7200 {
		t.Error("the same token within five minutes of its end")
	}
	wantBody(t, "the one before, to its own end", f.alive(first), "alive")
	third, _ := stable(`,"force_refresh":true`)
	wantBody(t, "forced out", f.alive(second), ended)
	wantBody(t, "the new one", f.alive(third), "alive")
	wantBody(t, "plain beside stable", f.alive(plain), "alive")

	for body, code := range map[string]int{
		``:                   44002,
		`appid=x&secret=y`:   41002,
		`{}`:                 41002,
		`{"appid":"wxnone"}`: 40013,
		`{"appid":1}`:        47001,
		`{"appid":"x"`:       47001,
		`[]`:                 47001,
		`{"appid":"wxaccount","grant_type":"client_credential"}`:                                             41004,
		`{"appid":"wxaccount","grant_type":"client_credential","secret":"wrong"}`:                            40125,
		`{"appid":"wxaccount","grant_type":"client_credential","secret":"secret","force_refresh":"perhaps"}`: 47001,
	} {
		_, data := f.do("POST", "/cgi-bin/stable_token", "application/x-www-form-urlencoded", strings.NewReader(body))
		wantCode(t, body, string(data), code)
	}
	_, data := f.do("GET", "/cgi-bin/stable_token", "", nil)
	wantCode(t, "GET", string(data), 43002)
}

func TestRotate(t *testing.T) {
	f := newFixture(t)
	wantBody(t, "before", f.alive(f.token), "alive")
	secret, err := f.ls.RotateSecret(context.Background(), "wxaccount")
	must(t, err)
	wantBody(t, "its own tokens end at once", f.alive(f.token), ended)
	_, data := f.do("GET", "/cgi-bin/token?grant_type=client_credential&appid=wxaccount&secret=secret", "", nil)
	wantCode(t, "the old secret", string(data), 40125)
	f.secret = secret
	wantBody(t, "the new secret", f.alive(f.newToken()), "alive")
}

// What another process changes reaches a server within a second.
func TestChangedElsewhere(t *testing.T) {
	f := newFixture(t)
	wantBody(t, "before", f.alive(f.token), "alive")
	must(t, f.ls.Accounts.RemoveAccount(context.Background(), "wxaccount")) // past the cache
	time.Sleep(1100 * time.Millisecond)
	wantBody(t, "a second after", f.alive(f.token), ended)
}

func TestOrderOfChecks(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		method, path, body string
		code               int
	}{
		{"GET", "/cgi-bin/material/nothing", "", 40066},
		{"GET", "/cgi-bin/material/get_material/", "", 40066},
		{"POST", "/nothing", "{}", 40066},
		{"POST", "//cgi-bin/material/get_material", "{}", 40066},
		{"GET", "/cgi-bin/material/get_material", "", 41001},
		{"GET", "/cgi-bin/material/get_material?access_token=", "", 41001},
		{"GET", "/cgi-bin/material/get_material?access_token=x", "", 40001},
		{"GET", f.at("material/get_material"), "", 43002},
		{"PUT", f.at("material/get_materialcount"), "", 43002},
		{"POST", f.at("media/get"), "", 43001},
		{"POST", f.at("material/get_material"), "", 44002},
		{"POST", f.at("material/get_material"), " \r\n\t", 44002},
		{"POST", f.at("material/get_material"), "[]", 47001},
		{"POST", f.at("material/get_material"), "{", 47001},
		{"POST", f.at("material/get_material"), "{}", 40007},
		{"POST", f.at("material/batchget_material"), "{}", 40004},
	} {
		res, data := f.do(c.method, c.path, "", strings.NewReader(c.body))
		wantCode(t, fmt.Sprint(c), string(data), c.code)
		if res.StatusCode != 200 || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v: status %d, headers %v", c, res.StatusCode, res.Header)
		}
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}$`).MatchString(res.Header.Get("X-Rid")) {
			t.Errorf("%v: X-Rid %q", c, res.Header.Get("X-Rid"))
		}
	}
	if strings.Contains(f.log.String(), f.token) || strings.Contains(f.log.String(), "secret=") {
		t.Error("a token or secret is in the log")
	}
}
