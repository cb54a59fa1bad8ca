package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"sucai/wechat"
)

func newGet() *cobra.Command {
	var output string
	var force bool
	cmd := withClient(&cobra.Command{
		Use:   "get MEDIA_ID..",
		Short: "Fetch materials into files named by what they are",
		Long: `Fetch materials. An image or voice becomes MEDIA_ID with the suffix of its true type, a
video the film itself (MEDIA_ID.mp4), a news MEDIA_ID.json. The name of each file is
printed. A media_id that begins with - comes behind --.`,
		Example: `  sucai get 61224425
  sucai get 61224425 -o - | file -
  sucai get 61224425 -o pictures/`,
		Args: cobra.MinimumNArgs(1),
	}, func(ctx context.Context, c *wechat.Client, cmd *cobra.Command, args []string) error {
		if len(args) > 1 && output != "" && output != "-" && !isDir(output) {
			return usagef("-o %s: of several materials, a directory or - is wanted", output)
		}
		for _, id := range args {
			if err := get(ctx, c, id, output, force, cmd.OutOrStdout()); err != nil {
				return fmt.Errorf("get %s: %w", id, err)
			}
		}
		return nil
	})
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` or directory to write to; - is standard output")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite a file that is there")
	return cmd
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir() || strings.HasSuffix(path, string(filepath.Separator))
}

func get(ctx context.Context, c *wechat.Client, id, output string, force bool, stdout io.Writer) error {
	body, suffix, err := open(ctx, c, id)
	if err != nil {
		return err
	}
	defer body.Close()
	if output == "-" {
		_, err := io.Copy(stdout, body)
		return err
	}
	name := output
	if output == "" || isDir(output) {
		// An id is the server's to choose, so it is not trusted to be a file's name.
		name = filepath.Join(output, strings.Map(fileRune, id)+suffix)
	}
	if err := save(name, body, force); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "file=%s\n", printable(name))
	return nil
}

func fileRune(r rune) rune {
	if unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
		return '_'
	}
	return r
}

// open gives the bytes of a material, whatever it is, and the suffix of a file of them.
func open(ctx context.Context, c *wechat.Client, id string) (io.ReadCloser, string, error) {
	m, err := c.GetMaterial(ctx, id)
	suffix := ".bin" // where the bytes do not tell
	switch {
	case err != nil:
		return nil, "", err
	case m.News != nil:
		data, err := json.MarshalIndent(m.News, "", "  ")
		return io.NopCloser(bytes.NewReader(append(data, '\n'))), ".json", err
	case m.Video != nil:
		if m.File, err = c.Fetch(ctx, m.Video.DownURL); err != nil {
			return nil, "", err
		}
		suffix = ".mp4"
	}
	// Headers have named types wrongly.
	body := bufio.NewReader(m.File.Body)
	head, err := body.Peek(512)
	if err != nil && err != io.EOF {
		m.File.Body.Close()
		return nil, "", err
	}
	if s := wechat.Suffix(head); s != "" {
		suffix = s
	}
	return struct {
		io.Reader
		io.Closer
	}{body, m.File.Body}, suffix, nil
}

// save writes a file that is there as a whole or not at all, with the rights that the
// umask leaves. By force it writes where name leads: into the file behind a link, a pipe
// or a device.
func save(name string, r io.Reader, force bool) (err error) {
	if _, err := os.Lstat(name); err == nil && !force {
		return fmt.Errorf("%s is there already; --force overwrites it", name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	}
	if name, err = follow(name); err != nil {
		return err
	}
	tmp, err := createTemp(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer func() {
		if e := os.Remove(tmp.Name()); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}()
	_, err = io.Copy(tmp, r)
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}

// follow gives the file that a link leads to, be it there or not.
func follow(name string) (string, error) {
	for range 40 { // as many as the kernel follows
		link, err := os.Readlink(name)
		if err != nil {
			return name, nil // no link
		}
		if !filepath.IsAbs(link) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(name))
			if err != nil {
				return "", err
			}
			link = filepath.Join(dir, link)
		}
		name = link
	}
	return "", fmt.Errorf("%s: too many links", name)
}

// createTemp is os.CreateTemp but for the rights, which the umask decides.
func createTemp(dir string) (*os.File, error) {
	for {
		f, err := os.OpenFile(filepath.Join(dir, ".sucai-"+rand.Text()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}
