.PHONY: build test test-all bench check

build: # the program, as bin/sucai
	CGO_ENABLED=0 go build -trimpath -o bin/sucai ./cmd/sucai

check: # what needs no running program: format, vet, linter, tidy modules
	.ci/check

test: # everything; installs what it needs
	.ci/test

test-all: # and what stands on a database once more, on a second version of PostgreSQL
	.ci/test-all

bench: # fails where a promise of docs/speed.md is broken; compare runs of it with benchstat
	go test -run '^$$' -bench . -benchmem -timeout 60m ./...
	SUCAI_BENCH_ENGINE=outgrown go test -run '^$$' -bench Flat -benchmem -timeout 60m ./internal/server
