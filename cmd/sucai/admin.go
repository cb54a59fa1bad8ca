package main

import (
	"log/slog"
	"os"
	"strings"
)

// adminVariable holds the key to /_sucai/metrics.
const adminVariable = "SUCAI_ADMIN_KEY"

// leastAdminKey is how many characters keep a key from being guessed.
const leastAdminKey = 16

// adminKey checks a key; "" is none. What is wrong with it is said without showing it.
func adminKey(key string) (string, error) {
	switch {
	case key == "":
	case len(key) < leastAdminKey:
		return "", usagef("%s has %d characters, at least %d are wanted: `openssl rand -hex 16` makes some", adminVariable, len(key), leastAdminKey)
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", usagef("%s holds what no Bearer token can: letters, digits and signs of ASCII are wanted, without spaces", adminVariable)
	}
	return key, nil
}

// Formats of the log.
const (
	textLog = "text"
	jsonLog = "json"
)

// setLog chooses the format of the log, which goes to standard error.
func setLog(format string) error {
	var h slog.Handler
	switch format {
	case textLog:
		h = slog.NewTextHandler(os.Stderr, nil)
	case jsonLog:
		h = slog.NewJSONHandler(os.Stderr, nil)
	default:
		return usagef("--log-format %q: %s or %s is wanted", format, textLog, jsonLog)
	}
	slog.SetDefault(slog.New(h))
	return nil
}
