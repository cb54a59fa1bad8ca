package main

import (
	"fmt"
	"strings"
	"unicode"
)

// printable writes what would act on a terminal, instead of being shown there, as
// \u001b: names and titles are strangers' words. In JSON that is the same text.
func printable(s string) string {
	var out strings.Builder
	for _, r := range s { // a byte that is no UTF-8 is U+FFFD
		if unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			fmt.Fprintf(&out, `\u%04x`, r)
			continue
		}
		out.WriteRune(r)
	}
	return out.String()
}

// printableLines leaves line ends, and escapes the rest: for errors, of which several
// may be joined.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}
