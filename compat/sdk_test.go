package compat

import (
	_ "embed"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/sdk.md anew")

// An sdk is driven unmodified, against both wires.
type sdk struct {
	name    string
	of      string // where it comes from
	pinned  string // the file that holds its version
	pattern string // what the version follows there
	how     string // to point it at sucai
	drive   func(*run)
}

var sdks = []sdk{
	{"silenceper", "Go, `github.com/silenceper/wechat/v2`", "go.mod", `silenceper/wechat/v2 `, "`util.SetURIModifier(func(uri string) string { return strings.Replace(uri, \"https://api.weixin.qq.com\", \"http://127.0.0.1:8080\", 1) })`", silenceper},
	{"co-wechat-api", "Node", "node/package.json", `"co-wechat-api": "`, "`api.prefix = 'http://127.0.0.1:8080/cgi-bin/'`", coWechatAPI},
	{"curl", "as WeChat's documents call it", "", "", "the host in the line", curl},
}

var wires = []string{"documented", "live"}

// version is the version of the SDK that this module requires.
func (s sdk) version(t *testing.T) string {
	if s.pinned == "" {
		return "any"
	}
	data, err := os.ReadFile(s.pinned)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(regexp.QuoteMeta(s.pattern) + `(v?[0-9.]+)`).FindSubmatch(data)
	if m == nil {
		t.Fatalf("%s does not tell the version of %s", s.pinned, s.name)
	}
	return string(m[1])
}

// The first half of docs/sdk.md is what this test saw.
func TestSDKs(t *testing.T) {
	results := map[string]map[string]outcome{} // by SDK and wire, then by step
	for _, s := range sdks {
		for _, wire := range wires {
			for _, shape := range shapes {
				t.Run(s.name+"/"+wire+"/"+shape, func(t *testing.T) {
					inNewStore(t, shape)
					r := newRun(t, wire)
					s.drive(r)
					for _, step := range steps {
						if r.outcomes[step] == "" {
							t.Errorf("%s: not tried", step)
						}
					}
					if before := results[s.name+wire]; before != nil && !maps.Equal(before, r.outcomes) {
						t.Errorf("%v\nbut on the other shape\n%v", r.outcomes, before)
					}
					results[s.name+wire] = r.outcomes
				})
			}
		}
	}
	if t.Failed() || len(results) < len(sdks)*len(wires) {
		t.Log("docs/sdk.md is not looked at, as not everything ran and passed")
		return
	}
	want := page(t, results)
	const name = "../docs/sdk.md"
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("docs/sdk.md is stale (%v): go -C compat test ./... -update", err)
	}
}

// others is the second half of docs/sdk.md.
//
//go:embed others.md
var others string

const notes = `Every file that comes back, from get_material or from an address, is compared with the one that was sent, byte by byte. "Token refresh" is an SDK that gets
itself a new token when 40001 says that its own was replaced; silenceper keeps a token until 1,500 seconds before its end. silenceper has no call for the
bytes of get_material, so these steps go through the function that all its calls are made with, util.PostJSON. For curl, "get image" is also the documents' own
example, run as it stands, but for host and token, on the library of "serve --demo":

    LINE
`

func page(t *testing.T, results map[string]map[string]outcome) string {
	var b strings.Builder
	b.WriteString(`# SDKs

An SDK works with sucai as it is, once its calls go to another host than ` + "`api.weixin.qq.com`" + `.

## Run

These are driven against the real program by the tests, on [both wires](endpoints.md#two-wires); ` + "`go -C compat test ./... -update`" + ` writes this part anew.

| SDK | version | steps that pass: documented, live | to point it at sucai |
|---|---|---|---|
`)
	for _, s := range sdks {
		fmt.Fprintf(&b, "| %s (%s) | %s |", s.name, s.of, s.version(t))
		for i, wire := range wires {
			n, of := 0, len(steps)
			for _, o := range results[s.name+wire] {
				switch o {
				case passed:
					n++
				case absent:
					of--
				}
			}
			fmt.Fprintf(&b, "%s %d of %d", []string{"", ","}[i], n, of)
		}
		fmt.Fprintf(&b, " | %s |\n", s.how)
	}
	fmt.Fprintf(&b, "\n%s passes on both wires, %s is not in this SDK.\n\n| step |", passed, absent)
	for _, s := range sdks {
		fmt.Fprintf(&b, " %s |", s.name)
	}
	b.WriteString("\n|---" + strings.Repeat("|---", len(sdks)) + "|\n")
	for _, step := range steps {
		fmt.Fprintf(&b, "| %s |", step)
		for _, s := range sdks {
			documented, live := results[s.name+wires[0]][step], results[s.name+wires[1]][step]
			if documented != live {
				documented += ", " + live
			}
			fmt.Fprintf(&b, " %s |", documented)
		}
		b.WriteString("\n")
	}
	b.WriteString("\n" + strings.Replace(notes, "LINE", demoLine, 1) + "\n" + others)
	return b.String()
}
