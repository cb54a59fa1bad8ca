package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sucai/evidence"
	"sucai/wechat"
)

const (
	documentedWire = "documented"
	liveWire       = "live"
)

// isWire tells whether text names one of the two wires.
func isWire(text string) bool { return text == documentedWire || text == liveWire }

func newCheck() *cobra.Command {
	var write, yes, asJSON bool
	var wire string
	cmd := withClient(&cobra.Command{
		Use:   "check [CASE..]",
		Short: "Compare a server with the evidence cases",
		Long: `Run the evidence cases against a server of WeChat's API, sucai or the live service, and
report of each whether it passes, differs, or was not run. Exit status 1 when one differs,
and when none could be run.

Without --write nothing is changed but that a stable token is asked for, and cases that
change something are not run. With it materials are added and deleted again, and the
account's tokens are replaced.

CASE is the beginning of the names of the cases to run; see docs/fidelity.md for all.`,
		Example: `  sucai check
  sucai check --write get_material/ batchget_material/
  sucai check --endpoint https://api.weixin.qq.com > report.txt`,
	}, func(ctx context.Context, c *wechat.Client, cmd *cobra.Command, args []string) error {
		if wire == "" {
			wire = documentedWire
			if h := host(c); h == "weixin.qq.com" || strings.HasSuffix(h, ".weixin.qq.com") {
				wire = liveWire
			}
		}
		if !isWire(wire) {
			return usagef("--wire %q: %s or %s is wanted", wire, documentedWire, liveWire)
		}
		if write && !yes && !isLoopback(host(c)) {
			question := fmt.Sprintf("Add and delete materials of %s at %s, and replace its tokens?", c.AppID, host(c))
			if err := confirm("check", question); err != nil {
				return err
			}
		}
		cases, err := casesNamed(args)
		if err != nil {
			return err
		}
		direct := *c.HTTP
		direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		target := evidence.Target{Base: strings.TrimRight(c.Endpoint, "/"), Do: direct.Do, AppID: c.AppID, Secret: c.Secret, Live: wire == liveWire, Write: write}
		otherWire := false
		target.Observe = func(_ *evidence.Case, _ *http.Request, _ []byte, res *http.Response, body []byte) {
			isError := strings.HasPrefix(string(body), `{"errcode":4`)
			otherWire = otherWire || isError && strings.Contains(string(body), " rid: ") != target.Live
		}
		counts, why := map[evidence.Status]int{}, ""
		out := cmd.OutOrStdout()
		err = evidence.Run(ctx, target, cases, func(r evidence.Result) {
			counts[r.Status]++
			if r.Status == evidence.NotRun && (why == "" || r.Trouble) {
				why = r.Detail
			}
			if asJSON {
				_ = printJSON(out, map[string]any{"case": r.Case.Name, "claim": r.Case.Claim, "status": r.Status, "detail": r.Detail})
				return
			}
			fmt.Fprintf(out, "%-7s  %s", r.Status, r.Case.Name)
			switch r.Status {
			case evidence.Differs:
				fmt.Fprintf(out, ": %s\n%s\n", r.Case.Claim, printableLines(indent(r.Detail)))
			case evidence.NotRun:
				fmt.Fprintf(out, ": %s\n", printable(r.Detail))
			default:
				fmt.Fprintln(out)
			}
		})
		if err != nil {
			return err
		}
		if !asJSON {
			fmt.Fprintf(out, "pass=%d\ndiffers=%d\nnot_run=%d\n", counts[evidence.Pass], counts[evidence.Differs], counts[evidence.NotRun])
		}
		if n := counts[evidence.Differs]; n > 0 {
			if otherWire {
				fmt.Fprintf(cmd.ErrOrStderr(), "sucai: this server seems to speak the other wire: try --wire %s\n", map[bool]string{true: documentedWire, false: liveWire}[target.Live])
			}
			return fmt.Errorf("check: %d cases differ", n)
		}
		if counts[evidence.Pass] == 0 {
			return fmt.Errorf("check: no case could be run: %s", why)
		}
		return nil
	})
	cmd.Flags().BoolVar(&write, "write", false, "run cases too that change the account's library and tokens")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a case")
	cmd.Flags().StringVar(&wire, "wire", "", "what the server speaks, `documented or live`; by default live for hosts of weixin.qq.com")
	return cmd
}

// casesNamed gives the cases whose names begin with one of the given texts; all without.
func casesNamed(prefixes []string) ([]*evidence.Case, error) {
	cases, err := evidence.Cases()
	if err != nil || len(prefixes) == 0 {
		return cases, err
	}
	named := func(prefix string) bool {
		return slices.ContainsFunc(cases, func(c *evidence.Case) bool { return strings.HasPrefix(c.Name, prefix) })
	}
	for _, prefix := range prefixes {
		if !named(prefix) {
			return nil, usagef("no case begins with %q; docs/fidelity.md has all", prefix)
		}
	}
	return slices.DeleteFunc(cases, func(c *evidence.Case) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(c.Name, prefix) })
	}), nil
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
