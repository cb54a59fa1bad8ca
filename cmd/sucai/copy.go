package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sucai/internal/blobs"
	"sucai/internal/library"
	"sucai/internal/sqlstore"
)

// copyFlags say where a copy is made from, and where to.
type copyFlags struct {
	from, to, fromBlobs, toBlobs string
	grants                       bool
}

func newCopy() *cobra.Command {
	var f copyFlags
	cmd := &cobra.Command{
		Use:   "copy --from STORE --to STORE",
		Short: "Copy a whole store to another place, of the same shape or another",
		Long: `Copy a whole store: accounts, third-party platforms, environments and materials with
their media_ids, order and addresses, and the key of all signatures, so that clients see no
difference. STORE is a data directory, or postgres://USER@HOST:PORT/DATABASE with the
place of its blobs in --from-blobs or --to-blobs. Every stored byte is checked on the way.

The source may be served meanwhile, the target must not be. Run it again to take what has
changed since, or to go on where it broke off; what the source has no more is removed from
the target. To move: copy, stop the servers of the source, copy once more, start those of
the target. A server that runs on the target makes it a store of its own, which no copy
overwrites.

Access tokens stay behind, so clients fetch new ones, unless --grants takes them along.
What was called today is counted anew.`,
		Example: `  sucai copy --from /var/lib/sucai --to postgres://sucai@10.0.0.6/sucai --to-blobs 's3://materials/sucai?region=eu-central-1'
  sucai copy --from postgres://sucai@10.0.0.6/sucai --from-blobs 's3://materials/sucai?region=eu-central-1' --to /srv/sucai
  sucai copy --from /var/lib/sucai --to /mnt/new/sucai --grants`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "data `directory` of the source, or postgres://USER@HOST:PORT/DATABASE")
	flags.StringVar(&f.fromBlobs, "from-blobs", "", "`place` of the source's blobs: a directory (default FROM/blobs) or s3://BUCKET/PREFIX")
	flags.StringVar(&f.to, "to", "", "data `directory` of the target, made where there is none, or postgres://USER@HOST:PORT/DATABASE")
	flags.StringVar(&f.toBlobs, "to-blobs", "", "`place` of the target's blobs: a directory (default TO/blobs) or s3://BUCKET/PREFIX")
	flags.BoolVar(&f.grants, "grants", false, "take access tokens along, so that clients need no new ones")
	return cmd
}

// copySide is one of the two stores.
type copySide struct {
	storeFlags
	flag string
}

// side reads one of the two stores. scratch is for uploads where it has no directory.
func side(cmd *cobra.Command, flag, place, bytes, scratch string) (*copySide, error) {
	s := &copySide{flag: flag}
	s.flags, s.dbFlag, s.bytesFlag = cmd.Flags(), flag, flag+"-blobs"
	s.data, s.blobs = place, bytes
	switch {
	case place == "":
		return nil, usagef("--%s: a data directory or postgres://USER@HOST:PORT/DATABASE is wanted", flag)
	case strings.Contains(place, "://"):
		s.db, s.data = place, scratch
		if bytes == "" && isPostgres(place) {
			return nil, usagef("--%s: the place of the blobs is wanted beside a database: a directory or s3://BUCKET/PREFIX", s.bytesFlag)
		}
	}
	_, _, err := s.paths()
	return s, err
}

// inFlags names the flags of a copy where an error of opening names those of a server.
func (s *copySide) inFlags(err error) error {
	var usage usageError
	if err == nil || errors.As(err, &usage) {
		return err
	}
	return errors.New(strings.NewReplacer("--data", "--"+s.flag, "--db", "--"+s.dbFlag, "--blobs", "--"+s.bytesFlag, "SUCAI_DB", variableOf(s.dbFlag)).Replace(err.Error()))
}

func (f *copyFlags) run(cmd *cobra.Command) (err error) {
	ctx, out := cmd.Context(), cmd.OutOrStdout()
	scratch, err := os.MkdirTemp("", "sucai-copy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	from, err := side(cmd, "from", f.from, f.fromBlobs, scratch)
	if err != nil {
		return err
	}
	to, err := side(cmd, "to", f.to, f.toBlobs, scratch)
	if err != nil {
		return err
	}
	if err := f.differ(from, to); err != nil {
		return err
	}
	missing, err := from.missing(ctx)
	if err == nil && missing != "" {
		err = fmt.Errorf("there is no store: %s is missing; --from names another", missing)
	}
	if err != nil {
		return from.inFlags(err)
	}
	source, closeSource, err := from.open(ctx, sqlstore.Command, library.Options{})
	if err != nil {
		return from.inFlags(err)
	}
	defer func() { err = errors.Join(err, closeSource()) }()
	target, closeTarget, err := to.engines(ctx, sqlstore.Copier)
	if err != nil {
		return to.inFlags(err)
	}
	defer func() { err = errors.Join(err, closeTarget()) }()
	return f.copy(ctx, source, target, to, out)
}

func (f *copyFlags) copy(ctx context.Context, source *library.Libraries, target library.Engines, to *copySide, out io.Writer) error {
	show := newMoving("copying", os.Stderr)
	done, err := source.Copy(ctx, target, library.CopyOptions{Grants: f.grants, Watch: show.watch()})
	err = show.end(ctx, err, "what was copied stays; the same command goes on from there")
	if err != nil && done.Accounts == 0 {
		return to.inFlags(err) // refused before anything was done
	}
	fmt.Fprintf(out, "accounts=%d\nmaterials=%d\nunchanged=%d\nremoved=%d\nbytes=%d\nfailed=%d\n",
		done.Accounts, done.Materials, done.Unchanged, done.Removed, done.Bytes, done.Failed)
	switch {
	case err != nil:
	case done.Unreadable > 0:
		err = fmt.Errorf("%d materials were not copied: the source does not give their bytes just now, though it gives others; run it again", done.Unreadable)
	case done.Failed > 0:
		err = fmt.Errorf("%d materials were not copied: the source has lost their bytes; all others are there", done.Failed)
	}
	return to.inFlags(err)
}

// differ refuses a copy of a store onto itself where that can be told before it is opened.
func (f *copyFlags) differ(from, to *copySide) error {
	oldDB, oldBytes, err := from.paths()
	if err != nil {
		return err
	}
	newDB, newBytes, err := to.paths()
	if err != nil {
		return err
	}
	if samePlace(oldDB, newDB) {
		return errors.New("--from and --to are the same store")
	}
	if samePlace(oldBytes, newBytes) {
		return errors.New("the blobs of both are in one place: give the target another by --to-blobs")
	}
	return nil
}

func samePlace(a, b string) bool {
	if a == b {
		return true
	}
	if isPostgres(a) || isPostgres(b) || blobs.IsS3(a) || blobs.IsS3(b) {
		return false
	}
	one, err1 := os.Stat(a)
	two, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(one, two)
}
