"""Digests of gcr.io/distroless/python3."""

DIGESTS = {
    "debug": "sha256:84b5e6a7e091754b31b34e65307c2f60a4ab1c1ceb583db55da9bbe1f272498a",
    "latest": "sha256:2bcee59e0ecbadf01e1b5df29ad27598c7775b822b7f2bfae4a271e2ee139ed4",
}
