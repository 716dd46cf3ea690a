// Finds the debug information of a module: in itself or in a separate file. Local files only.
#pragma once

#include <string>

#include "unwind/elf_image.hpp"

namespace gmr::symbolize {

[[nodiscard]] bool has_debug_information(Elf* elf);

inline constexpr const char* usual_debug_root = "/usr/lib/debug";

// The separate debug file by build id or .gnu_debuglink, checked to belong to `main`; empty inside
// when there is none. Where debuginfod is configured (DEBUGINFOD_URLS) also what one of its
// clients, such as a debugger, has fetched before; the network is never asked.
[[nodiscard]] unwind::elf_image find_separate_debug_file(
    Elf* main, const std::string& path, const std::string& root = usual_debug_root);

}  // namespace gmr::symbolize
