"""Digests of gcr.io/google-appengine/debian9."""

DIGESTS = {
    "debug": "sha256:0b18331f4d42ffd2ee8e5fbb9dbdd31dad39e7bef062414888ae971e9c13436b",
    "latest": "sha256:0b18331f4d42ffd2ee8e5fbb9dbdd31dad39e7bef062414888ae971e9c13436b",
}
