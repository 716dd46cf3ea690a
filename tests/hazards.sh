#!/usr/bin/env bash
# Captures threads that do what breaks other tools, at length: tests/hazards.sh [CAPTURES] [PRESET]. Prints what was seen of
# each hazard, and fails when fewer stacks were captured than asked for, one of them was wrong, or time ran out.
set -euo pipefail
cd "$(dirname "$0")/.."
captures=${1:-100000}
bin=build/${2:-release}/bin
seconds=${GMR_HAZARD_SECONDS:-1500}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0
for program in hazards_test fiber_hazards_test; do
  GMR_HAZARD_CAPTURES=$captures timeout "$seconds" "$bin/$program" 2>&1 | tee -a "$log" || failed=1
done
awk -v wanted="$captures" -v failed="$failed" '
  / captures [0-9]+ right / {
    for (i = 1; i < NF; ++i)
      if ($i ~ /^(captures|right|cut|absent|wrong)$/ && $(i + 1) ~ /^[0-9]+$/) sum[$i] += $(i + 1)
  }
  END {
    printf "TOTAL captures %d right %d cut %d absent %d wrong %d\n", sum["captures"], sum["right"], sum["cut"], sum["absent"], sum["wrong"]
    if (sum["captures"] < wanted) print "fewer than asked for"
    exit failed || sum["wrong"] > 0 || sum["captures"] < wanted
  }' "$log"
