// Package evidence says, claim by claim, how we know that sucai answers like the real
// service, and proves it again whenever it is run: against any http.Handler, or against
// any address, the real service's included.
//
// A claim is a case: one small text file in cases, with its source in words and one or
// more exchanges, requests and the answers that are expected to them.
package evidence

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Tag says how sure a claim is.
type Tag string

const (
	// Documented: the specification, or an official page, says so.
	Documented Tag = "documented"
	// Observed: a real answer of the service was quoted by somebody.
	Observed Tag = "observed"
	// Assumed: our choice, where nobody says; Choice tells why.
	Assumed Tag = "assumed"
)

// Tags are all tags, the surest first.
var Tags = []Tag{Documented, Observed, Assumed}

// Case is one claim with its proof.
type Case struct {
	Name     string // path of its file below cases, without .txt
	Claim    string // one sentence
	Endpoint string // what it is about, such as get_material
	Tag      Tag
	Source   string // where it is known from, in words
	Choice   string // what we chose where sources disagree or are silent, and why
	Differs  string // what we knowingly do differently, and what that means for a user
	Wire     string // "documented" or "live" where it holds on one wire only
	Steps    []Step
}

// Step is one line of a case that does something: an exchange, or a change of state that
// only tests can make.
type Step struct {
	Do       []string // of a state: its words, such as clock +7200
	Request  string   // of an exchange: the request line, headers, a blank line, the body
	Answer   string   // the status, headers, a blank line, the body; patterns in it
	Live     string   // the answer on the live wire where it differs
	HasLive  bool
	FileLine int
}

//go:embed cases
var files embed.FS

// Cases reads the corpus, in the order of its files.
func Cases() ([]*Case, error) {
	var cases []*Case
	err := fs.WalkDir(files, "cases", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		c, err := parse(strings.TrimSuffix(strings.TrimPrefix(name, "cases/"), ".txt"), string(text))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		cases = append(cases, c)
		return nil
	})
	return cases, err
}

// parse reads a case: a head of `key: value` lines, continued by indented ones, a blank
// line, and steps. A line of a request begins with "> ", of an answer with "< ", of an
// answer on the live wire with "live< ", a state with "* ".
func parse(name, text string) (*Case, error) {
	c := &Case{Name: name}
	head, body, ok := strings.Cut(text, "\n\n")
	if !ok || path.Base(name) == "" {
		return nil, fmt.Errorf("no blank line between head and steps")
	}
	keys := map[string]*string{"claim": &c.Claim, "endpoint": &c.Endpoint, "tag": (*string)(&c.Tag), "source": &c.Source,
		"choice": &c.Choice, "differs": &c.Differs, "wire": &c.Wire}
	var last *string
	for line := range strings.Lines(head) {
		line = strings.TrimRight(line, "\n")
		if more, ok := strings.CutPrefix(line, "  "); ok && last != nil {
			*last += " " + strings.TrimSpace(more)
			continue
		}
		key, value, _ := strings.Cut(line, ":")
		if last, ok = keys[key]; !ok || *last != "" {
			return nil, fmt.Errorf("head line %q", line)
		}
		*last = strings.TrimSpace(value)
	}
	if err := c.parseSteps(body, 2+strings.Count(head, "\n")); err != nil {
		return nil, err
	}
	return c, c.check()
}

func (c *Case) parseSteps(body string, line int) error {
	var step *Step
	var into *string
	open := func(kind string) { // a first line of a kind opens a new part
		switch kind {
		case ">":
			c.Steps = append(c.Steps, Step{FileLine: line})
			step = &c.Steps[len(c.Steps)-1]
			into = &step.Request
		case "<":
			into = &step.Answer
		case "live<":
			into, step.HasLive = &step.Live, true
		}
	}
	before := ""
	for text := range strings.Lines(body) {
		line++
		text = strings.TrimRight(text, "\n")
		kind, rest, _ := strings.Cut(text, " ")
		switch {
		case text == "":
			before = ""
			continue
		case kind == "*":
			c.Steps = append(c.Steps, Step{Do: strings.Fields(rest), FileLine: line})
			step = nil
		case kind != ">" && kind != "<" && kind != "live<" || kind != ">" && step == nil:
			return fmt.Errorf("line %d: %q", line, text)
		default:
			if kind != before {
				open(kind)
			} else {
				*into += "\n"
			}
			*into += rest
		}
		before = kind
	}
	return nil
}

// check refuses a case that says too little to be believed.
func (c *Case) check() error {
	switch {
	case c.Claim == "" || c.Endpoint == "" || c.Source == "":
		return fmt.Errorf("claim, endpoint and source are wanted")
	case !slices.Contains(Tags, c.Tag):
		return fmt.Errorf("tag %q", c.Tag)
	case c.Tag == Assumed && c.Choice == "":
		return fmt.Errorf("an assumption tells why, in choice")
	case c.Wire != "" && c.Wire != "documented" && c.Wire != "live":
		return fmt.Errorf("wire %q", c.Wire)
	}
	for _, s := range c.Steps {
		if s.Do == nil && s.Answer != "" {
			return nil
		}
	}
	return fmt.Errorf("no answer is expected, so it cannot fail")
}
