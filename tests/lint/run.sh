#!/usr/bin/env bash
# The lints: formatting, include directions, clang-tidy. Needs build/release to be configured and built.
set -euo pipefail
cd "$(dirname "$0")/../.."

echo "== lints"
git ls-files -z '*.hpp' '*.cpp' | xargs -0 clang-format-19 --dry-run --Werror
/usr/bin/python3 tests/lint/check_includes.py
git ls-files '*.cpp' | grep -E '^(lib|apps)/' |
  xargs -P "$(nproc)" -n 4 clang-tidy-19 -p build/release --quiet --warnings-as-errors='*' 2>&1 |
  { grep -vE '^[0-9]+ warnings? generated|Suppressed|Use -header-filter' || true; }
