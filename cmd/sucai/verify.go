package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sucai/internal/library"
)

func newVerify() *cobra.Command {
	return withStore(&cobra.Command{
		Use:   "verify",
		Short: "Read everything that a store holds and tell what is missing or damaged",
		Long: `Read every material and every stored byte, and tell which bytes are missing, which are
not those that were stored (by their sha256), and which counts do not add up. A server may
run meanwhile: what is deleted or added is no fault.

Stored bytes that no material needs are counted too; "sucai sweep" removes them, and a
server does so by itself a day later. The status is 1 when anything is missing, damaged or
counted wrongly, when the store is a copy that is not finished, and when there are such
bytes, older than two days, and no server has swept for as long.`,
		Example: `  sucai verify
  sucai verify --data /var/lib/sucai`,
		Args: cobra.NoArgs,
	}, func(ctx context.Context, ls *library.Libraries, _ []string, out io.Writer) error {
		show := newMoving("verifying", os.Stderr)
		v, err := ls.Verify(ctx, show.watch())
		if err = show.end(ctx, err, "nothing was changed; run it again"); err != nil {
			return err
		}
		fmt.Fprintf(out, "accounts=%d\nmaterials=%d\nblobs=%d\nbytes=%d\nmissing=%d\ndamaged=%d\nunreadable=%d\nunreferenced=%d\ncounts_wrong=%d\n",
			v.Accounts, v.Materials, v.Blobs, v.Bytes, v.Missing, v.Damaged, v.Unreadable, v.Unreferenced, v.CountsWrong)
		if v.Unreferenced > v.Overdue {
			fmt.Fprintf(os.Stderr, "sucai: %d blobs belong to no material (any more): a sweep removes them when they are a day old\n", v.Unreferenced-v.Overdue)
		}
		var wrong []string
		if v.Unreadable > 0 {
			wrong = append(wrong, fmt.Sprintf("the bytes of %d materials cannot be read just now, others can: look after the store of the blobs, and run it again", v.Unreadable))
		}
		if v.Missing+v.Damaged+v.CountsWrong > 0 {
			wrong = append(wrong, fmt.Sprintf("%d materials have lost their bytes, %d are damaged, %d counts are wrong: restore a backup, or copy from a store that is whole", v.Missing, v.Damaged, v.CountsWrong))
		}
		if v.Unfinished {
			wrong = append(wrong, "the store is a copy that is not finished: run the same `sucai copy` again")
		}
		if v.Overdue > 0 {
			way := "run one, or `sucai sweep`"
			if v.Copied {
				way = "run `sucai sweep`; a server would make it a store of its own, to which nothing is copied any more"
			}
			wrong = append(wrong, fmt.Sprintf("%d blobs older than two days belong to no material, and no server has swept for as long: %s", v.Overdue, way))
		}
		if len(wrong) > 0 {
			return errors.New(strings.Join(wrong, "; "))
		}
		return nil
	})
}
