package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sucai/wechat"
)

func newRm() *cobra.Command {
	var yes bool
	cmd := withClient(&cobra.Command{
		Use:   "rm MEDIA_ID..",
		Short: "Delete materials for good",
		Long: `Delete materials for good. On a host that is not loopback it asks first; --yes answers.
It stops at the first that fails.`,
		Example: "  sucai rm 61224425 --yes",
		Args:    cobra.MinimumNArgs(1),
	}, func(ctx context.Context, c *wechat.Client, _ *cobra.Command, args []string) error {
		if !yes && !isLoopback(host(c)) {
			if err := confirm("rm", fmt.Sprintf("Delete %d materials of %s at %s?", len(args), c.AppID, host(c))); err != nil {
				return err
			}
		}
		for _, id := range args {
			if err := c.DelMaterial(ctx, id); err != nil {
				return fmt.Errorf("rm %s: %w", id, err)
			}
		}
		return nil
	})
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return cmd
}

// confirm asks a person whether a command shall go on; without one, it refuses.
func confirm(command, question string) error {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return fmt.Errorf("%s: this host is not loopback and nobody can be asked; --yes goes on", command)
	}
	fmt.Fprintf(os.Stderr, "%s [y/N] ", question)
	answer, _ := bufio.NewReader(os.Stdin).ReadString('\n')
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return fmt.Errorf("%s: nothing was done", command)
	}
	return nil
}
