"""Tests of //container/private:labels.bzl."""

load("@bazel_skylib//lib:unittest.bzl", "asserts", "unittest")
load("//container/private:labels.bzl", "label_text")

def _label_text_impl(ctx):
    env = unittest.begin(ctx)
    asserts.equals(env, "//a:b", label_text(Label("//a:b")))
    asserts.equals(env, "//:b", label_text(Label("//:b")))
    elsewhere = label_text(Label("@bazel_skylib//lib:unittest.bzl"))
    asserts.true(env, elsewhere.startswith("@"), "%s names its repository" % elsewhere)
    asserts.true(env, elsewhere.endswith("//lib:unittest.bzl"), "%s names its package" % elsewhere)
    return unittest.end(env)

_label_text_test = unittest.make(_label_text_impl)

def labels_tests(name):
    """Declares the tests.

    Args:
      name: str, of the suite.
    """
    unittest.suite(name, _label_text_test)
