package wechat

import (
	"errors"
	"strings"
	"testing"
)

func toValid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func TestParseObject(t *testing.T) {
	for body, want := range map[string]error{
		"": ErrEmptyPost, " \n": ErrEmptyPost, "a=b": nil, `"x"`: nil, "5": nil, "null": nil, "{}": nil, ` {"a":1} `: nil,
		"{": ErrDataFormat, "[]": ErrDataFormat, "{}x": ErrDataFormat, "{\"a\":\"\xff\"}": ErrDataFormat, `{"a":01}`: ErrDataFormat,
		strings.Repeat(`{"a":`, 20000): ErrDataFormat,
	} {
		if _, err := ParseObject([]byte(body)); err != want {
			t.Errorf("%.20q: %v, want %v", body, err, want)
		}
	}
}

func TestMembers(t *testing.T) {
	o, err := ParseObject([]byte(`{"s":"x","n":5,"neg":-5,"f":1.5,"e":2e1,"big":9223372036854775807,"huge":1e19,"ns":"7","es":"","b":true,"z":null,"a":[1],"o":{},"u":"\u0000\ud83d\ude00","tiny":1e-400,"near":1.00000000000000000001,"odd":9007199254740993.0,"vast":1e999999999,"nought":0.0e-999999999}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"s": "x", "z": "", "none": "", "u": "\x00😀", "es": ""} {
		if got, err := o.Text(name); got != want || err != nil {
			t.Errorf("Text %s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"n", "b", "a", "o"} {
		if _, err := o.Text(name); err != ErrDataFormat {
			t.Errorf("Text %s: %v", name, err)
		}
	}
	for name, want := range map[string]string{"s": "x", "n": "5", "big": "9223372036854775807", "z": ""} {
		if got, err := o.ID(name); got != want || err != nil {
			t.Errorf("ID %s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"neg", "f", "e", "b"} {
		if _, err := o.ID(name); err != ErrDataFormat {
			t.Errorf("ID %s: %v", name, err)
		}
	}
	for name, want := range map[string]int64{"n": 5, "neg": -5, "e": 20, "big": 1<<63 - 1, "ns": 7, "odd": 9007199254740993, "nought": 0} {
		if got, ok, err := o.Int(name); got != want || !ok || err != nil {
			t.Errorf("Int %s: %d, %v, %v", name, got, ok, err)
		}
	}
	for name, want := range map[string]error{"f": ErrInvalidArgs, "huge": ErrInvalidArgs, "tiny": ErrInvalidArgs, "near": ErrInvalidArgs, "vast": ErrInvalidArgs, "s": ErrDataFormat, "es": ErrDataFormat, "b": ErrDataFormat, "a": ErrDataFormat} {
		if _, ok, err := o.Int(name); ok || err != want {
			t.Errorf("Int %s: %v, %v", name, ok, err)
		}
	}
	if _, ok, err := o.Int("none"); ok || err != nil {
		t.Errorf("an absent number: %v, %v", ok, err)
	}
}

func TestErrorsAreCompared(t *testing.T) {
	other := &Error{40007, "invalid media_id hint: [x] rid: y"}
	if !errors.Is(other, ErrInvalidMediaID) || errors.Is(other, ErrInvalidMediaType) || other.Error() != "40007 invalid media_id hint: [x] rid: y" {
		t.Error(other)
	}
}
