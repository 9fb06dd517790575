# Everything a developer or the CI does. `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup test unit bazel fuzz lint fmt docs release prebuilt e2e demo bench gobench clean

VERSION := $(shell cat VERSION)
ARCHIVE := $(abspath dist/rules_docker_for_insecure_registries-v$(VERSION).tar.gz)

# What the tests drive or compare with, and what the race detector needs to compile.
PACKAGES := gcc libc6-dev git shellcheck docker-registry skopeo podman apache2-utils pigz openssl qemu-user
BAZEL_MAJOR := 4
# Those that every end-to-end workspace is run with.
BAZEL_MAJORS := 4 7
# Registries, clients and a remote cache that are Go modules; their versions are in tests/setup/tools.
PROGRAMS := registry olareg crane regctl bazel-remote

# Starts a recipe line that needs Go, the machine's or a fetched one.
with_go = go=$$(tests/setup/go.sh) && export PATH="$$(dirname "$$go"):$$PATH" GOTOOLCHAIN=local &&
# Starts a recipe line that runs the release archive with Bazel.
with_bazel = $(with_go) bazel=$$(tests/setup/bazel.sh $(BAZEL_MAJOR)) && export BAZEL="$$bazel" RULES_DOCKER_ARCHIVE="$(ARCHIVE)" &&
with_bazels = $(with_bazel) for major in $(BAZEL_MAJORS); do bazel=$$(tests/setup/bazel.sh $$major) && export "BAZEL_$$major=$$bazel"; done && \
	GO_RULES_BAZELRC=$$(tests/setup/go_rules.sh) && export GO_RULES_BAZELRC &&

help: ## list the targets
	@grep -E '^[a-z0-9]+:.*## ' Makefile | sed -E 's/^([a-z0-9]+):.*## /\1\t/' | expand -t 12

setup: ## install what is missing on Debian: Go, Bazel, registries and clients for the tests
	@tests/setup/debian.sh $(PACKAGES)
	@tests/setup/go.sh
	@for major in $(BAZEL_MAJORS); do tests/setup/bazel.sh $$major; done
	@$(with_go) for program in $(PROGRAMS); do tests/setup/program.sh "$$program"; done
	@tests/setup/docker.sh

# In this order even under make -j, so that what fails soonest comes first and e2e's result stays in sight.
test: setup ## everything the CI does: lint, unit tests, tests by Bazel, fuzzing, release archive, end-to-end tests, demo
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory bazel
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory release
	@$(MAKE) --no-print-directory e2e
	@$(with_bazel) go run ./tests/demo

lint: ## check form and common mistakes of Go, Starlark and shell files
	@$(with_go) tests/setup/lint.sh

fmt: ## format Go and Starlark files
	@$(with_go) tests/setup/lint.sh --fix

unit: ## run the Go tests with the race detector, without the end-to-end tests
	@$(with_go) packages=$$(go list ./... | grep -v -e /tests/e2e -e '/tests/api$$') && go test -race $$packages

bazel: ## run the Starlark tests and the Go tests of the programs with Bazel 7
	@$(with_go) bazel=$$(tests/setup/bazel.sh 7) && settings=$$(tests/setup/go_rules.sh) && \
	trap '"$$bazel" shutdown' EXIT && "$$bazel" --bazelrc="$$settings" test --noshow_progress --symlink_prefix=/ //...

FUZZTIME := 15s
fuzz: ## fuzz whatever parses what a registry or a file says, each target for FUZZTIME
	@$(with_go) tests/setup/fuzz.sh $(FUZZTIME)

docs: ## write the table in docs/compatibility.md, from tests/api/surface
	@$(with_go) go test ./tests/api/surface -count=1 -run TestTable -update

release: ## make dist/: the release archive, its checksum and notes
	@$(with_go) go run ./release

prebuilt: ## build this machine's program, so that the checkout can be used like a release
	@$(with_go) go run ./release --prebuilt

e2e: ## run the end-to-end tests: on the archive in dist/ with Bazel, and against real registries
	@$(with_bazels) docker=$$(tests/setup/docker.sh) && export DOCKER_PROGRAMS="$$docker" && \
	go test ./tests/e2e/... ./tests/api -count=1 -v -timeout 20m

demo: setup release ## show a push to an insecure registry, from nothing to a pulled image
	@$(with_bazel) go run ./tests/demo

# ONLY=many,big takes some of the workloads, ONLY=push or build all of that part; ROUNDS=1 is quicker and says less.
ROUNDS := 5
bench: ## measure against crane, regctl, skopeo and others; half an hour on two quiet cores
	@tests/setup/debian.sh $(PACKAGES) strace
	@$(with_bazels) go run ./tests/bench -only "$(ONLY)" -rounds "$(ROUNDS)"

gobench: ## run the Go benchmarks of the packages
	@$(with_go) folders=$$(grep -rl --include='*_test.go' '^func Benchmark' . | xargs -r -n 1 dirname | sort -u) && \
	go test -run '^$$' -bench . -benchmem $$folders

clean: ## remove what make has made in the checkout
	rm -rf dist prebuilt/*/
