#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test:
#   tests/run.sh [PRESET] [--build TARGETS] [ARGUMENT OF CTEST...]
#   tests/run.sh [PRESET] --no-tests
# PRESET is release (the default), debug, asan, tsan, stacktrace or clang. TARGETS are built instead of everything. With
# --no-tests it only builds.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=release targets=all
if [ $# -gt 0 ] && [[ $1 != -* ]]; then
  preset=$1
  shift
fi
if [ "${1:-}" = --build ]; then
  targets=$2
  shift 2
fi

config/install-packages.sh build demo test
echo "== building preset $preset"
cmake --preset "$preset" -DGMR_UNITY=ON
# shellcheck disable=SC2086  # several targets
cmake --build --preset "$preset" --target $targets
[ "${1:-}" != --no-tests ] || exit 0
echo "== testing preset $preset"
# Tests mostly wait.
ctest --preset "$preset" -j $((2 * $(nproc))) "$@"
