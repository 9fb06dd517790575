"""What release the program is of, as the file VERSION says, which BUILD files cannot read."""

VERSION = "0.1.0"
