package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sucai/internal/library"
	"sucai/internal/sqlstore"
	"sucai/wechat"
)

func newAccount() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "account",
		Short: "Add, show, change and remove accounts",
		Long: `Add, show, change and remove the accounts of a store.

These commands open the store itself, so they take --data, or --db and --blobs, as serve
does. They work while a server runs on it, which honours a change within a second.`,
		Example: `  sucai account add
  sucai account ls`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAccountAdd(), newAccountLs(), newAccountShow(), newAccountSet(), newAccountRm(), newAccountRotate())
	return cmd
}

// storeCommand is what a command does with an opened store.
type storeCommand func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error

// withStore makes a command that works on a store, which must be there: a mistyped
// --data shall not become a new store that holds nothing.
func withStore(cmd *cobra.Command, run storeCommand) *cobra.Command {
	return openingStore(cmd, run, noStore)
}

func noStore(missing string) error {
	return fmt.Errorf("there is no store: %s is missing; --data names the directory of another, `sucai account add` makes one", missing)
}

// withNewStore makes a command that works on a store, which is made where there is none.
func withNewStore(cmd *cobra.Command, run storeCommand) *cobra.Command {
	return openingStore(cmd, run, func(missing string) error {
		fmt.Fprintf(cmd.ErrOrStderr(), "sucai: there is no %s: making a new store\n", missing)
		return nil
	})
}

// openingStore asks absent what to do where something of the store is missing.
func openingStore(cmd *cobra.Command, run storeCommand, absent func(missing string) error) *cobra.Command {
	var store storeFlags
	store.add(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		missing, err := store.missing(cmd.Context())
		if err == nil && missing != "" {
			err = absent(missing)
		}
		if err != nil {
			return err
		}
		ls, closeStore, err := store.open(cmd.Context(), sqlstore.Command, library.Options{})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, closeStore()) }()
		err = run(cmd.Context(), ls, args, cmd.OutOrStdout())
		if errors.Is(err, library.ErrNotFound) && len(args) > 0 {
			return fmt.Errorf("there is no account %s; `sucai account ls` lists them", args[0])
		}
		return err
	}
	return cmd
}

func newAccountAdd() *cobra.Command {
	var secret string
	cmd := withNewStore(&cobra.Command{
		Use:   "add [APPID]",
		Short: "Add an account and print its appid and secret, once",
		Long: `Add an account and print its appid and secret. The secret is shown this once: the
store keeps its hash. Without APPID, one is made up. Where there is no store, it is made.`,
		Example: `  sucai account add
  sucai account add wx0123456789abcdef --secret-file secret.txt`,
		Args: cobra.MaximumNArgs(1),
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			secret, err = readSecret(cmd.Flags())
			return err
		},
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		a, clear, err := ls.NewAccount(ctx, strings.Join(args, ""), secret)
		if errors.Is(err, library.ErrExists) {
			return fmt.Errorf("there is an account %s already", args[0])
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "appid=%s\nsecret=%s\n", a.AppID, clear)
		return nil
	})
	cmd.Flags().String("secret-file", "", "`file` that holds the secret to give it, - for standard input")
	return cmd
}

func newAccountLs() *cobra.Command {
	var asJSON bool
	cmd := withStore(&cobra.Command{
		Use:     "ls",
		Short:   "List the accounts",
		Example: "  sucai account ls --json",
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, ls *library.Libraries, _ []string, out io.Writer) error {
		list, err := ls.Accounts.AccountList(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, a := range list {
			if asJSON {
				if err := printJSON(out, accountJSON(a, nil)); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", a.AppID, day(a.Created), printable(a.Settings.Name))
		}
		return table.Flush()
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func day(unix int64) string { return time.Unix(unix, 0).Format(time.DateOnly) }

func accountJSON(a *library.Account, n *wechat.Counts) map[string]any {
	m := map[string]any{"appid": a.AppID, "created": a.Created, "settings": a.Settings}
	if n != nil {
		m["counts"] = n
	}
	return m
}

// countedAccount gives an account, and how much it holds.
func countedAccount(ctx context.Context, ls *library.Libraries, appID string) (*library.Account, *wechat.Counts, error) {
	a, err := ls.Accounts.Account(ctx, appID)
	if err != nil {
		return nil, nil, err
	}
	n, err := ls.Of(a).Counts(ctx)
	return a, n, err
}

func newAccountShow() *cobra.Command {
	var asJSON bool
	cmd := withStore(&cobra.Command{
		Use:     "show APPID",
		Short:   "Show an account: what is set, and how much it holds",
		Example: "  sucai account show wxdemo000000000000",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		a, n, err := countedAccount(ctx, ls, args[0])
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(out, accountJSON(a, n))
		}
		fmt.Fprintf(out, "appid=%s\ncreated=%s\n", a.AppID, time.Unix(a.Created, 0).Format(time.RFC3339))
		for _, line := range a.Settings.Shown() {
			fmt.Fprintln(out, printable(line))
		}
		printCounts(out, n)
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

func printCounts(out io.Writer, n *wechat.Counts) {
	fmt.Fprintf(out, "voice_count=%d\nvideo_count=%d\nimage_count=%d\nnews_count=%d\n", n.Voice, n.Video, n.Image, n.News)
}

func newAccountSet() *cobra.Command {
	var keys strings.Builder
	for _, k := range library.SettingKeys {
		fmt.Fprintf(&keys, "\n  %-13s %s", k.Key, k.What)
	}
	return withStore(&cobra.Command{
		Use:   "set APPID key=value..",
		Short: "Change an account's settings; an empty value unsets",
		Long: `Change an account's settings; an empty value unsets. A running server honours a change
within a second. docs/accounts.md tells more. The keys:
` + keys.String() + `
  quota.NAME    how often the endpoint of that name may be called a day, or unlimited; more get
                45009. The names: ` + strings.Join(library.Endpoints, ", "),
		Example: `  sucai account set wxdemo000000000000 name=素材演示
  sucai account set wxdemo000000000000 whitelist=127.0.0.1,10.0.0.0/8 quota.get_material=500`,
		Args: cobra.MinimumNArgs(2),
	}, func(ctx context.Context, ls *library.Libraries, args []string, _ io.Writer) error {
		return ls.SetAccount(ctx, args[0], func(s *library.Settings) error {
			for _, pair := range args[1:] {
				key, value, ok := strings.Cut(pair, "=")
				if !ok {
					return usagef("%q: key=value is wanted", pair)
				}
				if err := s.Set(key, value); err != nil {
					return usageError{err}
				}
			}
			return nil
		})
	})
}

func newAccountRm() *cobra.Command {
	var force bool
	cmd := withStore(&cobra.Command{
		Use:     "rm APPID",
		Short:   "Remove an account; one that holds materials only with --force",
		Example: "  sucai account rm wx0123456789abcdef --force",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, _ io.Writer) error {
		a, n, err := countedAccount(ctx, ls, args[0])
		if err != nil {
			return err
		}
		if total := n.Voice + n.Video + n.Image + n.News; total > 0 && !force {
			return fmt.Errorf("%s holds %d materials; --force removes them with it", a.AppID, total)
		}
		return ls.RemoveAccount(ctx, a.AppID)
	})
	cmd.Flags().BoolVar(&force, "force", false, "remove the account's materials too")
	return cmd
}

func newAccountRotate() *cobra.Command {
	return withStore(&cobra.Command{
		Use:     "rotate APPID",
		Short:   "Give an account a new secret, print it once, and end the account's own tokens",
		Example: "  sucai account rotate wx0123456789abcdef",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		clear, err := ls.RotateSecret(ctx, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "appid=%s\nsecret=%s\n", args[0], clear)
		return nil
	})
}
