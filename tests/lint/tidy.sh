#!/usr/bin/env bash
# clang-tidy with the checks of .clang-tidy, on the library, its preload and the programs: tests/lint/tidy.sh [--deep]
# --deep: clang's analyzer follows calls as far as it can, which takes twice as long for everything together.
set -euo pipefail
cd "$(dirname "$0")/../.."

config/install-packages.sh build demo test lint
echo "== clang-tidy"
units=$(mktemp -d)
trap 'rm -r "$units"' EXIT
# It needs to know how each file is compiled. Asio's and Beast's own sources are not ours to check; probes are no part of it.
cmake --preset release -B "$units/flags" -DGMR_BUILD_TESTS=OFF >/dev/null
git ls-files -z 'lib/*.cpp' 'apps/*.cpp' ':!apps/queue-server/boost_impl.cpp' ':!lib/cmake/*' |
  xargs -0 /usr/bin/python3 tests/lint/tidy_units.py "$units/flags/compile_commands.json" "$units" >"$units/list"
depth=(--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=mode=shallow)
[ "${1:-}" != --deep ] || depth=()
xargs -n 1 -P "$(nproc)" clang-tidy-19 --quiet "${depth[@]}" --warnings-as-errors='*' --config-file=.clang-tidy -p "$units" \
  <"$units/list" 2> >(grep -v ' warnings generated\.$' >&2)  # counts of those that are not shown
