#!/usr/bin/env bash
# Installs the packages of the named groups of packages.txt that are missing. Uses sudo where not root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

missing=()
for group in "$@"; do
  while read -r package; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done < <(awk -v group="$group" '$1 == group { print $2 }' "$here/packages.txt")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
[ "$(id -u)" -eq 0 ] || as_root=(sudo)
echo "== installing ${#missing[@]} packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
