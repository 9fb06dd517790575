"""Digests of gcr.io/distroless/cc."""

DIGESTS = {
    "debug": "sha256:6865ad48467c89c3c3524d4c426f52ad12d9ab7dec31fad31fae69da40eb6445",
    "latest": "sha256:41036fc7ed8df0f6addc18484cef0c94a85867508967789f947e11ffd5ff0cc8",
}
