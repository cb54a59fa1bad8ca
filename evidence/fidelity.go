package evidence

import (
	"fmt"
	"path"
	"strings"
)

// Fidelity writes the corpus for people, as Markdown: how we know what we claim, case by
// case, and what we knowingly do differently.
func Fidelity(cases []*Case) string {
	var out strings.Builder
	out.WriteString(`# How we know

Made from the [evidence cases](../evidence/README.md) by ` + "`go test ./evidence -update`" + `; do not edit. Each row is a claim that is tested on every change, on
both wires, and that ` + "`sucai check`" + ` tests against any server where it needs no state that only a test can bring about. The tags: **documented**, the specification or an official page says so; **observed**, a real
answer was quoted by somebody; **assumed**, our choice, with its reason. They are not one number: ` + CountLine(cases) + `.
`)
	chapter := ""
	for _, c := range cases {
		if dir := path.Dir(c.Name); dir != chapter {
			chapter = dir
			fmt.Fprintf(&out, "\n## %s\n\n| claim | endpoint | tag | source | case |\n|---|---|---|---|---|\n", chapter)
		}
		claim, source := c.Claim, c.Source
		if c.Wire != "" {
			claim += " (on the " + c.Wire + " wire)"
		}
		if c.Choice != "" {
			source += "<br>*Choice:* " + c.Choice
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | [%s](../evidence/cases/%s.txt) |\n", cell(claim), cell(c.Endpoint), c.Tag, cell(source), path.Base(c.Name), c.Name)
	}
	out.WriteString("\n## Known differences\n\nWhat sucai knowingly does in another way than the live service, and what that means for you.\n\n| about | difference | case |\n|---|---|---|\n")
	for _, c := range cases {
		if c.Differs != "" {
			fmt.Fprintf(&out, "| %s | %s | [%s](../evidence/cases/%s.txt) |\n", cell(c.Endpoint), cell(c.Differs), path.Base(c.Name), c.Name)
		}
	}
	return out.String()
}

// CountLine tells how many cases each tag has.
func CountLine(cases []*Case) string {
	n := map[Tag]int{}
	for _, c := range cases {
		n[c.Tag]++
	}
	parts := make([]string, len(Tags))
	for i, tag := range Tags {
		parts[i] = fmt.Sprintf("%d %s", n[tag], tag)
	}
	return strings.Join(parts, ", ")
}

// cell makes text fit for a cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<br>", "<br>", "<", "&lt;", "${", "$\\{", "\n", " ").Replace(text)
}
