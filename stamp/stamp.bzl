"""stamp_setting: the values that a `stamp` attribute can be set to."""

load("//container:providers.bzl", "StampSettingInfo")

def _stamp_setting_impl(ctx):
    return [StampSettingInfo(value = ctx.attr.stamp)]

stamp_setting = rule(
    implementation = _stamp_setting_impl,
    attrs = {
        "stamp": attr.bool(
            doc = "Whether targets with this setting are stamped.",
            mandatory = True,
        ),
    },
    doc = "Provides StampSettingInfo(value: bool).",
)
