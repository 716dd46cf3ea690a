#!/usr/bin/env bash
# clang-tidy with the checks of .clang-tidy, on the library, its preload and queue-server: minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."

config/install-packages.sh build demo test lint
# It needs to know how each file is compiled. Asio's and Beast's own sources are not ours to check.
[ -f build/release/compile_commands.json ] || cmake --preset release >/dev/null
echo "== clang-tidy"
commands=$(mktemp -d)
trap 'rm -r "$commands"' EXIT
# What is compiled for several targets is checked once.
/usr/bin/python3 - build/release/compile_commands.json >"$commands/compile_commands.json" <<'EOF'
import json
import sys

json.dump(list({entry["file"]: entry for entry in reversed(json.load(open(sys.argv[1])))}.values()), sys.stdout)
EOF
git ls-files -z 'lib/*.cpp' 'apps/*.cpp' ':!apps/queue-server/boost_impl.cpp' |
  xargs -0 -n 4 -P "$(nproc)" clang-tidy-19 --quiet --warnings-as-errors='*' -p "$commands" \
  2> >(grep -v ' warnings generated\.$' >&2)  # counts of those that are not shown
