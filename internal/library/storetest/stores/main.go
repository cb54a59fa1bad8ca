// Stores lends outgrown stores to tests that are programs of their own. For each line on
// standard input it prints a line of JSON: the environment in which sucai finds a new
// store. It ends, and the stores with it, when its input does.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"sucai/internal/library/storetest"
)

func main() {
	if err := lend(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func lend() (err error) {
	p, err := storetest.OpenPlaces()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	out := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		env, err := p.New()
		if err != nil {
			return err
		}
		if err := out.Encode(env); err != nil {
			return err
		}
	}
	return lines.Err()
}
