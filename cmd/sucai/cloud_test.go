package main

import (
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// trusted NAME sets TRUSTED to where a server takes calls without a token.
func scriptTrusted(ts *testscript.TestScript, neg bool, args []string) {
	p := ts.Value("servers").(map[string]*process)[args[0]]
	for end := time.Now().Add(startTime); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		for line := range strings.Lines(p.printed()) {
			if address, ok := strings.CutPrefix(line, "trusted="); ok && strings.HasSuffix(line, "\n") {
				ts.Setenv("TRUSTED", strings.TrimSpace(address))
				return
			}
		}
	}
	ts.Fatalf("%s printed no trusted= line", args[0])
}
