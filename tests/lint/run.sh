#!/usr/bin/env bash
# The lints: formatting and include directions, then clang-tidy, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."

config/install-packages.sh lint
echo "== lints"
git ls-files -z '*.hpp' '*.cpp' | xargs -0 clang-format-19 --dry-run --Werror
/usr/bin/python3 tests/lint/check_includes.py
tests/lint/tidy.sh
