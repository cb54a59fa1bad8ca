package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sucai/internal/library"
	"sucai/wechat"
)

func newComponentAuthorize() *cobra.Command {
	var sets, preAuthCode, list string
	var granted []int
	cmd := withComponent(&cobra.Command{
		Use:   "authorize COMPONENT_APPID [APPID]",
		Short: "Let a platform call on behalf of an account, and print the authorization code",
		Long: `Let a third-party platform call on behalf of an account, within permission sets, and print
an authorization code and nothing else. The platform exchanges it by api_query_auth, once
and within an hour. The same account can be authorised anew, with other sets; its refresh
token changes then. The platform is told, where it has a push address.

With --import, a file of accounts is taken in with the refresh tokens that the platform has
of them already, and the platform is not told. A line is

  APPID SETS REFRESH_TOKEN

with blanks or tabs between, such as: wxdemo000000000000 11,100 refreshtoken@@@...
Empty lines and those that begin with # are passed over. All lines are looked at before the
first is taken in. An import that broke off can be run again: what is there stays.`,
		Example: `  sucai component authorize wxcomponent0000000 wxdemo000000000000 --sets 11,100
  sucai component authorize wxcomponent0000000 --import accounts.txt`,
		Args: cobra.RangeArgs(1, 2),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			switch {
			case list != "" && (len(args) > 1 || sets != "" || preAuthCode != ""):
				return usagef("--import goes without an account, --sets and --pre-auth-code: they stand in the file")
			case list == "" && len(args) < 2:
				return usagef("an account is wanted, or --import")
			case list != "":
				return nil
			}
			if granted, err = library.ParseSets(sets); err != nil {
				return usagef("--sets: %w", err)
			}
			if len(granted) == 0 {
				return usagef("--sets: permission sets are wanted, such as 11,100")
			}
			return nil
		},
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		c, err := ls.Accounts.Component(ctx, args[0])
		if err != nil {
			return err
		}
		if list != "" {
			return importAuthorizations(ctx, ls, c, list, out)
		}
		a, err := accountOf(ctx, ls, args[1])
		if err != nil {
			return err
		}
		code, err := ls.Authorize(ctx, c.AppID, a, granted, preAuthCode)
		if errors.Is(err, wechat.ErrInvalidCode) || errors.Is(err, wechat.ErrCodeExpired) {
			return fmt.Errorf("--pre-auth-code: %w; api_create_preauthcode gives another", err)
		}
		if err != nil {
			return err
		}
		fmt.Fprintln(out, code)
		return nil
	})
	cmd.Flags().StringVar(&sets, "sets", "", "`numbers` of the permission sets, with commas")
	cmd.Flags().StringVar(&preAuthCode, "pre-auth-code", "", "`code` of api_create_preauthcode, to be used up as the authorisation page does")
	cmd.Flags().StringVar(&list, "import", "", "`file` of accounts to take in, - for standard input")
	return cmd
}

func newComponentUnauthorize() *cobra.Command {
	return withComponent(&cobra.Command{
		Use:   "unauthorize COMPONENT_APPID APPID",
		Short: "Withdraw what an account allowed a platform",
		Long: `Withdraw what an account allowed a third-party platform. The platform's calls on behalf of
the account get 61007 from now on, api_authorizer_token 61003. The platform is told, where
it has a push address.`,
		Example: "  sucai component unauthorize wxcomponent0000000 wxdemo000000000000",
		Args:    cobra.ExactArgs(2),
	}, func(ctx context.Context, ls *library.Libraries, args []string, _ io.Writer) error {
		if _, err := ls.Accounts.Component(ctx, args[0]); err != nil {
			return err
		}
		a, err := accountOf(ctx, ls, args[1])
		if err != nil {
			return err
		}
		err = ls.Unauthorize(ctx, args[0], a)
		if errors.Is(err, library.ErrNotFound) {
			return fmt.Errorf("%s has not authorised %s", args[1], args[0])
		}
		return err
	})
}

func accountOf(ctx context.Context, ls *library.Libraries, appID string) (*library.Account, error) {
	a, err := ls.Accounts.Account(ctx, appID)
	if errors.Is(err, library.ErrNotFound) {
		return nil, fmt.Errorf("there is no account %s; `sucai account ls` lists them", appID)
	}
	return a, err
}

// importAuthorizations takes in a file of lines APPID SETS REFRESH_TOKEN. An error names a
// place in the file and nothing that stands there: columns that were mistaken for each
// other are how a refresh token comes into an error.
func importAuthorizations(ctx context.Context, ls *library.Libraries, c *library.Component, name string, out io.Writer) error {
	file := os.Stdin
	if name != "-" {
		var err error
		if file, err = os.Open(name); err != nil {
			return fmt.Errorf("--import: %w", err)
		}
		defer file.Close()
	}
	var list []library.ImportedAuthorization
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 3 {
			return fmt.Errorf("--import: %s, line %d: APPID SETS REFRESH_TOKEN is wanted", name, n)
		}
		a, err := ls.Accounts.Account(ctx, fields[0])
		if errors.Is(err, library.ErrNotFound) {
			return fmt.Errorf("--import: %s, line %d, column 1: there is no such account; `sucai account ls` lists them", name, n)
		}
		if err != nil {
			return fmt.Errorf("--import: %s, line %d: %w", name, n, err)
		}
		sets, err := library.ParseSets(fields[1])
		if err != nil || len(sets) == 0 {
			return fmt.Errorf("--import: %s, line %d, column 2: permission sets are wanted, numbers such as 11,100", name, n)
		}
		list = append(list, library.ImportedAuthorization{Account: a, Sets: sets, RefreshToken: fields[2]})
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("--import: %s: %w", name, err)
	}
	taken, err := ls.ImportAuthorizations(ctx, c.AppID, list)
	if err != nil && taken > 0 {
		return fmt.Errorf("--import: %d of %d accounts were taken in, the same command takes in the rest: %w", taken, len(list), err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "imported=%d\n", len(list))
	return nil
}
