package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

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
files with such a suffix are uploaded, those in directories below too, by name; links to
directories below are not followed. Of each, file, media_id and url (of an image) are
printed; what fails is told, and the rest goes on.`,
		Example: `  sucai put cover.jpg
  sucai put film.mp4 --title 一分钟 --introduction 怎样开始
  sucai put pictures/`,
		Args: cobra.MinimumNArgs(1),
	}, func(ctx context.Context, c *wechat.Client, cmd *cobra.Command, args []string) error {
		up.Type = wechat.Type(asType)
		if asType != "" && !up.Type.IsFile() {
			return usagef("--type %s: image, voice, video or thumb is wanted", asType)
		}
		list, err := findFiles(args, up.Type)
		if err != nil {
			return err
		}
		isVideo := func(f putFile) bool { return f.t == wechat.Video }
		if up.Title+up.Introduction != "" && !slices.ContainsFunc(list.files, isVideo) {
			return usagef("--title and --introduction are of videos, and there is none among these")
		}
		return list.put(ctx, c, up, cmd.OutOrStdout())
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

// putList is what is to be uploaded.
type putList struct {
	files  []putFile
	bytes  int64 // of all files
	failed int   // entries that cannot be read, told already
}

// findFiles looks for the files to upload. What cannot be read is told and passed over.
func findFiles(paths []string, as wechat.Type) (*putList, error) {
	l := &putList{}
	for _, root := range paths {
		info, err := os.Stat(root)
		switch t := typeOf(root, as); {
		case err != nil:
			l.fail(root, err)
		case info.IsDir():
			// With a separator behind it, a link to a directory is that directory.
			if err := filepath.WalkDir(root+string(filepath.Separator), l.walk(as)); err != nil {
				return nil, err
			}
		case t == "":
			return nil, usagef("%s: its suffix tells no type; give it by --type", root)
		default:
			l.add(root, t, info)
		}
	}
	if len(l.files)+l.failed == 0 {
		return nil, errors.New("put: no file with a suffix of an image, voice or video")
	}
	return l, nil
}

// typeOf tells a file's type by its suffix; as overrules it.
func typeOf(path string, as wechat.Type) wechat.Type {
	if as != "" {
		return as
	}
	return typeOfSuffix[strings.ToLower(filepath.Ext(path))]
}

// walk takes what a directory holds. Only what has a suffix of a material is looked at:
// anything else in a directory is nobody's concern, whatever its state. Links to
// directories are not followed, as they may lead round in a circle.
func (l *putList) walk(as wechat.Type) fs.WalkDirFunc {
	return func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			l.fail(path, err)
			return nil
		}
		if d.IsDir() || typeOf(path, "") == "" {
			return nil
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			l.fail(path, err)
		case !info.IsDir():
			l.add(path, typeOf(path, as), info)
		}
		return nil
	}
}

func (l *putList) add(path string, t wechat.Type, info fs.FileInfo) {
	if !info.Mode().IsRegular() { // to open a pipe would wait for its writer
		l.fail(path, errors.New("not a regular file"))
		return
	}
	l.files = append(l.files, putFile{path, t})
	l.bytes += info.Size()
}

// fail tells of an entry that is not uploaded. That the path stands in err again is of
// no use to anybody.
func (l *putList) fail(path string, err error) {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	fmt.Fprintf(os.Stderr, "sucai: put %s: %s\n", printable(path), printableLines(err.Error()))
	l.failed++
}

func (l *putList) put(ctx context.Context, c *wechat.Client, up wechat.Upload, out io.Writer) error {
	bar := newBar(l.bytes, "", progressbar.OptionShowBytes(true))
	entries := len(l.files) + l.failed
	for _, f := range l.files {
		bar.Describe(printable(filepath.Base(f.path)))
		a, err := putOne(ctx, c, f, up, bar)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			bar.Clear()
			l.fail(f.path, err)
			continue
		}
		bar.Clear()
		fmt.Fprintf(out, "file=%s\nmedia_id=%s\n", printable(f.path), printable(a.MediaID))
		if a.URL != "" {
			fmt.Fprintf(out, "url=%s\n", printable(a.URL))
		}
	}
	bar.Finish()
	if l.failed > 0 {
		return fmt.Errorf("put: %d of %d files were not uploaded", l.failed, entries)
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
