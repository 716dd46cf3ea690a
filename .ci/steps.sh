# For .ci/run and .ci/all: steps with a name, the time of each, and what tests said in all.
steps=()
log=$(mktemp)
ahead=$(mktemp -d)
builder=
trap 'stop_building; rm -rf "$log" "$ahead"' EXIT

# build_ahead PRESET...: builds them one after the other in the background, with what the steps leave of the processors: tests
# mostly wait.
build_ahead() {
  local preset
  (
    set -m  # each in a process group, to be ended with all it has started
    trap 'kill -- -$!; exit' TERM
    for preset in "$@"; do
      nice -n 19 tests/run.sh "$preset" --no-tests >"$ahead/$preset.log" 2>&1 &
      if wait $!; then echo built; else echo failed; fi >"$ahead/$preset.new"
      mv "$ahead/$preset.new" "$ahead/$preset.end"
    done
  ) </dev/null 2>/dev/null &
  builder=$!
}

stop_building() {
  [ -n "$builder" ] || return 0
  kill "$builder" 2>/dev/null || true
  wait "$builder" 2>/dev/null || true
}

# tests_of PRESET: waits until it is built ahead, and tests it.
tests_of() {
  until [ -e "$ahead/$1.end" ]; do sleep 1; done
  cat "$ahead/$1.log"
  [ "$(cat "$ahead/$1.end")" = built ] && tests/run.sh "$1"
}

# step NAME COMMAND...: runs it; the first one that fails ends everything.
step() {
  local name=$1 start=$SECONDS status=0
  shift
  printf '\n==== %s: %s\n' "$name" "$*"
  "$@" 2>&1 </dev/null | tee -a "$log" || status=${PIPESTATUS[0]}
  steps+=("$(printf '%6d s  %s' $((SECONDS - start)) "$name")")
  [ "$status" -eq 0 ] || { steps[-1]+=": FAILED with status $status"; summary; exit 1; }
}

# summary: how long each step took, and what all runs of ctest said together.
summary() {
  printf '\n==== time of each step\n'
  printf '%s\n' "${steps[@]}"
  printf '%6d s  in all\n' "$SECONDS"
  awk '/ tests? passed, [0-9]+ tests? failed out of [0-9]+/ { failed += $4; tests += $NF }
       END { printf "%d passed, %d failed\n", tests - failed, failed }' "$log"
}
