package main

import "testing"

func TestPasswordInAnAddress(t *testing.T) {
	for address, want := range map[string]bool{
		"postgres://host/db":                       false,
		"postgres://host:5432/db":                  false,
		"postgres://me@host:5432/db?sslmode=a":     false,
		"postgres://me@one:1,two:2/db":             false,
		"postgres:///db?host=/tmp":                 false,
		"postgres://me:x@host/db":                  true,
		"postgres://me:a/b@host/db":                true,
		"postgres://me:x@one:1,two:2/db":           true,
		"postgres://host/db?password=x":            true,
		"postgres://host/db?user=me&sslpassword=x": true,
		"postgres://host/db?password=%zz":          true,
	} {
		if got := hasPassword(address); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}
