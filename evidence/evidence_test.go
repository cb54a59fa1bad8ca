package evidence

import (
	"flag"
	"net/http"
	"slices"
	"strings"
	"testing"

	"sucai/internal/library"
	"sucai/internal/library/storetest"
)

var only = flag.String("only", "", "run the cases whose names begin so")

// Every case passes on both wires of every shape, and none is left out: what cannot be run
// proves nothing. All exchanges are as the description of the API says: every answer, and
// every request that was not refused.
func TestCases(t *testing.T) {
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	cases = slices.DeleteFunc(cases, func(c *Case) bool { return !strings.HasPrefix(c.Name, *only) })
	storetest.Each(t, func(t *testing.T, e storetest.Engine) {
		d := readDescription(t)
		for _, live := range []bool{false, true} {
			engines := e.Open(t)
			t.Run(map[bool]string{false: "documented", true: "live"}[live], func(t *testing.T) { runAll(t, engines, cases, live, d) })
		}
		if *only == "" {
			d.all(t)
		}
	})
}

func runAll(t *testing.T, engines library.Engines, cases []*Case, live bool, d *description) {
	_, target := newLab(t, engines, live)
	target.Observe = func(c *Case, req *http.Request, reqBody []byte, res *http.Response, body []byte) {
		if err := d.exchange(req, reqBody, res, body); err != nil {
			t.Errorf("%s: %s %s %s\n%s\n%v", c.Name, req.Method, req.URL.Path, briefBytes(reqBody), briefBytes(body), err)
		}
	}
	ran := 0
	err := Run(t.Context(), target, cases, func(r Result) {
		switch {
		case r.Status == Pass:
			ran++
		case r.Status == NotRun && r.Case.Wire != "" && (r.Case.Wire == "live") != live:
		default:
			t.Errorf("%s: %s\n%s", r.Case.Name, r.Status, r.Detail)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d cases ran", ran, len(cases))
}

// A case that passes against a server that answers something else could not fail.
func TestCasesCanFail(t *testing.T) {
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	_, target := openLab(t, false)
	for _, spoil := range []func(*Case) bool{spoilStatus, spoilBody} {
		spoiled := 0
		for _, c := range cases {
			wrong := *c
			wrong.Steps = append([]Step{}, c.Steps...)
			if c.Wire == "live" || !spoil(&wrong) {
				continue
			}
			spoiled++
			if r := newRunner(t.Context(), target).run(&wrong); r.Status != Differs {
				t.Errorf("%s passes although something else is expected", c.Name)
			}
			if spoiled == 60 { // enough to know that the comparison compares
				break
			}
		}
		if spoiled == 0 {
			t.Error("nothing was spoiled")
		}
	}
}

func spoilStatus(c *Case) bool {
	s := &c.Steps[len(c.Steps)-1]
	if !strings.HasPrefix(s.Answer, "200") {
		return false
	}
	s.Answer = "201" + s.Answer[3:]
	return true
}

func spoilBody(c *Case) bool {
	s := &c.Steps[len(c.Steps)-1]
	if !strings.HasSuffix(s.Answer, "}") || strings.HasSuffix(s.Answer, ":any}") {
		return false
	}
	s.Answer += "x"
	return true
}
