package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newWait() *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "wait [URL]",
		Short: "Wait until a server is ready",
		Long: `Wait until the server at URL answers that it and its stores are ready. Without URL, the
one of SUCAI_ENDPOINT, or ` + defaultEndpoint + `.`,
		Example: "  sucai wait http://127.0.0.1:8080 --timeout 30s",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			url := defaultEndpoint
			if env := os.Getenv("SUCAI_ENDPOINT"); env != "" {
				url = env
			}
			if len(args) == 1 {
				url = args[0]
			}
			if !isEndpoint(url) {
				return usagef("wait %q: an address with its scheme is wanted, such as %s", url, defaultEndpoint)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return wait(ctx, strings.TrimSuffix(url, "/")+"/_sucai/ready", timeout)
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", 30*time.Second, "give up after this `time`")
	return cmd
}

func wait(ctx context.Context, url string, timeout time.Duration) error {
	var told error // what the server last said itself: more than that time ran out
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			why := reason(res.Body)
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("%s answers %s%s", url, res.Status, why)
			if told == nil || ctx.Err() == nil { // an answer that time cut short says less than the one before
				told = err
			}
		} else if ctx.Err() == nil {
			told = nil
		}
		select {
		case <-ctx.Done():
			if told != nil {
				err = told
			}
			return fmt.Errorf("wait: not ready after %s: %w", timeout, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// reason gives what a server says of itself that is not ready, in words that follow its
// status: "" where it is none of ours.
func reason(body io.Reader) string {
	var state struct{ Status, Database, Blobs string }
	if json.NewDecoder(io.LimitReader(body, 4<<10)).Decode(&state) != nil {
		return ""
	}
	var away []string
	if state.Database != "" && state.Database != "ok" {
		away = append(away, "the database")
	}
	if state.Blobs != "" && state.Blobs != "ok" {
		away = append(away, "the blobs")
	}
	switch {
	case len(away) > 0:
		return ": not there: " + strings.Join(away, " and ")
	case state.Status == "ending":
		return ": it is ending"
	}
	return ""
}
