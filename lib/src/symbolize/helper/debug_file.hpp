// Finds the debug information of a module: in itself or in a separate file. Local files only.
#pragma once

#include <string>

#include "unwind/elf_image.hpp"

namespace gmr::symbolize {

[[nodiscard]] bool has_debug_information(Elf* elf);

// The separate debug file by build id or .gnu_debuglink, checked to belong to `main`; empty inside
// when there is none. Where debuginfod is configured (DEBUGINFOD_URLS) also what one of its
// clients, such as a debugger, has fetched before; the network is never asked. `roots`: directories
// of debug files, ':' between them, looked at in that order.
[[nodiscard]] unwind::elf_image find_separate_debug_file(Elf* main, const std::string& path,
                                                         const std::string& roots);

// Where the module itself can't be opened: by its build id alone.
[[nodiscard]] unwind::elf_image find_debug_file_by_id(const std::string& build_id,
                                                      const std::string& roots);

}  // namespace gmr::symbolize
