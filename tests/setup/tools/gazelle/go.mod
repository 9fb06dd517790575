module github.com/backendcloud/rules_docker_for_insecure_registries/tests/setup/tools/gazelle

go 1.26.0

tool github.com/bazelbuild/bazel-gazelle/cmd/gazelle

require (
	github.com/bazelbuild/bazel-gazelle v0.45.0 // indirect
	github.com/bazelbuild/buildtools v0.0.0-20240918101019-be1c24cc9a44 // indirect
	github.com/bmatcuk/doublestar/v4 v4.7.1 // indirect
	github.com/pmezard/go-difflib v1.0.0 // indirect
	golang.org/x/mod v0.20.0 // indirect
	golang.org/x/sync v0.10.0 // indirect
	golang.org/x/sys v0.28.0 // indirect
	golang.org/x/tools/go/vcs v0.1.0-deprecated // indirect
)
