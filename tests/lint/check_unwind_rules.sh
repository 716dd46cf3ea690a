#!/usr/bin/env bash
# g++'s assembler and clang's must make the same unwind rules of the assembly hook: clang's counts
# .cfi_adjust_cfa_offset after .cfi_restore_state from another offset, and says nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
rules() {
  "$1" -Ilib/src -c "$2" -o "$out/object"
  readelf --debug-dump=frames-interp "$out/object" | grep -E '^[0-9a-f]{16} '
}

for source in $(git ls-files '*.S'); do
  preprocessed=$(gcc -Ilib/src -E -P "$source" | grep -c . || true)
  [ "$preprocessed" -gt 1 ] || continue  # of another machine
  rules gcc "$source" >"$out/gcc"
  rules clang-19 "$source" >"$out/clang"
  diff "$out/gcc" "$out/clang" || { echo "$source: the assemblers make different unwind rules" >&2; exit 1; }
done
echo "unwind rules: ok"
