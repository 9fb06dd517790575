"""Digests of gcr.io/distroless/java/jetty."""

DIGESTS = {
    "debug": "sha256:c9ac5a5bf6f3187095277b8141517d3c3c5bd307e9f72ef40713d9f622d348f3",
    "latest": "sha256:8eb486e24d352ae46ef2a069a7e4bdb43800728c53463d097061540d2166667e",
}
