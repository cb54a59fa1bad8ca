package blobs

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"strings"

	"sucai/internal/library"
)

// receive writes all of r to an empty file, lets accept look at it, and names what came.
// It stops between two pieces when ctx ends. Errors come out as they are.
func receive(ctx context.Context, file *os.File, r io.Reader, accept func(io.ReaderAt, int64) error) (library.Blob, error) {
	hash := sha256.New()
	size, err := copyAll(ctx, io.MultiWriter(file, hash), r)
	if err == nil {
		err = accept(file, size)
	}
	if err != nil {
		return library.Blob{}, err
	}
	suffix := make([]byte, 4)
	rand.Read(suffix)
	return library.Blob{Name: hex.EncodeToString(hash.Sum(nil)) + "-" + hex.EncodeToString(suffix), Size: size}, nil
}

// copyAll stops between two pieces when ctx ends. Errors come out as they are.
func copyAll(ctx context.Context, w io.Writer, r io.Reader) (n int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		got, readErr := r.Read(buf)
		wrote, err := w.Write(buf[:got])
		n += int64(wrote)
		switch {
		case err != nil:
			return n, err
		case readErr == io.EOF:
			return n, nil
		case readErr != nil:
			return n, readErr
		}
	}
}

// sumLen is how many characters of a blob's name are the sha256 of its bytes.
const sumLen = 2 * sha256.Size

// isName tells whether receive could have given that name.
func isName(name string) bool {
	hexOnly := func(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
	return len(name) == sumLen+9 && name[sumLen] == '-' && hexOnly(name[:sumLen]) && hexOnly(name[sumLen+1:])
}
