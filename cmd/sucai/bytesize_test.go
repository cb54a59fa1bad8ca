package main

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]struct {
		bytes int64
		shown string
	}{
		"0": {0, "0"}, "1000": {1000, "1000"}, "64MB": {64 << 20, "64MB"}, " 1 gb ": {1 << 30, "1GB"}, "2048KB": {2 << 20, "2MB"}, "0GB": {0, "0"},
	} {
		var s byteSize
		if err := s.Set(text); err != nil || int64(s) != want.bytes || s.String() != want.shown {
			t.Errorf("%q: %d, shown as %s, %v", text, s, &s, err)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1.5GB", "1TB", "64 megabytes", "9999999999GB", "0x10"} {
		s := byteSize(7)
		if err := s.Set(text); err == nil || s != 7 {
			t.Errorf("%q is taken as %d", text, s)
		}
	}
}
