package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"sucai/internal/library"
)

// leastSweepAge is longer than any upload takes, and than clocks of several machines
// differ: a younger blob may be one whose row is about to be written.
const leastSweepAge = time.Hour

func newSweep() *cobra.Command {
	var age time.Duration
	cmd := withStore(&cobra.Command{
		Use:   "sweep",
		Short: "Remove stored bytes that no material needs any more",
		Long: `Remove the stored bytes that no material needs any more: those of deleted materials, and
of uploads that broke off. A server does so by itself, one of several in turn, an hour after
the last time or later. What is younger than --older-than stays, since it may belong to an
upload that is under way. Servers may run meanwhile.

What cannot be listed or removed is tried again, then left to the next sweep, and the
status is 1.`,
		Example: `  sucai sweep
  sucai sweep --older-than 48h --data /var/lib/sucai`,
		Args: cobra.NoArgs,
		PreRunE: func(*cobra.Command, []string) error {
			if age < leastSweepAge {
				return usagef("--older-than %s: at least %s is wanted, or uploads that are under way would lose their bytes", age, leastSweepAge)
			}
			return nil
		},
	}, func(ctx context.Context, ls *library.Libraries, _ []string, out io.Writer) error {
		show := &moving{newBar(1, "sweeping"), os.Stderr}
		removed, err := ls.Sweep(ctx, time.Now().Add(-age), show.watch().Progress)
		err = show.end(ctx, err, "run it again")
		fmt.Fprintf(out, "removed=%d\n", removed)
		return err
	})
	cmd.Flags().DurationVar(&age, "older-than", library.SweepAge, "the least `age` of what is removed, such as 48h")
	return cmd
}
