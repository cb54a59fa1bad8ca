// Command sucai serves the permanent materials of WeChat Official Accounts and works
// with them from the shell. This package is the only place that reads flags and
// environment and picks engines.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() { os.Exit(run()) }

// run gives the exit status: 0, 1 when something failed, 2 for wrong usage.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	root, out := newRoot(), &carefulWriter{w: os.Stdout}
	root.SetOut(out)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil && out.err != nil {
		err = fmt.Errorf("standard output: %w", out.err) // what was printed may be shown only once
	}
	if err == nil {
		return 0
	}
	fmt.Fprintf(os.Stderr, "sucai: %s\n", printableLines(err.Error()))
	var usage usageError
	if errors.As(err, &usage) || strings.HasPrefix(err.Error(), "unknown command ") {
		fmt.Fprintf(os.Stderr, "see: %s --help\n", cmd.CommandPath())
		return 2
	}
	return 1
}

// carefulWriter remembers that something could not be written.
type carefulWriter struct {
	w   io.Writer
	err error
}

func (c *carefulWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if c.err == nil {
		c.err = err
	}
	return n, err
}

// usageError is a command line that cannot be meant.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "sucai",
		Short: "Serve the permanent materials (永久素材) of WeChat Official Accounts",
		Long: `sucai stores the permanent materials (永久素材) of WeChat Official Accounts and
answers get_material and batchget_material as WeChat documents them.

Every flag can be set by the environment too: --data is SUCAI_DATA, --tls-cert is
SUCAI_TLS_CERT; a flag beats the environment. Secrets come by environment or file only.`,
		Example: `  sucai serve --demo                 # a server with a demo library
  sucai account add                  # an account of your own
  sucai ls image                     # its materials, over the wire`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return fromEnvironment(cmd.Flags())
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newServe(), newAccount(), newComponent(), newCloud(), newLs(), newGet(), newPut(), newRm(), newCount(), newCheck(),
		newCopy(), newVerify(), newSweep(), newBackup(), newRestore(), newWait(), newVersion())
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		knowShells(completion)
	}
	wrapArgs(root)
	return root
}

// knowShells makes a shell that is none of the subcommands wrong usage, where cobra
// prints its help and succeeds.
func knowShells(completion *cobra.Command) {
	completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	completion.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("completion %q: unknown shell; bash, zsh, fish or powershell is wanted", args[0])
		}
		return nil
	}
}

// wrapArgs makes wrong arguments of every command wrong usage.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		wrapArgs(sub)
	}
}

// fromEnvironment sets the flags that were not given from SUCAI_FLAG. An empty variable
// counts as none: it is how compose files and unit files write "not set".
func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		name := variableOf(f.Name)
		value := os.Getenv(name)
		if value == "" || f.Changed || f.Name == "help" || err != nil {
			return
		}
		if e := flags.Set(f.Name, value); e != nil {
			err = usagef("%s: %w", name, e)
			return
		}
		err = flags.SetAnnotation(f.Name, fromVariable, []string{name})
	})
	return err
}

// variableOf is the variable of the environment that stands for a flag.
func variableOf(flag string) string {
	return "SUCAI_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromVariable marks the flags that fromEnvironment has set.
const fromVariable = "sucai: set by a variable of the environment"

func isFromEnvironment(flags *pflag.FlagSet, name string) bool {
	return flags.Lookup(name).Annotations[fromVariable] != nil
}
