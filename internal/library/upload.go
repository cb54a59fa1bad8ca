package library

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"sucai/internal/media"
	"sucai/wechat"
)

// Use is what a file is uploaded for.
type Use int

const (
	// Permanent is add_material: listed and counted.
	Permanent Use = iota
	// Temporary is media/upload: three days, never listed.
	Temporary
	// Inline is uploadimg: a picture for articles, never listed.
	Inline
)

const temporaryLife = 3 * 24 * 3600

// MaxUpload is the largest file that any upload takes, in bytes.
const MaxUpload = 10 << 20

// maxPlaytime is 60 s, and a little for the padding that encoders add.
const maxPlaytime = 60_100 // milliseconds

// fileRule is what the documents allow of one type of file.
type fileRule struct {
	size    int64 // bytes
	tooBig  error
	formats []media.Format
	unknown error
}

var fileRules = map[Use]map[wechat.Type]fileRule{
	Permanent: {
		wechat.Image: {10 << 20, wechat.ErrImageSize, []media.Format{media.BMP, media.PNG, media.JPEG, media.GIF}, wechat.ErrImageFormat},
		wechat.Voice: {2 << 20, wechat.ErrVoiceSize, []media.Format{media.MP3, media.WMA, media.WAV, media.AMR}, wechat.ErrFileType},
		wechat.Video: {10 << 20, wechat.ErrVideoSize, []media.Format{media.MP4}, wechat.ErrFileType},
		wechat.Thumb: {64 << 10, wechat.ErrThumbSize, []media.Format{media.JPEG}, wechat.ErrImageFormat},
	},
	Temporary: {
		wechat.Image: {10 << 20, wechat.ErrImageSize, []media.Format{media.PNG, media.JPEG, media.GIF}, wechat.ErrImageFormat},
		wechat.Voice: {2 << 20, wechat.ErrVoiceSize, []media.Format{media.AMR, media.MP3}, wechat.ErrFileType},
		wechat.Video: {10 << 20, wechat.ErrVideoSize, []media.Format{media.MP4}, wechat.ErrFileType},
		wechat.Thumb: {64 << 10, wechat.ErrThumbSize, []media.Format{media.JPEG}, wechat.ErrImageFormat},
	},
	Inline: {
		wechat.Image: {1 << 20, wechat.ErrImageSize, []media.Format{media.JPEG, media.PNG}, wechat.ErrImageFormat},
	},
}

// Upload is a file that was received and belongs to nothing yet.
type Upload struct {
	use  Use
	t    wechat.Type
	blob Blob
	info media.Info
}

// Receive stores the bytes of an upload while they come in, and checks them against the
// rules of its type; of a type that is not known yet, "", SetType does that later.
// Errors: 40004 for a type that cannot be uploaded; by type 40009 to 40012 for too many
// bytes, 40137 or 40113 for another format than the type's; 44001 for none, 45007 for a
// voice over 60 s. An error of r comes out as it is. What was received is kept by Add or
// thrown away by Discard.
func (l *Library) Receive(ctx context.Context, use Use, t wechat.Type, r io.Reader) (*Upload, error) {
	most := fileRule{size: MaxUpload, tooBig: wechat.ErrMediaSize}
	if t != "" {
		var ok bool
		if most, ok = fileRules[use][t]; !ok {
			return nil, wechat.ErrInvalidMediaType
		}
	}
	up := &Upload{use: use}
	var err error
	up.blob, err = l.ls.Blobs.Put(ctx, &limited{r, most.size, most.tooBig}, func(r io.ReaderAt, size int64) error {
		if size == 0 {
			return wechat.ErrEmptyMedia
		}
		up.blob.Size = size
		up.info, err = media.Inspect(r, size)
		if err != nil && !errors.Is(err, media.ErrUnknown) {
			return err
		}
		if t == "" {
			return nil
		}
		return up.SetType(t)
	})
	if err != nil {
		return nil, err
	}
	return up, nil
}

// SetType says what was uploaded, where Receive was not told. Errors as of Receive.
func (up *Upload) SetType(t wechat.Type) error {
	up.t = t
	rule, ok := fileRules[up.use][t]
	switch {
	case !ok:
		return wechat.ErrInvalidMediaType
	case up.blob.Size > rule.size:
		return rule.tooBig
	case !slices.Contains(rule.formats, up.info.Format):
		return rule.unknown
	case t == wechat.Voice && up.info.Duration.Milliseconds() > maxPlaytime:
		return wechat.ErrPlaytime
	}
	return nil
}

// CheckName asks of a file's name what the live service does: a suffix of a format that
// its type takes (40005), and of a voice only ASCII (40113).
func CheckName(use Use, t wechat.Type, name string) error {
	suffix := strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
	fits := func(f media.Format) bool { return suffix == f.Ext() || suffix == string(f) }
	switch {
	case !slices.ContainsFunc(fileRules[use][t].formats, fits):
		return wechat.ErrFileSuffix
	case t == wechat.Voice && strings.ContainsFunc(name, func(r rune) bool { return r > '~' }):
		return wechat.ErrFileType
	}
	return nil
}

// Type is what the file was uploaded as; "" where that is not known yet.
func (up *Upload) Type() wechat.Type { return up.t }

// limited fails when more than left bytes come.
type limited struct {
	r      io.Reader
	left   int64
	tooBig error
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, l.tooBig
	}
	return n, err
}

// Discard throws an upload away. What it cannot remove is left to sweep.
func (l *Library) Discard(ctx context.Context, up *Upload) {
	_ = l.ls.Blobs.Remove(ctx, up.blob.Name)
}

// Add makes a received file a material. name is the file's name; of a video title and
// introduction count, the title being the file's name where empty. 45034 when the
// library is full. The upload is used up, also by an error.
func (l *Library) Add(ctx context.Context, up *Upload, name, title, introduction string) (*Material, error) {
	now := l.ls.now().Unix()
	m := &Material{
		Account: l.Account.ID, MediaID: l.newMediaID(), Type: up.t, Key: newKey(),
		Name: baseName(name), Blob: up.blob.Name, Size: up.blob.Size,
		Format: up.info.Format, Width: up.info.Width, Height: up.info.Height,
		Created: now, Updated: now,
	}
	switch up.t {
	case wechat.Thumb:
		m.Type = wechat.Image
	case wechat.Video:
		m.Introduction = storable(introduction)
		if title = storable(title); title != "" {
			m.Name = title
		}
	}
	if m.Name == "" {
		m.Name = m.MediaID + "." + m.Format.Ext()
	}
	limit := int64(0)
	switch up.use {
	case Permanent:
		limit = l.ls.caps[m.Type]
	case Temporary:
		m.Expires = now + temporaryLife
	}
	err := l.insert(ctx, m, limit)
	var refused *wechat.Error
	if errors.As(err, &refused) {
		l.Discard(ctx, up) // the row is known not to be there
	}
	return m, err
}

// insert adds a row: 45034 when the library is full, 40001 when the account is gone.
func (l *Library) insert(ctx context.Context, m *Material, limit int64) error {
	err := l.ls.Materials.Insert(ctx, m, limit)
	switch {
	case errors.Is(err, ErrFull):
		return wechat.ErrLibraryFull
	case errors.Is(err, ErrNotFound):
		return wechat.ErrInvalidCredential
	}
	return err
}

// baseName keeps what follows the last slash of either kind, at most 255 characters,
// and what can be shown of it.
func baseName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	if name == "." || name == "/" {
		return ""
	}
	if r := []rune(name); len(r) > 255 {
		name = string(r[:255])
	}
	return name
}
