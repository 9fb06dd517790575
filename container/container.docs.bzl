"""The rules under their public names, where container.bzl has macros: for documentation."""

load("//container:bundle.bzl", _container_bundle = "container_bundle_")
load("//container:flatten.bzl", _container_flatten = "container_flatten")
load("//container:image.bzl", _container_image = "container_image", _image = "image")
load("//container:import.bzl", _container_import = "container_import")
load("//container:layer.bzl", _container_layer = "container_layer_")
load("//container:load.bzl", _container_load = "container_load")
load("//container:push.bzl", _container_push = "container_push_")
load("//container/private:pull_rule.bzl", _container_pull = "container_pull")

container_bundle = _container_bundle
container_flatten = _container_flatten
container_image = _container_image
container_import = _container_import
container_layer = _container_layer
container_load = _container_load
container_pull = _container_pull
container_push = _container_push
image = _image
