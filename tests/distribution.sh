#!/usr/bin/env bash
# Runs a command on another Debian: in a root of its own, in a clean clone of what is committed here.
#   tests/distribution.sh bookworm|trixie|sid [--boost X.Y] [--fresh] [COMMAND ARGUMENT...]
# COMMAND starts in the clone, as root of that system; without one both commands of the README run, as on a bare machine.
#   --boost X.Y   with that version of Boost (GMR_BOOST of config/install-packages.sh); such a root is one of its own
#   --fresh       makes the root anew
# A root is made with mmdebstrap, from the Debian mirror of this machine's apt, or from GMR_MIRROR. It is kept in GMR_ROOTS, or
# else in gmr/roots of the user's cache directory, with the clone and what was built there, and used again. ccache is shared
# with it. Needs root, or a user with entries in /etc/subuid and /etc/subgid.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:/usr/sbin:/sbin  # for chroot
cache=${XDG_CACHE_HOME:-$HOME/.cache}
roots=${GMR_ROOTS:-$cache/gmr/roots}

fail() {
  echo "tests/distribution.sh: $*" >&2
  exit 69
}

usage() {
  echo "usage: tests/distribution.sh bookworm|trixie|sid [--boost X.Y] [--fresh] [COMMAND ARGUMENT...]" >&2
  exit 64
}

say() { echo "== $*" >&2; }

# mirror: the Debian archive that apt of this machine uses.
mirror() {
  local uri=${GMR_MIRROR:-}
  [ -n "$uri" ] ||
    uri=$(apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' |
      awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }')
  [ -n "$uri" ] || fail "apt of this machine knows no Debian mirror (or has not read its lists: apt-get update);" \
    "set GMR_MIRROR to the URI of one"
  echo "$uri"
}

# as_root COMMAND...: runs it as root, with mounts that end with it. Another user is root of what is his and of his subuids.
as_root() {
  local map=()
  [ "$(id -u)" -eq 0 ] || map=(--map-root-user --map-auto)
  unshare "${map[@]}" --mount "$@"
}

check_namespaces() {
  local why
  why=$(as_root true 2>&1) || fail "can't mount anything here ($why): a container needs the right to (CAP_SYS_ADMIN)," \
    "a user entries in /etc/subuid and /etc/subgid"
}

make_root() {
  local uri options=(--dpkgopt=force-unsafe-io)  # to be made anew, should the machine stop
  uri=$(mirror)
  # What was published last may be older than the archive says it should be.
  [ "$distribution" != sid ] || options+=(--aptopt='Acquire::Check-Valid-Until "false"')
  [[ $uri != https:* ]] || options+=(--include=ca-certificates)
  say "making a root of Debian $distribution from $uri in $root"
  as_root rm -rf "$root" "$root.new"
  as_root mmdebstrap --mode=root --variant=minbase --format=directory "${options[@]}" "$distribution" "$root.new" "$uri" \
    2>"$root.log" || { cat "$root.log" >&2; fail "mmdebstrap failed; what it said is above"; }
  as_root mv "$root.new" "$root"
}

# renew_clone: the clone in the root is as what is committed here, which may be a shallow clone; what was built there stays, and
# files that are the same keep their times.
renew_clone() {
  local commit
  [ -z "$(git status --porcelain)" ] || say "what is not committed is not taken along"
  commit=$(mktemp -d)
  git clone -q --bare --depth 1 "file://$PWD" "$commit"
  tar -C "$commit" -c . | as_root sh -euc '
    rm -rf "$1/root/gmr.git"
    mkdir -p "$1/root/gmr.git" "$1/root/gmr"
    tar -C "$1/root/gmr.git" -x --no-same-owner
    cd "$1/root/gmr"
    git init -q
    git fetch -q --depth 1 --update-shallow "file://$1/root/gmr.git" HEAD
    git checkout -q -f --detach FETCH_HEAD
    git clean -q -fd' sh "$root"
  rm -rf "$commit"
}

# run_in_root COMMAND...: in the clone.
run_in_root() {
  local ccache variables=(HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin) name
  ccache=$(ccache --get-config cache_dir 2>/dev/null || echo "$cache/ccache")
  mkdir -p "$ccache"
  variables+=(CCACHE_DIR=/root/.cache/ccache "CCACHE_MAXSIZE=$(ccache --get-config max_size 2>/dev/null || echo 5G)")
  [ -z "$boost" ] || variables+=("GMR_BOOST=$boost")
  for name in CI TERM http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || variables+=("$name=${!name}")
  done
  as_root sh -euc '
    root=$1 ccache=$2
    shift 2
    for each in proc sys dev; do mount --rbind "/$each" "$root/$each"; done
    mkdir -p "$root/root/.cache/ccache"
    mount --bind "$ccache" "$root/root/.cache/ccache"
    for each in resolv.conf hosts; do cat "/etc/$each" >"$root/etc/$each"; done
    exec chroot "$root" env -i "$@"' sh "$root" "$ccache" "${variables[@]}" sh -c 'cd /root/gmr; exec "$@"' sh "$@"
}

[ $# -gt 0 ] || usage
distribution=$1 boost='' fresh=''
shift
case $distribution in
  bookworm | trixie | sid) ;;
  *) usage ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    --boost) [[ ${2:-} =~ ^1\.[0-9]+$ ]] || usage; boost=$2; shift 2 ;;
    --fresh) fresh=1; shift ;;
    -*) usage ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || set -- sh -ec 'apps/queue-server/demo.sh; tests/run.sh'

config/install-packages.sh distribution
check_namespaces
root=$roots/$distribution${boost:+-boost$boost}
(umask 077; mkdir -p "$roots")
exec {lock}>"$root.lock"
flock -n "$lock" || { say "waiting for another run in $root"; flock "$lock"; }
[ -z "$fresh" ] && [ -d "$root" ] || make_root
renew_clone
say "in Debian $distribution${boost:+ with Boost $boost}: $*"
run_in_root "$@" {lock}>&-  # what it leaves running keeps no lock
