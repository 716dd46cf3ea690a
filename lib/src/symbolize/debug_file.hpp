// Finds the debug information of a module: in itself or in a separate file. Local files only.
#pragma once

#include <string>

#include "unwind/elf_image.hpp"

namespace gmr::symbolize {

[[nodiscard]] bool has_debug_information(Elf* elf);

// The separate debug file by build id or .gnu_debuglink, checked to belong to `main`; empty inside
// when there is none.
[[nodiscard]] unwind::elf_image find_separate_debug_file(Elf* main, const std::string& path);

}  // namespace gmr::symbolize
