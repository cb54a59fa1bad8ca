package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sucai/wechat"
)

func newPut() *cobra.Command {
	var up wechat.Upload
	var asType string
	cmd := withClient(&cobra.Command{
		Use:   "put FILE-OR-DIRECTORY..",
		Short: "Upload files as permanent materials",
		Long: `Upload files as permanent materials. The type is that of the suffix: png, jpg, jpeg,
gif and bmp are images, mp3, wma, wav and amr voices, mp4 a video. Of a directory, all
files with such a suffix are uploaded, those in directories below too, by name. Of each,
file, media_id and url (of an image) are printed; what fails is told, and the rest goes on.`,
		Example: `  sucai put cover.jpg
  sucai put film.mp4 --title 一分钟 --introduction 怎样开始
  sucai put pictures/`,
		Args: cobra.MinimumNArgs(1),
	}, func(ctx context.Context, c *wechat.Client, cmd *cobra.Command, args []string) error {
		up.Type = wechat.Type(asType)
		if asType != "" && !up.Type.IsFile() {
			return usagef("--type %s: image, voice, video or thumb is wanted", asType)
		}
		files, total, err := findFiles(args, up.Type)
		if err != nil {
			return err
		}
		return putAll(ctx, c, files, total, up, cmd.OutOrStdout())
	})
	cmd.Flags().StringVar(&asType, "type", "", "upload as this `type` instead: image, voice, video, thumb")
	cmd.Flags().StringVar(&up.Title, "title", "", "title of a video (default: its file name)")
	cmd.Flags().StringVar(&up.Introduction, "introduction", "", "introduction of a video")
	return cmd
}

var typeOfSuffix = map[string]wechat.Type{
	".png": wechat.Image, ".jpg": wechat.Image, ".jpeg": wechat.Image, ".gif": wechat.Image, ".bmp": wechat.Image,
	".mp3": wechat.Voice, ".wma": wechat.Voice, ".wav": wechat.Voice, ".amr": wechat.Voice,
	".mp4": wechat.Video,
}

type putFile struct {
	path string
	t    wechat.Type
}

// findFiles gives the files to upload and their bytes in all.
func findFiles(paths []string, as wechat.Type) (files []putFile, total int64, err error) {
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			t := typeOfSuffix[strings.ToLower(filepath.Ext(path))]
			if as != "" && path == root {
				t = as
			}
			if t == "" && path == root {
				return usagef("%s: its suffix tells no type; give it by --type", path)
			}
			info, err := os.Stat(path)
			if err != nil || t == "" || !info.Mode().IsRegular() {
				return err
			}
			if as != "" {
				t = as
			}
			files = append(files, putFile{path, t})
			total += info.Size()
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	if len(files) == 0 {
		return nil, 0, errors.New("put: no file with a suffix of an image, voice or video")
	}
	return files, total, nil
}

func putAll(ctx context.Context, c *wechat.Client, files []putFile, total int64, up wechat.Upload, out io.Writer) error {
	// The bar is for people: without a terminal nothing is drawn.
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionSetVisibility(term.IsTerminal(int(os.Stderr.Fd()))), progressbar.OptionClearOnFinish())
	failed := 0
	for _, f := range files {
		bar.Describe(filepath.Base(f.path))
		a, err := putOne(ctx, c, f, up, bar)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			bar.Clear()
			fmt.Fprintf(os.Stderr, "sucai: put %s: %v\n", f.path, err)
			failed++
			continue
		}
		bar.Clear()
		fmt.Fprintf(out, "file=%s\nmedia_id=%s\n", f.path, a.MediaID)
		if a.URL != "" {
			fmt.Fprintf(out, "url=%s\n", a.URL)
		}
	}
	bar.Finish()
	if failed > 0 {
		return fmt.Errorf("put: %d of %d files were not uploaded", failed, len(files))
	}
	return nil
}

func putOne(ctx context.Context, c *wechat.Client, f putFile, up wechat.Upload, bar io.Writer) (*wechat.Added, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	up.Type, up.Name, up.Body = f.t, filepath.Base(f.path), countedFile{file, bar}
	return c.AddMaterial(ctx, up)
}

// countedFile shows what is read of a file, which stays seekable.
type countedFile struct {
	*os.File
	bar io.Writer
}

func (f countedFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.bar.Write(p[:n])
	return n, err
}

// WriteTo hides that of os.File, which would pass Read by.
func (f countedFile) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{f})
}
