package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a flag of bytes: a number, with KB, MB or GB of 1024 each behind it or not.
type byteSize int64

var byteUnits = []string{"", "KB", "MB", "GB"}

// Set implements pflag.Value.
func (s *byteSize) Set(text string) error {
	text = strings.ToUpper(strings.TrimSpace(text))
	for i := len(byteUnits) - 1; i >= 0; i-- {
		number, ok := strings.CutSuffix(text, byteUnits[i])
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64>>(10*i) {
			break
		}
		*s = byteSize(n << (10 * i))
		return nil
	}
	return errors.New("a size such as 64MB is wanted, or 0")
}

// String implements pflag.Value.
func (s *byteSize) String() string {
	n, i := int64(*s), 0
	for ; n > 0 && n%1024 == 0 && i < len(byteUnits)-1; i++ {
		n /= 1024
	}
	return fmt.Sprint(n) + byteUnits[i]
}

// Type implements pflag.Value.
func (s *byteSize) Type() string { return "size" }
