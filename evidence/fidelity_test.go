package evidence

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/fidelity.md anew")

// docs/fidelity.md and the counts in both READMEs say what the corpus says.
func TestFidelityIsFresh(t *testing.T) {
	cases, err := Cases()
	if err != nil {
		t.Fatal(err)
	}
	want := Fidelity(cases)
	if *update {
		if err := os.WriteFile("../docs/fidelity.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("../docs/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/fidelity.md is stale: go test ./evidence -update")
	}
	for _, name := range []string{"../README.md", "../README.zh-CN.md"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), CountLine(cases)) {
			t.Errorf("%s does not say %q", name, CountLine(cases))
		}
	}
}

func TestCasesThatSayTooLittle(t *testing.T) {
	const good = "claim: a\nendpoint: b\ntag: documented\nsource: c\n\n> GET /\n< 200\n"
	if _, err := parse("x", good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"", "claim: a\n", strings.Replace(good, "claim: a\n", "", 1), strings.Replace(good, "documented", "certain", 1),
		strings.Replace(good, "documented", "assumed", 1), strings.Replace(good, "< 200\n", "", 1), good + "what\n",
		strings.Replace(good, "claim: a\n", "claim: a\nclaim: b\n", 1), strings.Replace(good, "claim: a\n", "claim: a\nwire: both\n", 1),
		"claim: a\nendpoint: b\ntag: documented\nsource: c\n\n< 200\n",
	} {
		if c, err := parse("x", bad); err == nil {
			t.Errorf("%q is taken for a case: %+v", bad, c)
		}
	}
}
