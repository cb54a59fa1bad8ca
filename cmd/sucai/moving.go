package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"sucai/internal/library"
)

// moving shows how work on a whole store goes: a bar of materials on a terminal, nothing
// elsewhere, and each fault in a line.
type moving struct {
	bar *progressbar.ProgressBar
	err io.Writer
}

func newMoving(what string, stderr io.Writer) *moving {
	return &moving{err: stderr, bar: newBar(1, what, progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("materials"))}
}

// newBar shows progress to people: without a terminal nothing is drawn.
func newBar(total int64, what string, more ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total, append(more, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what),
		progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))...)
}

func (m *moving) watch() library.Watch {
	return library.Watch{
		Fault: func(f library.Fault) {
			m.bar.Clear()
			fmt.Fprintf(m.err, "sucai: %s\n", printableLines(f.String()))
		},
		Progress: func(done, total int64) {
			if m.bar.GetMax64() != total {
				m.bar.ChangeMax64(total)
			}
			m.bar.Set64(done)
		},
	}
}

// end takes the bar away. Of what was broken off it says how to go on.
func (m *moving) end(ctx context.Context, err error, goOn string) error {
	m.bar.Clear()
	if ctx.Err() != nil && err != nil { // whatever the error of a store is then
		return errors.New("broken off: " + goOn)
	}
	return err
}
