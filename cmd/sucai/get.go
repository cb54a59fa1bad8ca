package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

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
	fmt.Fprintf(stdout, "file=%s\n", name)
	return nil
}

func fileRune(r rune) rune {
	if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
		return '_'
	}
	return r
}

// open gives the bytes of a material, whatever it is, and the suffix of a file of them.
func open(ctx context.Context, c *wechat.Client, id string) (io.ReadCloser, string, error) {
	m, err := c.GetMaterial(ctx, id)
	switch {
	case err != nil:
		return nil, "", err
	case m.News != nil:
		data, err := json.MarshalIndent(m.News, "", "  ")
		return io.NopCloser(bytes.NewReader(append(data, '\n'))), ".json", err
	case m.Video != nil:
		f, err := c.Fetch(ctx, m.Video.DownURL)
		if err != nil {
			return nil, "", err
		}
		return f.Body, ".mp4", nil
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(m.File.Body, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		m.File.Body.Close()
		return nil, "", err
	}
	head = head[:n]
	return struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), m.File.Body), m.File.Body}, suffixOf(head), nil
}

// suffixOf tells a material's type by its first bytes: headers have named it wrongly.
func suffixOf(head []byte) string {
	for magic, suffix := range map[string]string{"#!AMR": ".amr", "0&\xb2u\x8ef\xcf\x11": ".wma", "RIFF": ".wav", "ID3": ".mp3"} {
		if bytes.HasPrefix(head, []byte(magic)) && !bytes.HasPrefix(head[min(8, len(head)):], []byte("WEBP")) {
			return suffix
		}
	}
	if len(head) > 1 && head[0] == 0xff && head[1]&0xe0 == 0xe0 {
		return ".mp3"
	}
	switch t, _, _ := strings.Cut(http.DetectContentType(head), ";"); t {
	case "image/jpeg":
		return ".jpg"
	case "image/png", "image/gif", "image/bmp", "image/webp", "video/mp4":
		return "." + t[strings.IndexByte(t, '/')+1:]
	}
	return ".bin"
}

// save writes a file that is there as a whole or not at all.
func save(name string, r io.Reader, force bool) (err error) {
	if _, err := os.Lstat(name); err == nil && !force {
		return fmt.Errorf("%s is there already; --force overwrites it", name)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".sucai-*")
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
	if err := os.Chmod(tmp.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
