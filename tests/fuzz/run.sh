#!/usr/bin/env bash
# Builds the fuzz targets with clang-19 and runs each for a while: tests/fuzz/run.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-20}

config/install-packages.sh build test lint
echo "== fuzzing, $seconds s a target"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target fuzzers
for target in build/fuzz/bin/*_fuzz; do
  name=$(basename "$target" _fuzz)
  found=$(mktemp -d)
  corpus=()
  for seeds in "tests/fuzz/corpus/$name" "build/fuzz/seeds/$name"; do
    [ ! -d "$seeds" ] || corpus+=("$seeds")
  done
  echo "== $name"
  "$target" -max_total_time="$seconds" -print_final_stats=0 -verbosity=0 -artifact_prefix="build/fuzz/" \
    "$found" "${corpus[@]}"
  rm -rf "$found"
done
