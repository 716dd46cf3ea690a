#!/usr/bin/env bash
# Reports back to back of threads that spawn, switch, throw, cancel and destroy green threads at full speed, for minutes:
# tests/torture.sh [SECONDS] [PRESET]. SECONDS in all, shared by runs with 2, 4 and 8 threads. Prints what each run compared,
# and fails when a stack was wrong.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-180}
preset=${2:-release}
torture=build/$preset/bin/torture
if [[ $preset == tsan ]]; then
  export TSAN_OPTIONS=suppressions=$PWD/tests/tsan.supp:halt_on_error=1${TSAN_OPTIONS:+:$TSAN_OPTIONS}
fi

failed=0
for threads in 2 4 8; do
  "$torture" "$threads" $((seconds / 3)) || failed=1
done
exit $failed
