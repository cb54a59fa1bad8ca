package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"sucai/wechat"
)

// Target is what the cases are run against, with one account's credentials.
type Target struct {
	Base   string // scheme and host, such as https://api.weixin.qq.com
	Do     func(*http.Request) (*http.Response, error)
	AppID  string
	Secret string

	Live  bool // it has the live wire
	Write bool // materials may be added and deleted, and tokens replaced
	Lab   Lab  // nil where only the wire can be reached

	// Observe sees every exchange, where it is set.
	Observe func(c *Case, req *http.Request, reqBody []byte, res *http.Response, body []byte)
}

// Lab changes what cannot be changed over the wire. A state that it does not know is an
// error.
type Lab interface {
	// Account makes a new account, to be used for one case.
	Account() (appID, secret string, err error)
	// State changes the account's state, by the words of a case's * line, and is undone
	// by the test when the case has ended.
	State(appID string, words []string) error
	// Bound gives the variables that the states of a case have bound so far.
	Bound() map[string]string
	// Done undoes the states of a case.
	Done() error
}

// Status is what became of a case.
type Status string

// The three outcomes.
const (
	Pass    Status = "pass"
	Differs Status = "differs"
	NotRun  Status = "not run"
)

// Result is the outcome of one case.
type Result struct {
	Case   *Case
	Status Status
	Detail string // of a difference: what was asked, expected and answered; else why it was not run

	Trouble bool // it was not run since something failed, such as the connection
}

// Run runs the cases one after the other and reports each. What it made on the way is
// deleted at the end.
func Run(ctx context.Context, t Target, cases []*Case, report func(Result)) error {
	shared := newRunner(ctx, t)
	for _, c := range cases {
		if ctx.Err() != nil {
			break
		}
		report(shared.run(c))
	}
	shared.cleanUp(shared.fixtures)
	if len(shared.left) > 0 {
		return fmt.Errorf("these could not be deleted again: %s", strings.Join(shared.left, ", "))
	}
	return ctx.Err()
}

// runner holds the variables and fixtures of one account.
type runner struct {
	ctx      context.Context
	t        Target
	vars     map[string]string
	failed   map[string]error // fixtures that could not be made
	fixtures []string         // media_ids of fixtures, which last as long as the run
	made     []string         // media_ids of the case that runs
	left     []string         // those that could not be deleted
}

func newRunner(ctx context.Context, t Target) *runner {
	return &runner{ctx: ctx, t: t, vars: map[string]string{"APPID": t.AppID, "SECRET": t.Secret, "BASE": t.Base}, failed: map[string]error{}}
}

// notRun is why a case cannot be run here.
type notRun struct{ error }

func (r *runner) run(c *Case) (res Result) {
	res.Case = c
	if c.Wire != "" && (c.Wire == "live") != r.t.Live {
		return Result{Case: c, Status: NotRun, Detail: "it is about the " + c.Wire + " wire"}
	}
	if !r.t.Write && c.writes() {
		return Result{Case: c, Status: NotRun, Detail: "it changes something; --write runs it"}
	}
	one := r
	for _, s := range c.Steps {
		if s.Do != nil && one == r { // states belong to an account that nobody else uses
			if r.t.Lab == nil {
				return Result{Case: c, Status: NotRun, Detail: "only a test can bring about: " + strings.Join(s.Do, " ")}
			}
			var err error
			if one, err = r.apart(); err != nil {
				return Result{Case: c, Status: NotRun, Detail: err.Error()}
			}
			defer func() {
				if err := r.t.Lab.Done(); err != nil {
					res = Result{Case: c, Status: NotRun, Detail: err.Error()}
				}
			}()
		}
	}
	defer one.forget(c, maps.Clone(one.vars))
	defer func() {
		one.cleanUp(one.made)
		one.made = nil
	}()
	if err := one.prepare(c); err != nil {
		return Result{Case: c, Status: NotRun, Detail: err.Error(), Trouble: true}
	}
	for i, s := range c.Steps {
		err := one.step(c, s)
		var not notRun
		switch {
		case err == nil:
			continue
		case errors.As(err, &not):
			return Result{Case: c, Status: NotRun, Detail: not.Error(), Trouble: true}
		}
		return Result{Case: c, Status: Differs, Detail: fmt.Sprintf("step %d: %v", i+1, err)}
	}
	return Result{Case: c, Status: Pass, Detail: ""}
}

// prepare makes the fixtures that a case names, so that none is missed half-way.
func (r *runner) prepare(c *Case) error {
	for _, s := range c.Steps {
		for _, p := range placeholder.FindAllString(s.Request+s.Answer+s.Live, -1) {
			name := p[2 : len(p)-1]
			if _, ok := fixtureNames[name]; !ok || slices.ContainsFunc(c.Steps, func(s Step) bool { return s.Do != nil }) {
				continue // what hangs on a state is made behind it
			}
			if _, err := r.variable(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// forget takes back the variables that a case has bound, for the next one; fixtures stay,
// but for a token that the case has ended.
func (r *runner) forget(c *Case, before map[string]string) {
	for name, value := range r.vars {
		if _, ok := fixtureNames[name]; ok {
			before[name] = value
		}
	}
	if c.forces() {
		delete(before, "TOKEN")
	}
	r.vars = before
}

// apart gives a runner on an account of its own.
func (r *runner) apart() (*runner, error) {
	t := r.t
	var err error
	if t.AppID, t.Secret, err = r.t.Lab.Account(); err != nil {
		return nil, err
	}
	return newRunner(r.ctx, t), nil
}

func (r *runner) step(c *Case, s Step) error {
	if s.Do != nil {
		words := make([]string, len(s.Do))
		for i, word := range s.Do {
			var err error
			if words[i], err = expand(word, r.variable); err != nil {
				return err
			}
		}
		if err := r.t.Lab.State(r.t.AppID, words); err != nil {
			return notRun{err}
		}
		maps.Copy(r.vars, r.t.Lab.Bound())
		return nil
	}
	req, reqBody, err := r.request(s.Request)
	if err != nil {
		return err
	}
	res, err := r.t.Do(req)
	if err != nil {
		return notRun{fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return notRun{err}
	}
	if r.t.Observe != nil {
		r.t.Observe(c, req, reqBody, res, body)
	}
	if strings.HasPrefix(s.Request, cloudMethod+" ") {
		if body, err = unwrap(res, body); err != nil {
			return fmt.Errorf("%s\n%w", brief(s.Request), err)
		}
	}
	r.watch(req, body)
	want, live := s.Answer, false
	if r.t.Live && s.HasLive {
		want, live = s.Live, true
	}
	if want == "" {
		return nil // only made on the way
	}
	if err := r.compare(want, live, res, body); err != nil {
		return fmt.Errorf("%s\n%w", brief(s.Request), err)
	}
	return nil
}

// request makes a request of its text.
func (r *runner) request(text string) (*http.Request, []byte, error) {
	head, body, hasBody := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	first, err := expand(lines[0], r.variable)
	if err != nil {
		return nil, nil, err
	}
	method, path, _ := strings.Cut(first, " ")
	multipart := false
	header := http.Header{}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		if value, err = expand(value, r.variable); err != nil {
			return nil, nil, err
		}
		header.Add(name, value)
		multipart = multipart || strings.HasPrefix(value, "multipart/")
	}
	if multipart {
		body = strings.ReplaceAll(body, "\n", "\r\n") + "\r\n"
	} else {
		body = strings.ReplaceAll(body, "\n", "")
	}
	data, err := expand(body, r.variable)
	if err != nil {
		return nil, nil, err
	}
	if method == cloudMethod {
		req, err := r.cloudRequest(path, header, data)
		return req, []byte(data), err
	}
	var reader io.Reader
	if hasBody {
		reader = strings.NewReader(data)
	}
	if strings.HasPrefix(path, "/") {
		path = r.t.Base + path
	}
	req, err := http.NewRequestWithContext(r.ctx, method, path, reader)
	if err != nil {
		return nil, nil, err
	}
	if host := header.Get("Host"); host != "" {
		req.Host = host
	}
	req.Header = header
	if len(header["Accept-Encoding"]) == 0 {
		header.Set("Accept-Encoding", "identity")
	}
	return req, []byte(data), nil
}

// compare checks status, headers and body of an answer, and binds variables.
func (r *runner) compare(want string, literal bool, res *http.Response, body []byte) error {
	head, wantBody, hasBody := strings.Cut(want, "\n\n")
	lines := strings.Split(head, "\n")
	if got := fmt.Sprint(res.StatusCode); got != lines[0] {
		return fmt.Errorf("  expected status %s\n  got             %s", lines[0], got)
	}
	for _, line := range lines[1:] {
		if name, absent := strings.CutPrefix(line, "!"); absent {
			if got := res.Header.Values(name); len(got) > 0 {
				return fmt.Errorf("  expected no header %s\n  got %q", name, got)
			}
			continue
		}
		name, value, _ := strings.Cut(line, ": ")
		if len(res.Header.Values(name)) == 0 {
			return fmt.Errorf("  expected header %s: %s\n  got none of that name", name, value)
		}
		if err := r.match("header "+name, value, res.Header.Get(name), true); err != nil {
			return err
		}
	}
	if !hasBody {
		return nil
	}
	if strings.HasPrefix(wantBody, "@") {
		data, err := fileBytes(wantBody)
		if err != nil {
			return err
		}
		if !bytes.Equal(data, body) {
			return fmt.Errorf("  expected the %d bytes of %s\n  got      %s", len(data), wantBody, briefBytes(body))
		}
		return nil
	}
	return r.match("body", strings.ReplaceAll(wantBody, "\n", ""), string(body), literal)
}

func (r *runner) match(what, want, got string, literal bool) error {
	re, err := pattern(want, r.t.Live, r.t.Live && !literal, r.variable)
	if err != nil {
		return err
	}
	m := re.FindStringSubmatch(got)
	if m == nil {
		return fmt.Errorf("  expected %s %s\n  got      %s %s", what, want, strings.Repeat(" ", len(what)), briefBytes([]byte(got)))
	}
	for i, name := range re.SubexpNames() {
		if name != "" {
			r.vars[name] = strings.ReplaceAll(m[i], `\/`, "/")
		}
	}
	return nil
}

func brief(request string) string {
	line, _, _ := strings.Cut(request, "\n")
	_, body, _ := strings.Cut(request, "\n\n")
	return "  " + line + "  " + briefBytes([]byte(strings.ReplaceAll(body, "\n", " ")))
}

func briefBytes(data []byte) string {
	if !utf8.Valid(data) {
		return fmt.Sprintf("%d bytes, beginning %q", len(data), data[:min(len(data), 16)])
	}
	if len(data) > 600 {
		return fmt.Sprintf("%s.. (%d bytes)", data[:600], len(data))
	}
	return string(data)
}

// writes tells whether a case adds, deletes or changes something, tokens included.
func (c *Case) writes() bool {
	if c.forces() {
		return true
	}
	for _, s := range c.Steps {
		path, _, _ := strings.Cut(s.Request, "\n")
		for _, word := range []string{"add_", "del_", "update_", "upload", "/cgi-bin/token?"} {
			if strings.Contains(path, word) {
				return true
			}
		}
		for _, p := range placeholder.FindAllString(s.Request+s.Answer+s.Live, -1) {
			if f, ok := fixtureNames[p[2:len(p)-1]]; ok && f.writes {
				return true
			}
		}
	}
	return false
}

// forces tells whether a case asks for a stable token by force, which ends the account's.
func (c *Case) forces() bool {
	return slices.ContainsFunc(c.Steps, func(s Step) bool { return strings.Contains(s.Request, `"force_refresh":true`) })
}

// watch remembers what a call has added, so that it can be deleted however the case ends.
func (r *runner) watch(req *http.Request, body []byte) {
	switch path.Base(req.URL.Path) {
	case "add_material", "add_news":
		var added struct {
			MediaID string `json:"media_id"`
		}
		if json.Unmarshal(body, &added) == nil && added.MediaID != "" {
			r.made = append(r.made, added.MediaID)
		}
	}
}

// cleanUp deletes materials; those that a case has deleted itself are gone already.
func (r *runner) cleanUp(ids []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), time.Minute)
	defer cancel()
	c := r.client()
	for _, id := range ids {
		if err := c.DelMaterial(ctx, id); err != nil && !errors.Is(err, wechat.ErrInvalidMediaID) {
			r.left = append(r.left, id)
		}
	}
}

// client is the typed client on the same target.
func (r *runner) client() *wechat.Client {
	return &wechat.Client{
		Endpoint: r.t.Base, AppID: r.t.AppID, Secret: r.t.Secret,
		HTTP: &http.Client{Transport: roundTripper(r.t.Do)},
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
