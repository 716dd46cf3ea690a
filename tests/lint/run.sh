#!/usr/bin/env bash
# The lints: formatting, include directions, calls and unwind rules, then clang-tidy, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."

config/install-packages.sh lint
echo "== lints"
git ls-files -z '*.hpp' '*.cpp' ':!tests/lint/wrong_calls' | xargs -0 clang-format-19 --dry-run --Werror
/usr/bin/python3 tests/lint/check_includes.py
/usr/bin/python3 tests/lint/check_calls.py
tests/lint/check_unwind_rules.sh
tests/lint/tidy.sh
