package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"sucai/wechat"
)

func newLs() *cobra.Command {
	var asJSON bool
	var limit int
	cmd := withClient(&cobra.Command{
		Use:   "ls [image|voice|video|news]..",
		Short: "List an account's materials, the newest first",
		Long: `List an account's materials, the newest first: type, media_id, time of the last
update, name. Without a type, of all types.`,
		Example: `  sucai ls
  sucai ls image --limit 5
  sucai ls news --json`,
		ValidArgs: []string{"image", "voice", "video", "news"},
		Args:      cobra.OnlyValidArgs,
	}, func(ctx context.Context, c *wechat.Client, cmd *cobra.Command, args []string) error {
		types := wechat.Listed
		if len(args) > 0 {
			types = nil
			for _, a := range args {
				types = append(types, wechat.Type(a))
			}
		}
		// One table a type: each is printed as soon as it is known.
		if limit < 0 {
			return usagef("--limit %d: 0 or more is wanted", limit)
		}
		for _, t := range types {
			if err := list(ctx, c, t, limit, asJSON, cmd.OutOrStdout()); err != nil {
				return fmt.Errorf("ls %s: %w", t, err)
			}
		}
		return nil
	})
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	cmd.Flags().IntVar(&limit, "limit", 0, "list this many of each type at most; 0: all")
	return cmd
}

func list(ctx context.Context, c *wechat.Client, t wechat.Type, limit int, asJSON bool, out io.Writer) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	n := 0
	for it, err := range c.All(ctx, t) {
		if err != nil {
			table.Flush()
			return err
		}
		if asJSON {
			err = printJSON(out, itemJSON(t, it))
		} else {
			_, err = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", t, printable(it.MediaID), time.Unix(it.UpdateTime, 0).Format(time.DateTime), printable(itemName(it)))
		}
		if err != nil {
			return err
		}
		if n++; n%100 == 0 {
			table.Flush()
		}
		if n == limit {
			break
		}
	}
	return table.Flush()
}

// itemName is the name of a file, or the first title of a news.
func itemName(it wechat.Item) string {
	if it.Content == nil || len(it.Content.NewsItem) == 0 {
		return it.Name
	}
	name := it.Content.NewsItem[0].Title
	if n := len(it.Content.NewsItem); n > 1 {
		name += fmt.Sprintf(" (+%d)", n-1)
	}
	return name
}

func itemJSON(t wechat.Type, it wechat.Item) map[string]any {
	m := map[string]any{"type": t, "media_id": it.MediaID, "update_time": it.UpdateTime}
	if it.Content != nil {
		m["content"] = it.Content
	} else {
		m["name"], m["url"] = it.Name, it.URL
	}
	return m
}

// printJSON prints one line.
func printJSON(out io.Writer, v any) error {
	var line strings.Builder
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, printable(strings.TrimSuffix(line.String(), "\n")))
	return err
}
