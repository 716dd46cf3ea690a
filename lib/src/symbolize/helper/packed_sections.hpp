// Sections in forms that libelf and libdw do not unpack, or not in each version.
#pragma once

#include <gelf.h>

#include <string>

#include "unwind/elf_image.hpp"

namespace gmr::symbolize {

// An image of the debug information in `from`, whose sections are unpacked where they are
// compressed with zstd; empty inside when none is, or when they can't be unpacked: `problem` says
// why then.
[[nodiscard]] unwind::elf_image unpack_zstd(Elf* from, std::string& problem);

// The symbol table that distributions leave in a stripped file, in .gnu_debugdata; empty inside
// when there is none, or when it can't be unpacked: `problem` says why then.
[[nodiscard]] unwind::elf_image unpack_mini_symbols(Elf* from, std::string& problem);

}  // namespace gmr::symbolize
