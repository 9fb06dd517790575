"""Tests of //container/private:paths.bzl."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//container/private:paths.bzl", "paths")

def _normalize_impl(ctx):
    env = unittest.begin(ctx)
    for path, want in {
        "": "",
        "/": "",
        "/a//b/": "a/b",
        "..": None,
        "a/../../b": None,
        "a/./b/../c": "a/c",
    }.items():
        asserts.equals(env, want, paths.normalize(path), "normalize(%r)" % path)
    return unittest.end(env)

_normalize_test = unittest.make(_normalize_impl)

def _strip_prefix_impl(ctx):
    env = unittest.begin(ctx)
    for path, prefix, want in [
        ("foo/bar", "foo", "bar"),
        ("foo/bar", "", "foo/bar"),
        ("foo/barbaz", "foo/bar", "foo/barbaz"),
        ("foo", "foo", ""),
        ("", "", ""),
    ]:
        asserts.equals(env, want, paths.strip_prefix(path, prefix), "strip_prefix(%r, %r)" % (path, prefix))
    return unittest.end(env)

_strip_prefix_test = unittest.make(_strip_prefix_impl)

def _relative_impl(ctx):
    env = unittest.begin(ctx)
    for short_path, data_path, package, want in [
        ("a/b/c.txt", None, "a", "c.txt"),
        ("a/b/c.txt", "", "a", "c.txt"),
        ("a/b/c.txt", ".", "a", "b/c.txt"),
        ("a/b/c.txt", "b", "a", "c.txt"),
        ("a/b/c.txt", "/", "a", "a/b/c.txt"),
        ("a/b/c.txt", "/a", "z", "b/c.txt"),
        ("a/folder", "folder", "a", ""),
        ("../other/c.txt", "/other", "a", "c.txt"),
    ]:
        got = paths.relative(short_path, data_path, package)
        asserts.equals(env, want, got, "relative(%r, %r, %r)" % (short_path, data_path, package))
    return unittest.end(env)

_relative_test = unittest.make(_relative_impl)

def _join_impl(ctx):
    env = unittest.begin(ctx)
    for directory, path, want in [
        ("", "a", "a"),
        ("/", "a", "a"),
        ("/opt/x", "", "opt/x"),
        ("/opt/x", "../a", "opt/a"),
    ]:
        asserts.equals(env, want, paths.join(directory, path), "join(%r, %r)" % (directory, path))
    return unittest.end(env)

_join_test = unittest.make(_join_impl)

def paths_tests(name):
    """Declares the tests.

    Args:
      name: str, of the suite.
    """
    unittest.suite(name, _join_test, _normalize_test, _relative_test, _strip_prefix_test)
