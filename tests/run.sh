#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test. tests/run.sh [PRESET]: release (the default), debug,
# asan, tsan or stacktrace.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}

config/install-packages.sh build demo test
echo "== building preset $preset"
cmake --preset "$preset" -DGMR_UNITY=ON
cmake --build --preset "$preset"
echo "== testing preset $preset"
ctest --preset "$preset" -j "$(nproc)"
