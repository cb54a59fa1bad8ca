package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"sucai/wechat"
)

// clientFlags say whose materials, and where; the same for ls, get, put, rm, count and check.
type clientFlags struct{ endpoint, appID string }

const defaultEndpoint = "http://127.0.0.1:8080"

const clientHelp = `

The account is named by --appid or SUCAI_APPID, its secret comes from SUCAI_SECRET or
--secret-file; --endpoint or SUCAI_ENDPOINT is any server of WeChat's API.`

// withClient makes a command that calls the API.
func withClient(cmd *cobra.Command, run func(ctx context.Context, c *wechat.Client, cmd *cobra.Command, args []string) error) *cobra.Command {
	f := &clientFlags{}
	flags := cmd.Flags()
	flags.StringVar(&f.endpoint, "endpoint", defaultEndpoint, "`address` of the API")
	flags.StringVar(&f.appID, "appid", "", "`appid` of the account")
	flags.String("secret-file", "", "`file` that holds the account's secret, - for standard input")
	cmd.Long += clientHelp
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		secret, err := readSecret(cmd.Flags())
		if err != nil {
			return err
		}
		c, err := f.client(secret)
		if err != nil {
			return err
		}
		return run(cmd.Context(), c, cmd, args)
	}
	return cmd
}

func (f *clientFlags) client(secret string) (*wechat.Client, error) {
	if !isEndpoint(f.endpoint) {
		return nil, usagef("--endpoint %q: an address such as %s is wanted", f.endpoint, defaultEndpoint)
	}
	if secret == "" {
		secret = os.Getenv("SUCAI_SECRET")
	}
	if f.appID == "" || secret == "" {
		return nil, usagef("set SUCAI_APPID and SUCAI_SECRET (of the demo account: %s and %s)", demoAppID, demoSecret)
	}
	return &wechat.Client{Endpoint: f.endpoint, AppID: f.appID, Secret: secret, HTTP: &http.Client{Transport: newTransport()}}, nil
}

// isEndpoint tells whether text has what a client needs: a scheme and a host.
func isEndpoint(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

func host(c *wechat.Client) string {
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		return c.Endpoint
	}
	return u.Hostname()
}

func newCount() *cobra.Command {
	var asJSON bool
	cmd := withClient(&cobra.Command{
		Use:     "count",
		Short:   "Count an account's materials by type",
		Long:    "Count an account's materials by type.",
		Example: "  sucai count",
		Args:    cobra.NoArgs,
	}, func(ctx context.Context, c *wechat.Client, cmd *cobra.Command, _ []string) error {
		n, err := c.GetMaterialCount(ctx)
		if err != nil {
			return fmt.Errorf("count: %w", err)
		}
		if asJSON {
			return printJSON(cmd.OutOrStdout(), n)
		}
		printCounts(cmd.OutOrStdout(), n)
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON object")
	return cmd
}
