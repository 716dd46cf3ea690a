#!/usr/bin/env bash
# Installs the packages of the named groups of packages.txt that are missing, with apt-get, and sudo where not root:
#   config/install-packages.sh GROUP...
# No package is ever removed: where one stands in the way, the script says which and how to go on, and changes nothing.
#   GMR_BOOST=1.83            that version of Boost instead of the newest tested one that apt has
#   GMR_INSTALL_PACKAGES=no   nothing is looked for or installed: what is needed is there by other means
# A Boost in Boost_ROOT, in a directory of CMAKE_PREFIX_PATH or in /usr/local is used instead of packages, as CMake does.
set -euo pipefail
export LC_ALL=C  # what apt says is read
here=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
groups=("$@")

# fail STATUS LINE...: says what is wrong and ends with that status, one of sysexits.
fail() {
  local status=$1
  printf 'config/install-packages.sh: %s\n' "$2" >&2
  shift 2
  [ $# -eq 0 ] || printf '  %s\n' "$@" >&2
  exit "$status"
}

# read_packages: sets names, those of all groups; optional, marks of some of them; tested, versions of Boost; known, all groups.
read_packages() {
  local group name mark
  names=() tested=() known=''
  declare -gA optional=()
  while read -r group name mark; do
    case $group in
      '' | \#*) continue ;;
      tested-boost) tested+=("$name") ;;
      *) [[ " $known " == *" $group "* ]] || known+=${known:+ }$group ;;
    esac
    [[ " ${groups[*]} " == *" $group "* ]] || continue
    [[ " ${names[*]} " == *" $name "* ]] || names+=("$name")
    [ "$mark" != optional ] || optional[$name]=1
  done <"$here/packages.txt"
  oldest=${tested[-1]}
}

# at_least VERSION VERSION: whether the first is not older.
at_least() { [ $((${1%%.*} * 1000 + ${1#*.})) -ge $((${2%%.*} * 1000 + ${2#*.})) ]; }

check_arguments() {
  local group
  [ ${#groups[@]} -gt 0 ] || fail 64 "name the groups of packages to install: $known"
  for group in "${groups[@]}"; do
    [[ " $known " == *" $group "* ]] || fail 64 "config/packages.txt has no group '$group', only $known"
  done
  [ -n "${GMR_BOOST:-}" ] || return 0
  [[ $GMR_BOOST =~ ^1\.[0-9]+$ ]] || fail 64 "GMR_BOOST is '$GMR_BOOST', which is no version such as 1.83"
  at_least "$GMR_BOOST" "$oldest" || fail 64 "GMR_BOOST is $GMR_BOOST, and Boost must be $oldest or later"
}

# use_boost_elsewhere: leaves Boost out of names where CMake will find a sufficient one that is no package.
use_boost_elsewhere() {
  local prefix prefixes header line version=''
  IFS=: read -r -a prefixes <<<"${Boost_ROOT:-}:${CMAKE_PREFIX_PATH:-}:${GMR_LOCAL_PREFIX:-/usr/local}"
  for prefix in "${prefixes[@]}"; do
    header=$prefix/include/boost/version.hpp
    [ -n "$prefix" ] && [ -r "$header" ] || continue
    while read -r line; do
      [[ ! $line =~ ^'#define BOOST_LIB_VERSION "'([0-9]+)_([0-9]+) ]] || version=${BASH_REMATCH[1]}.${BASH_REMATCH[2]}
    done <"$header"
    if [ -n "$version" ] && at_least "$version" "$oldest"; then
      echo "== Boost $version in $prefix is used, no package of Boost is installed"
      mapfile -t names < <(printf '%s\n' "${names[@]}" | grep -v BOOST)
      return
    fi
  done
}

# read_installed: sets installed, the packages of this machine's architecture, and boost, the version of a sufficient one.
read_installed() {
  local status architecture name native
  native=$(dpkg --print-architecture)
  declare -gA installed=()
  boost=''
  while read -r status architecture name; do
    [[ $status == installed && $architecture =~ ^("$native"|all)$ ]] || continue
    installed[$name]=1
    if [[ $name =~ ^libboost(1\.[0-9]+)-dev$ ]] && at_least "${BASH_REMATCH[1]}" "$oldest"; then boost=${BASH_REMATCH[1]}; fi
  done < <(dpkg-query -W -f='${db:Status-Status} ${Architecture} ${Package}\n')
  boost=${GMR_BOOST:-$boost}
}

# read_offered NAME...: sets offered, those that apt can install.
read_offered() {
  local word value name=''
  declare -gA offered=()
  while read -r word value _; do
    case $word in
      Candidate:) [ "$value" = '(none)' ] || offered[$name]=1 ;;
      *:) [ -n "$value" ] || name=${word%:} ;;
    esac
  done < <(apt-cache policy "$@")
}

# find_missing: sets missing, those of names that are not installed.
find_missing() {
  local name
  missing=()
  for name in "${names[@]}"; do
    [ -n "${installed[${name/BOOST/$boost}]:-}" ] || missing+=("${name/BOOST/${boost:-BOOST}}")
  done
}

# drop_optional: takes those that apt does not have out of missing.
drop_optional() {
  local name left=()
  for name in "${missing[@]}"; do
    if [ -z "${optional[$name]:-}" ] || [ -n "${offered[$name]:-}" ]; then left+=("$name"); fi
  done
  missing=("${left[@]}")
}

only_optional_ones_are_missing() {
  local name
  for name in "${missing[@]}"; do [ -n "${optional[$name]:-}" ] || return 1; done
}

# choose_boost: sets boost, if it has to be installed, to the newest tested version of which apt has all that is wanted, or
# else to the newest that will do. Sets offered.
choose_boost() {
  local version versions=("$boost") name all=()
  if [ -z "$boost" ]; then
    mapfile -t versions < <(apt-cache pkgnames libboost1. | sed -n 's/^libboost\(1\.[0-9]*\)-dev$/\1/p' | sort -rV)
    versions=("${tested[@]}" "${versions[@]}")
  fi
  for version in "${versions[@]}"; do all+=("${names[@]/BOOST/$version}"); done
  read_offered "${all[@]}"
  for version in "${versions[@]}"; do
    [ -z "$boost" ] && at_least "$version" "$oldest" || continue
    boost=$version
    for name in "${names[@]}"; do
      [[ $name != *BOOST* || -n ${offered[${name/BOOST/$version}]:-} ]] || boost=''
    done
  done
  boost=${boost:-$oldest}  # of which something will be found to be absent
}

no_apt() {
  local system
  system=$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release 2>/dev/null || true)
  fail 69 "there is no apt-get on ${system:-this system}; install by other means what Debian calls ${names[*]/BOOST/}$(
    ) (Boost $oldest or later), and set GMR_INSTALL_PACKAGES=no"
}

# become_root: sets as_root to what runs a command as root.
become_root() {
  as_root=()
  [ "$(id -u)" -ne 0 ] || return 0
  command -v sudo >/dev/null || fail 77 "packages are missing, only root can install them, and there is no sudo here" \
    "missing: ${missing[*]/BOOST/$oldest}" \
    "Run as root, then start again: $here/install-packages.sh ${groups[*]}"
  as_root=(sudo)
}

# run_apt ARGUMENT...: apt-get as root; what it says is in said, and shown when it fails.
run_apt() {
  said=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -o DPkg::Lock::Timeout=300 "$@" 2>&1 </dev/null) ||
    { echo "$said" >&2; return 1; }
}

update_lists() {
  run_apt update && return 0
  local advice=("Mend what it says and start again, or install by hand: ${missing[*]/BOOST/$oldest}")
  if [[ $said =~ expired|'not valid yet' ]]; then
    advice=("This machine's clock says $(date -u). Where that is right and the archive is an old one, start again after"
            "echo 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/90archive")
  fi
  fail 69 "'${as_root[*]}${as_root:+ }apt-get update' failed; what it said is above" "${advice[@]}"
}

# check_offered: ends with an error where apt does not have all that is missing.
check_offered() {
  local name absent=()
  for name in "${missing[@]}"; do [ -n "${offered[$name]:-}" ] || absent+=("$name"); done
  [ ${#absent[@]} -gt 0 ] || return 0
  echo "$said" >&2  # of the update: perhaps it says why
  [[ ${absent[*]} != *libboost* ]] || absent+=("(Boost must be $oldest or later; tested are ${tested[*]})")
  fail 69 "apt has no package ${absent[*]}" \
    "Does /etc/apt name all lists of the distribution? 'apt-cache policy' shows those that apt knows." \
    "A Boost elsewhere is used where Boost_ROOT or CMAKE_PREFIX_PATH is its directory." \
    "With everything installed by other means, set GMR_INSTALL_PACKAGES=no."
}

# check_that_nothing_is_removed: ends with an error where what is installed excludes what is missing. Sets upgraded.
check_that_nothing_is_removed() {
  local plan verb name rest removed=() advice=()
  plan=$(apt-get -s -q install --no-install-recommends "${missing[@]}" 2>&1) ||
    { echo "$plan" >&2; fail 69 "nothing was changed: apt can't install ${missing[*]} beside what there is; why is above"; }
  upgraded=()
  while read -r verb name rest; do
    [ "$verb" != Remv ] || removed+=("$name")
    [[ $verb != Inst || $rest != \[* ]] || upgraded+=("$name")
  done <<<"$plan"
  [ ${#removed[@]} -gt 0 ] || return 0
  if [[ ${removed[*]} == *libboost1.* ]]; then
    advice=("Debian's packages of two Boosts exclude each other, and gmr needs Boost ${GMR_BOOST:-$oldest or later}. To keep what is installed,"
            "name the directory of a sufficient Boost elsewhere: Boost_ROOT=/opt/boost in the environment of the same command,"
            "and -DCMAKE_PREFIX_PATH=/opt/boost for cmake. Or work in a root of its own: tests/distribution.sh.")
  fi
  fail 69 "nothing was changed, for apt would have to remove ${removed[*]} to install ${missing[*]}" "${advice[@]}" \
    "To have them removed, run this as root, then start again: apt-get install --no-install-recommends ${missing[*]}"
}

[ "${GMR_INSTALL_PACKAGES:-}" != no ] || exit 0
read_packages
check_arguments
command -v apt-get >/dev/null || no_apt
use_boost_elsewhere
read_installed
find_missing
if [ ${#missing[@]} -gt 0 ] && only_optional_ones_are_missing; then
  read_offered "${missing[@]}"
  drop_optional
fi
[ ${#missing[@]} -gt 0 ] || exit 0

become_root
update_lists
choose_boost
find_missing
drop_optional
check_offered
check_that_nothing_is_removed
echo "== installing ${#missing[@]} packages: ${missing[*]}"
[ ${#upgraded[@]} -eq 0 ] || echo "== which upgrades ${upgraded[*]}"
run_apt install -y --no-remove --no-install-recommends "${missing[@]}" ||
  fail 69 "apt-get install failed; what it said is above" "When that is mended, start again: $here/install-packages.sh ${groups[*]}"
