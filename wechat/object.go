package wechat

import (
	"bytes"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Object is the JSON object of a request, its members as they came. Names are compared
// to the letter and unknown members are ignored.
type Object map[string]json.RawMessage

// ParseObject reads the body of a request whose arguments are JSON, whatever its
// Content-Type. An empty body is [ErrEmptyPost]. A body that does not begin with `{` or
// `[`, such as a form, holds no arguments and gives an empty Object. A broken object,
// an array, and text that is not UTF-8 are [ErrDataFormat]. A byte order mark in front is
// passed over.
func ParseObject(body []byte) (Object, error) {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	if len(body) == 0 {
		return nil, ErrEmptyPost
	}
	if body[0] != '{' && body[0] != '[' {
		return nil, nil
	}
	var o Object
	if !utf8.Valid(body) || json.Unmarshal(body, &o) != nil {
		return nil, ErrDataFormat
	}
	return o, nil
}

// absent tells whether a member is missing or null, which mean the same.
func absent(raw json.RawMessage) bool { return len(raw) == 0 || raw[0] == 'n' }

// Has tells whether a member is there and not null.
func (o Object) Has(name string) bool { return !absent(o[name]) }

// Text gives a string member, "" where it is absent; [ErrDataFormat] where it is of
// another kind.
func (o Object) Text(name string) (string, error) {
	raw := o[name]
	if absent(raw) {
		return "", nil
	}
	var s string
	if raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", ErrDataFormat
	}
	return s, nil
}

// ID gives a string member that clients also send as a bare integer, which is taken as
// its digits; "" where it is absent.
func (o Object) ID(name string) (string, error) {
	raw := o[name]
	if len(raw) > 0 && len(bytes.Trim(raw, "0123456789")) == 0 {
		return string(raw), nil
	}
	return o.Text(name)
}

// Int gives a number member that clients also send as a numeric string. A value with a
// fraction, or beyond int64, is [ErrInvalidArgs]; another kind is [ErrDataFormat]. ok is
// false where the member is absent.
func (o Object) Int(name string) (n int64, ok bool, err error) {
	raw := o[name]
	if absent(raw) {
		return 0, false, nil
	}
	text := string(raw)
	if raw[0] == '"' {
		if text, err = o.Text(name); err != nil {
			return 0, false, err
		}
	}
	n, err = parseInt(text)
	return n, err == nil, err
}

// Flag gives a member that is 0 or 1, sent as a number, a numeric string or an empty
// string; 0 where it is absent. Another number is [ErrInvalidArgs].
func (o Object) Flag(name string) (int, error) {
	if string(o[name]) == `""` {
		return 0, nil
	}
	n, _, err := o.Int(name)
	if err == nil && n != 0 && n != 1 {
		err = ErrInvalidArgs
	}
	return int(n), err
}

// parseInt takes 20, but also what clients without integers write: 20.0, 2e1.
func parseInt(text string) (int64, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	if !json.Valid([]byte(text)) {
		return 0, ErrDataFormat
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil && !math.IsInf(f, 0): // true, null, an object
		return 0, ErrDataFormat
	case math.IsInf(f, 0) || f != 0 && math.Abs(f) < 1 || f == 0 && strings.ContainsAny(text[:mantissa(text)], "123456789"):
		return 0, ErrInvalidArgs
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, ErrInvalidArgs
	}
	return r.Num().Int64(), nil
}

// mantissa is how much of a number stands before its exponent.
func mantissa(text string) int {
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		return i
	}
	return len(text)
}

// List gives the elements of an array member, none where it is absent; [ErrDataFormat]
// where it is of another kind.
func (o Object) List(name string) ([]json.RawMessage, error) {
	raw := o[name]
	if absent(raw) {
		return nil, nil
	}
	var list []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil, ErrDataFormat
	}
	return list, nil
}
