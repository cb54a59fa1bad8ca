package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sucai/internal/library"
)

func newComponent() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "component",
		Short: "Add, show, change and remove third-party platforms (第三方平台)",
		Long: `Add, show, change and remove the third-party platforms of a store, and let them call on
behalf of its accounts. docs/third-party.md tells more.

These commands open the store itself, so they take --data, or --db and --blobs, as serve
does. They work while a server runs on it, which honours a change within a second.`,
		Example: `  sucai component add
  sucai component authorize wxcomponent0000000 wxdemo000000000000 --sets 11,100`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newComponentAdd(), newComponentLs(), newComponentShow(), newComponentSet(), newComponentRm(), newComponentRotate(),
		newComponentPush(), newComponentTicket(), newComponentAuthorize(), newComponentUnauthorize())
	return cmd
}

// withComponent makes a command that works on a platform of a store, named by its first
// argument.
func withComponent(cmd *cobra.Command, run storeCommand) *cobra.Command {
	return withStore(cmd, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		err := run(ctx, ls, args, out)
		if errors.Is(err, library.ErrNotFound) {
			return fmt.Errorf("there is no third-party platform %s; `sucai component ls` lists them", args[0])
		}
		return err
	})
}

func newComponentAdd() *cobra.Command {
	var secret string
	cmd := withNewStore(&cobra.Command{
		Use:   "add [APPID]",
		Short: "Add a platform and print its appid and secrets, once",
		Long: `Add a third-party platform and print its appid and secret, and the message token and AES
key with which what is pushed to it is signed and encrypted. They are shown this once.
Without APPID, one is made up. Where there is no store, it is made.`,
		Example: `  sucai component add
  sucai component add wxcomponent0000000 --secret-file secret.txt`,
		Args: cobra.MaximumNArgs(1),
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			secret, err = readSecret(cmd.Flags())
			return err
		},
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		c, clear, err := ls.NewComponent(ctx, strings.Join(args, ""), secret)
		if errors.Is(err, library.ErrExists) {
			return fmt.Errorf("there is a third-party platform %s already", args[0])
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "appid=%s\nsecret=%s\ntoken=%s\naes_key=%s\n", c.AppID, clear, c.Settings.Token, c.Settings.AESKey)
		return nil
	})
	cmd.Flags().String("secret-file", "", "`file` that holds the secret to give it, - for standard input")
	return cmd
}

func newComponentLs() *cobra.Command {
	var asJSON bool
	cmd := withStore(&cobra.Command{
		Use:     "ls",
		Short:   "List the platforms",
		Example: "  sucai component ls --json",
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, ls *library.Libraries, _ []string, out io.Writer) error {
		list, err := ls.Accounts.ComponentList(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, c := range list {
			if asJSON {
				if err := printJSON(out, componentJSON(c)); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", c.AppID, day(c.Created), printable(c.Settings.Name))
		}
		return table.Flush()
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

// componentJSON holds nothing secret.
func componentJSON(c *library.Component) map[string]any {
	return map[string]any{"appid": c.AppID, "created": c.Created, "settings": c.Settings.Public(),
		"pushing": c.NextTicket > 0, "ticket_made": c.TicketMade, "next_ticket": c.NextTicket}
}

func pushJSON(p *library.Push) map[string]any {
	return map[string]any{"info_type": p.InfoType, "created": p.Created, "delivered": p.Delivered, "tries": p.Tries, "due": p.Due, "outcome": p.Outcome}
}

func newComponentShow() *cobra.Command {
	var asJSON bool
	cmd := withComponent(&cobra.Command{
		Use:   "show APPID",
		Short: "Show a platform: what is set, its ticket's age, and the last messages to it",
		Long: `Show a third-party platform: what is set, how many accounts it may call on behalf of, how
old its ticket is, and how the last messages to it fared. Nothing secret is shown.`,
		Example: `  sucai component show wxcomponent0000000
  sucai component show wxcomponent0000000 --json`,
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		c, err := ls.Accounts.Component(ctx, args[0])
		if err != nil {
			return err
		}
		state, err := ls.ComponentState(ctx, c)
		if err != nil {
			return err
		}
		if asJSON {
			m, list := componentJSON(c), []any{}
			for _, p := range state.Pushes {
				list = append(list, pushJSON(p))
			}
			m["authorized"], m["pushes"] = state.Authorized, list
			return printJSON(out, m)
		}
		fmt.Fprintf(out, "appid=%s\ncreated=%s\n", c.AppID, time.Unix(c.Created, 0).Format(time.RFC3339))
		keys, values := c.Settings.Shown()
		for i := range keys {
			fmt.Fprintln(out, printable(keys[i]+"="+values[i]))
		}
		fmt.Fprintf(out, "authorized=%d\npushing=%t\n", state.Authorized, c.NextTicket > 0)
		if c.Ticket != "" {
			fmt.Fprintf(out, "ticket_age=%s\n", ls.TicketAge(c))
		}
		for _, p := range state.Pushes {
			fmt.Fprintln(out, "push="+printable(p.String()))
		}
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

func newComponentSet() *cobra.Command {
	var keys strings.Builder
	for _, k := range library.ComponentSettingKeys {
		fmt.Fprintf(&keys, "\n  %-10s %s", k.Key, k.What)
	}
	return withComponent(&cobra.Command{
		Use:   "set APPID key=value..",
		Short: "Change a platform's settings; an empty value unsets",
		Long: `Change a third-party platform's settings; an empty value unsets. A running server honours
a change within a second. The token and the AES key can be read from a file: token=@FILE;
with an empty value they are made up, and printed this once. The keys:
` + keys.String(),
		Example: `  sucai component set wxcomponent0000000 push_url=https://platform.example.com/wechat
  sucai component set wxcomponent0000000 sets=11,100 aes_key=@key.txt`,
		Args: cobra.MinimumNArgs(2),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		pairs, err := readPairs(args[1:])
		if err != nil {
			return err
		}
		var made string // secrets that were made up are shown this once
		err = ls.SetComponent(ctx, args[0], func(s *library.ComponentSettings) error {
			made = ""
			for _, p := range pairs {
				if err := s.Set(p.key, p.value); err != nil {
					return usageError{err}
				}
				switch {
				case p.value == "" && p.key == "token":
					made += "token=" + s.Token + "\n"
				case p.value == "" && p.key == "aes_key":
					made += "aes_key=" + s.AESKey + "\n"
				}
			}
			return nil
		})
		if err == nil {
			fmt.Fprint(out, made)
		}
		return err
	})
}

type pair struct{ key, value string }

// readPairs reads key=value of a platform, and the files that secrets are in: before
// anything is changed, since a pipe can be read once only.
func readPairs(args []string) (pairs []pair, err error) {
	for i, arg := range args {
		key, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, usagef("argument %d: key=value is wanted", i+2)
		}
		if name, fromFile := strings.CutPrefix(value, "@"); fromFile && (key == "token" || key == "aes_key") {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			if value = strings.TrimSpace(string(text)); value == "" {
				return nil, fmt.Errorf("%s: %s is empty", key, name)
			}
		}
		pairs = append(pairs, pair{key, value})
	}
	return pairs, nil
}

func newComponentRm() *cobra.Command {
	var force bool
	cmd := withComponent(&cobra.Command{
		Use:   "rm APPID",
		Short: "Remove a platform; one that accounts have authorised only with --force",
		Example: `  sucai component rm wxcomponent0000000
  sucai component rm wxcomponent0000000 --force`,
		Args: cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, _ io.Writer) error {
		c, err := ls.Accounts.Component(ctx, args[0])
		if err != nil {
			return err
		}
		state, err := ls.ComponentState(ctx, c)
		if err != nil {
			return err
		}
		if state.Authorized > 0 && !force {
			return fmt.Errorf("%d accounts have authorised %s; --force removes it all the same", state.Authorized, c.AppID)
		}
		return ls.RemoveComponent(ctx, c.AppID)
	})
	cmd.Flags().BoolVar(&force, "force", false, "remove its authorisations too")
	return cmd
}

func newComponentRotate() *cobra.Command {
	return withComponent(&cobra.Command{
		Use:   "rotate APPID",
		Short: "Give a platform a new secret, print it once, and end the platform's own tokens",
		Long: `Give a third-party platform a new secret, print it once, and end the platform's own
tokens (component_access_token). Its tokens on behalf of accounts live on.`,
		Example: "  sucai component rotate wxcomponent0000000",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		clear, err := ls.RotateComponent(ctx, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "appid=%s\nsecret=%s\n", args[0], clear)
		return nil
	})
}

func newComponentPush() *cobra.Command {
	return withComponent(&cobra.Command{
		Use:   "push APPID",
		Short: "Push a new ticket to the platform's address at once",
		Long: `Make a new ticket (component_verify_ticket), push it to the platform's address at once and
tell whether the platform took it. From then on a running server pushes another every ten
minutes. One that was not taken is tried again by the server.`,
		Example: "  sucai component push wxcomponent0000000",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		var refused *library.NotPushed
		err := ls.PushTicket(ctx, newPushClient(), args[0])
		switch {
		case errors.Is(err, library.ErrNoPushURL):
			return fmt.Errorf("%s has no push address: `sucai component set %s push_url=URL` gives it one, `sucai component ticket` prints a ticket without", args[0], args[0])
		case errors.As(err, &refused):
			return fmt.Errorf("%w; a running server tries again", refused)
		case err != nil:
			return err
		}
		fmt.Fprintln(out, "delivered=true")
		return nil
	})
}

func newComponentTicket() *cobra.Command {
	return withComponent(&cobra.Command{
		Use:   "ticket APPID",
		Short: "Print a platform's current ticket and nothing else",
		Long: `Print a third-party platform's current ticket (component_verify_ticket) and nothing else,
for those who have no address to which it could be pushed. Where there is none, or one with
less than an hour to live, one is made. A ticket is good for 12 hours.`,
		Example: "  sucai component ticket wxcomponent0000000",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		ticket, err := ls.Ticket(ctx, args[0])
		if err == nil {
			fmt.Fprintln(out, ticket)
		}
		return err
	})
}
