"""Extensions of the files that attributes take."""

tgz = [".tar.gz", ".tgz"]
tar = [".tar", ".tar.xz"] + tgz
container = tar
deb = [".deb", ".udeb"]
