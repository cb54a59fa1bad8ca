package library

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"sucai/wechat"
)

// MaxCount is the most that one page of a list holds, by the documents.
const MaxCount = 20

// Room makes room in memory for articles of so many bytes, before they are read. It may
// wait, and its error comes out as it is.
type Room func(size int64) error

// SmallArticles is up to how many bytes the articles of a news are read without asking
// for room.
const SmallArticles = 64 << 10

// Get gives a permanent material. 40007 for an id that is unknown, deleted, temporary or
// another account's.
func (l *Library) Get(ctx context.Context, mediaID string, room Room) (*Material, error) {
	return withArticles(room, func(most int64) (*Material, error) { return l.permanent(ctx, mediaID, most) })
}

// withArticles reads a material, and once more with its articles where they are large.
func withArticles(room Room, read func(maxArticles int64) (*Material, error)) (*Material, error) {
	m, err := read(SmallArticles)
	if err != nil || m.Type != wechat.News || m.Articles != nil {
		return m, err
	}
	if room != nil {
		if err := room(m.Size); err != nil {
			return nil, err
		}
	}
	return read(math.MaxInt64)
}

// permanent gives a permanent material; articles larger than maxArticles bytes are left
// out. Errors as of Get.
func (l *Library) permanent(ctx context.Context, mediaID string, maxArticles int64) (*Material, error) {
	m, err := l.row(ctx, mediaID, maxArticles)
	if err == nil && m.Number == 0 {
		err = wechat.ErrInvalidMediaID
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Temporary gives a temporary medium that has not expired; 40007 otherwise.
func (l *Library) Temporary(ctx context.Context, mediaID string) (*Material, error) {
	m, err := l.row(ctx, mediaID, 0)
	if err == nil && m.Expires <= l.ls.now().Unix() { // permanent ones have 0 here
		err = wechat.ErrInvalidMediaID
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (l *Library) row(ctx context.Context, mediaID string, maxArticles int64) (*Material, error) {
	if !plausible(mediaID) {
		return nil, wechat.ErrInvalidMediaID
	}
	m, err := l.ls.Materials.Material(ctx, l.Account.ID, mediaID, maxArticles)
	if errors.Is(err, ErrNotFound) {
		return nil, wechat.ErrInvalidMediaID
	}
	if err == nil {
		err = m.readable()
	}
	return m, err
}

func (m *Material) readable() error {
	if m.Type == wechat.News && m.ArticlesFormat != wechat.ArticlesFormat {
		return fmt.Errorf("news %s is stored in format %d, this sucai reads %d", m.MediaID, m.ArticlesFormat, wechat.ArticlesFormat)
	}
	return nil
}

// Page calls each with count materials of a type from offset on, the newest created
// first, one after the other, and gives how many there are in all. Errors: 40004 for
// another type than image, voice, video and news; 40097 unless offset is 0 or more and
// count 1 to 20.
func (l *Library) Page(ctx context.Context, t wechat.Type, offset, count int64, room Room, each func(*Material) error) (total int64, err error) {
	if !t.IsListed() {
		return 0, wechat.ErrInvalidMediaType
	}
	if offset < 0 || count < 1 || count > MaxCount {
		return 0, wechat.ErrInvalidArgs
	}
	return l.ls.Materials.Page(ctx, l.Account.ID, t, offset, count, room, func(m *Material) error {
		if err := m.readable(); err != nil {
			return err
		}
		return each(m)
	})
}

// Counts gives how many materials of each type the account has.
func (l *Library) Counts(ctx context.Context) (*wechat.Counts, error) {
	n, err := l.ls.Materials.Counts(ctx, l.Account.ID)
	if err != nil {
		return nil, err
	}
	return &wechat.Counts{Voice: n[wechat.Voice], Video: n[wechat.Video], Image: n[wechat.Image], News: n[wechat.News]}, nil
}

// Delete removes a permanent material. 40007 as of Get.
func (l *Library) Delete(ctx context.Context, mediaID string) error {
	if _, err := l.permanent(ctx, mediaID, 0); err != nil {
		return err
	}
	err := l.ls.Materials.Delete(ctx, l.Account.ID, mediaID)
	if errors.Is(err, ErrNotFound) {
		return wechat.ErrInvalidMediaID
	}
	return err
}

// Open opens the bytes of a material from offset on. A row whose blob is missing is our
// fault: never an errcode.
func (ls *Libraries) Open(ctx context.Context, m *Material, offset, length int64) (io.ReadCloser, error) {
	r, err := ls.Blobs.Open(ctx, m.Blob, offset, length)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("blob of %s is missing: %s", m.MediaID, m.Blob)
	}
	if err != nil {
		return nil, fmt.Errorf("blob of %s: %w", m.MediaID, err)
	}
	return r, nil
}

// newMediaID has the shape of real ones: 64 characters, of which the first 20 are the
// same in one account.
func (l *Library) newMediaID() string {
	prefix := sha256.Sum256(strconv.AppendInt([]byte("media_id "), l.Account.Uin, 10))
	b := append(make([]byte, 0, 48), prefix[:15]...)
	b = b[:48]
	b[0] &= 0x7f // a letter comes first: at a shell, - would begin a flag
	rand.Read(b[15:])
	return base64.RawURLEncoding.EncodeToString(b)
}
