.PHONY: build test bench check

build: # the program, as bin/sucai
	CGO_ENABLED=0 go build -trimpath -o bin/sucai ./cmd/sucai

check: # what needs no running program: format, vet, linter, tidy modules
	.ci/check

test: # everything; installs what it needs
	.ci/test

bench: # compare runs of it with benchstat
	go test -run '^$$' -bench . -benchmem -timeout 60m ./...
