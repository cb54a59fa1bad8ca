package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sucai/internal/cloudcall"
	"sucai/internal/library"
	"sucai/internal/server"
)

func newCloud() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cloud",
		Short: "Add, show and remove environments that make cloud calls (云调用)",
		Long: `Add, show and remove the environments (云环境) that may make cloud calls: programs that
use the npm package wx-server-sdk. docs/cloud-call.md tells how, from the beginning.

These commands open the store itself, so they take --data, or --db and --blobs, as serve
does. They work while a server runs on it, which honours a change within a second.`,
		Example: `  sucai cloud add env-shop --owner wx0123456789abcdef
  sucai cloud ls`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCloudAdd(), newCloudLs(), newCloudShow(), newCloudRm(), newCloudRotate())
	return cmd
}

// withCloudCalls is the handler of the API together with that of cloud calls.
func withCloudCalls(api *server.Server, ls *library.Libraries) http.Handler {
	calls := cloudcall.New(ls, api)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == cloudcall.Path {
			calls.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
}

// gateway is the flag that says where callers reach the server.
func gateway(cmd *cobra.Command) *string {
	return cmd.Flags().String("url", defaultEndpoint, "scheme and host by which callers reach the server")
}

// printCloudEnv prints what a caller's surroundings have to hold, once: the names are
// those that wx-server-sdk reads.
func printCloudEnv(out io.Writer, e *library.CloudEnv, url string) error {
	url, err := ownURL(url)
	if err != nil {
		return err
	}
	where, err := json.Marshal(map[string]string{"URL": url + cloudcall.Path})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "TCB_CONTEXT_CNFG=%s\nTENCENTCLOUD_SECRETID=%s\nTENCENTCLOUD_SECRETKEY=%s\nWX_CONTEXT_KEYS=WX_API_TOKEN\nWX_API_TOKEN=%s\n",
		where, e.SecretID, e.SecretKey, e.Ticket)
	return err
}

// noEnv tells of an environment that is not there.
func noEnv(err error, id string) error {
	if errors.Is(err, library.ErrNotFound) {
		return fmt.Errorf("there is no environment %s; `sucai cloud ls` lists them", id)
	}
	return err
}

func newCloudAdd() *cobra.Command {
	e := &library.CloudEnv{}
	var url *string
	cmd := withStore(&cobra.Command{
		Use:   "add ENV",
		Short: "Add an environment and print what its programs need, once",
		Long: `Add an environment and print the lines of environment variables that point
wx-server-sdk here and let it in. They hold a key and a ticket and are shown this once;
"sucai cloud rotate" makes new ones.

ENV is what the program says in cloud.init({env: 'ENV'}). A call is for the account of
--owner, or for the one of --allow that the program names: cloud.openapi({appid: 'APPID'}).`,
		Example: `  sucai cloud add env-shop --owner wx0123456789abcdef > shop.env
  sucai cloud add env-shop --owner wx0123456789abcdef --allow wxfedcba9876543210 --url http://10.0.0.5:8080`,
		Args: cobra.ExactArgs(1),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case e.Owner == "":
				return usagef("--owner: the appid of the account whose materials the environment reads is wanted")
			case len(e.Methods) == 0:
				return usagef("--methods: at least one is wanted, of %s", strings.Join(cloudcall.Methods(), ", "))
			case cmd.Flags().Changed("allow") && (len(e.Allow) == 0 || slices.Contains(e.Allow, "")):
				return usagef("--allow: appids of accounts are wanted, or no --allow at all")
			}
			for _, m := range e.Methods {
				if !slices.Contains(cloudcall.Methods(), m) {
					return usagef("--methods: there is no method %q; there are %s", m, strings.Join(cloudcall.Methods(), ", "))
				}
			}
			_, err := ownURL(*url)
			return err
		},
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		e.ID = args[0]
		err := ls.NewCloudEnv(ctx, e)
		if errors.Is(err, library.ErrExists) {
			return fmt.Errorf("there is an environment %s already; `sucai cloud rotate %s` gives it new keys", e.ID, e.ID)
		}
		if err != nil {
			return err
		}
		return printCloudEnv(out, e, *url)
	})
	cmd.Flags().StringVar(&e.Owner, "owner", "", "`appid` of the account that calls are for")
	cmd.Flags().StringSliceVar(&e.Allow, "allow", nil, "`appids` of other accounts that calls may be for")
	cmd.Flags().StringSliceVar(&e.Methods, "methods", cloudcall.Methods(), "`names` of the methods that may be called")
	url = gateway(cmd)
	return cmd
}

func newCloudLs() *cobra.Command {
	var asJSON bool
	cmd := withStore(&cobra.Command{
		Use:     "ls",
		Short:   "List the environments",
		Example: "  sucai cloud ls --json",
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, ls *library.Libraries, _ []string, out io.Writer) error {
		list, err := ls.Accounts.CloudEnvList(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, e := range list {
			if asJSON {
				if err := printJSON(out, e); err != nil {
					return err
				}
				continue
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", e.ID, e.Owner, day(e.Created))
		}
		return table.Flush()
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	return cmd
}

func newCloudShow() *cobra.Command {
	var asJSON bool
	cmd := withStore(&cobra.Command{
		Use:     "show ENV",
		Short:   "Show an environment: for which accounts it may call what; no key, no ticket",
		Example: "  sucai cloud show env-shop",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		e, err := ls.Accounts.CloudEnv(ctx, args[0])
		if err != nil {
			return noEnv(err, args[0])
		}
		if asJSON {
			return printJSON(out, e)
		}
		_, err = fmt.Fprintf(out, "env=%s\nowner=%s\nallow=%s\nmethods=%s\ncreated=%s\n", e.ID, e.Owner,
			strings.Join(e.Allow, ","), strings.Join(e.Methods, ","), time.Unix(e.Created, 0).Format(time.RFC3339))
		return err
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}

func newCloudRm() *cobra.Command {
	return withStore(&cobra.Command{
		Use:     "rm ENV",
		Short:   "Remove an environment; its programs can call no more",
		Example: "  sucai cloud rm env-shop",
		Args:    cobra.ExactArgs(1),
	}, func(ctx context.Context, ls *library.Libraries, args []string, _ io.Writer) error {
		return noEnv(ls.RemoveCloudEnv(ctx, args[0]), args[0])
	})
}

func newCloudRotate() *cobra.Command {
	var url *string
	cmd := withStore(&cobra.Command{
		Use:   "rotate ENV",
		Short: "Give an environment a new key and a new ticket, print them once, and end the old ones",
		Long: `Give an environment a new key and a new ticket, print the lines that "sucai cloud add"
prints, once, and end the old ones. The URL is not kept: programs that reach the server
by another than http://127.0.0.1:8080 need --url again.`,
		Example: "  sucai cloud rotate env-shop --url http://10.0.0.5:8080 > shop.env",
		Args:    cobra.ExactArgs(1),
		PreRunE: func(*cobra.Command, []string) error {
			_, err := ownURL(*url)
			return err
		},
	}, func(ctx context.Context, ls *library.Libraries, args []string, out io.Writer) error {
		e, err := ls.RotateCloudEnv(ctx, args[0])
		if err != nil {
			return noEnv(err, args[0])
		}
		return printCloudEnv(out, e, *url)
	})
	url = gateway(cmd)
	return cmd
}
