// The names of source files.
#pragma once

#include <elfutils/libdw.h>

#include <string>
#include <vector>

#include "symbolize/helper/line_program.hpp"

namespace gmr::symbolize {

// As the compiler was given it: relative names count from the folder it ran in, which may be null.
[[nodiscard]] std::string full_path(const std::string& file, const char* folder);
[[nodiscard]] std::string full_path(const line_program::file_name& file, const char* folder);

// The folder that the compiler ran in; null when it is not known.
[[nodiscard]] const char* folder_of(Dwarf_Die unit);

// The files that a unit numbers, which libdw reads together with its lines: for the full unit
// beside a skeleton, which has none.
[[nodiscard]] std::vector<std::string> read_files(Dwarf_Die unit);

// What lines are read from, of a file that libdw has opened.
[[nodiscard]] line_sections find_line_sections(Elf* elf);

}  // namespace gmr::symbolize
