#!/usr/bin/env bash
# Which room of the library calls which, seen by running it: builds it with -finstrument-functions, has it make reports in every
# way, and fails where a lower room calls a higher one.
set -euo pipefail
cd "$(dirname "$0")/.."
config/install-packages.sh build
build=build/rooms
mkdir -p "$build"
gcc -O1 -c tests/rooms/recorder.c -o "$build/recorder.o"
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG='-O0 -g1' -DGMR_DEBUG_INFO=full \
  -DCMAKE_CXX_FLAGS='-finstrument-functions -finstrument-functions-exclude-file-list=/usr/include,/usr/lib' \
  -DCMAKE_EXE_LINKER_FLAGS="$PWD/$build/recorder.o" -DGMR_BUILD_TESTS=OFF -DGMR_BUILD_APPS=OFF
cmake --build "$build"
cmake --install "$build" --prefix "$PWD/$build/prefix" >"$build/install.log"
PKG_CONFIG_PATH=$(find "$PWD/$build/prefix" -name pkgconfig)
export PKG_CONFIG_PATH
# shellcheck disable=SC2046  # flags
g++ -std=c++20 -g1 -no-pie tests/rooms/main.cpp "$build/recorder.o" -o "$build/asked" $(pkg-config --cflags --libs gmr-trace-ops)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ROOMS_LOG=$folder/log "$build/asked" "$(mktemp -d -p "$folder")" >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }
/usr/bin/python3 tests/rooms/rooms.py "$build/asked" "$folder/log"
