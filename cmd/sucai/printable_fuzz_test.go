package main

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// Strangers' words reach a terminal, and their ids the name of a file, without acting there.
func FuzzPrintable(f *testing.F) {
	for _, text := range []string{"图 a.png", "\x1b[31mred", "\u202egnp.exe", "a\r\nb", "\u2028\u2029", "\xff\xfe", "../../etc/passwd", `C:\x`, "\u0085", "😀", `\u001b`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		shown := printable(text)
		for _, r := range shown {
			if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control) || r == '\u2028' || r == '\u2029' {
				t.Fatalf("%q shows %U", shown, r)
			}
		}
		if !strings.ContainsAny(text, "\"\\") {
			if again, err := strconv.Unquote(`"` + shown + `"`); err != nil || again != string([]rune(text)) {
				t.Fatalf("%q is shown as %q, %v", text, shown, err)
			}
		}
		if lines := printableLines(text); strings.Count(lines, "\n") != strings.Count(text, "\n") || printable(strings.ReplaceAll(lines, "\n", "")) != strings.ReplaceAll(lines, "\n", "") {
			t.Fatalf("%q is shown in lines as %q", text, lines)
		}
		name := filepath.Join("dir", strings.Map(fileRune, text)+".png")
		if filepath.Dir(name) != "dir" || strings.ContainsFunc(filepath.Base(name), unicode.IsControl) {
			t.Fatalf("the id %q becomes the file %q", text, name)
		}
	})
}
