#!/bin/bash
# enter.sh TREE COMMAND ARG...: runs a command of the tree made by tree.sh, in the current directory.
# The command sees the host's files and its loopback, but for the folders that belong to an operating system: /usr,
# /etc and /var are the tree's. So the host's programs in /usr/bin are not there; those in /usr/local are. PATH and the
# rest of the environment pass through. The mounts are private and vanish with the last process that uses them.
set -euo pipefail

tree=$1
if ((EUID != 0)); then
  echo "bazel7/enter.sh: needs root, to change the root directory" >&2
  exit 1
fi
case $PWD/ in
  /usr/local/*) ;;
  /usr/* | /etc/* | /var/*)
    echo "bazel7/enter.sh: cannot work in $PWD: Bazel sees another ${PWD%%/*}/$(cut -d / -f 2 <<<"$PWD") than the host's" >&2
    exit 1
    ;;
esac
unset JAVA_HOME LD_LIBRARY_PATH LD_PRELOAD PYTHONHOME PYTHONPATH # of the host, which is not there

# Tools by their paths, because the PATH is the command's. $1 is the tree, $2 the directory to work in.
inside='
set -euo pipefail
tree=$1 directory=$2
shift 2
bind() { # OPTION PATH
  /usr/bin/mount "$1" "$2" "$tree$2"
}
/usr/bin/mount --bind "$tree" "$tree"
for folder in /*; do
  case $folder in /bin | /sbin | /lib* | /usr | /etc | /var | /boot | /lost+found) continue ;; esac
  [[ -d $folder && ! -L $folder ]] || continue
  /usr/bin/mkdir -p "$tree$folder"
  bind --rbind "$folder"
done
for folder in /usr/local /etc/ssl /var/tmp; do
  [[ -d $folder ]] && bind --rbind "$folder"
done
for file in /etc/{passwd,group,hosts,resolv.conf,nsswitch.conf,localtime}; do
  [[ -e $file ]] || continue
  [[ -e $tree$file ]] || : >"$tree$file"
  bind --bind "$file"
done
cd "$tree"
/usr/sbin/pivot_root . .
/usr/bin/umount --lazy .
cd "$directory"
exec "$@"
'
shift
exec /usr/bin/unshare --mount --propagation private -- /bin/bash -c "$inside" enter "$tree" "$PWD" "$@"
