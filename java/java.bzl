"""Digests of gcr.io/distroless/java."""

DIGESTS = {
    "debug": "sha256:80f87dcce03ba2591d777471818ab77f6fb580faa86628d2f885f7700af7941b",
    "latest": "sha256:629d4fdc17eec821242d45497abcb88cc0442c47fd5748baa79d88dde7da3e2d",
}
