"""container_layer: a layer that several images can share."""

load("//container/private:layer_attrs.bzl", "LAYER_ATTRS", "LAYER_OUTPUTS")
load("//container/private:layer_impl.bzl", "layer_impl")
load("//container/private:layer_steps.bzl", _build_layer = "build_layer", _zip_layer = "zip_layer")

build_layer = _build_layer
zip_layer = _zip_layer

layer = struct(
    attrs = LAYER_ATTRS,
    implementation = layer_impl,
    outputs = LAYER_OUTPUTS,
    toolchains = [],
)

container_layer_ = rule(
    implementation = layer.implementation,
    attrs = layer.attrs,
    doc = "Builds a layer. Provides LayerInfo; `NAME-layer.tar` is its uncompressed tar.",
    outputs = layer.outputs,
    toolchains = layer.toolchains,
)

def container_layer(**kwargs):
    """Builds a layer.

    Args:
      **kwargs: the attributes of container_layer_.
    """
    container_layer_(**kwargs)
