// Lines of source that frames stand on, out of a directory that has the program's source.
#pragma once

#include <filesystem>

#include "gmr/model/report.hpp"
#include "outline/outline.hpp"

namespace gmr_command {

// Of a file the longest end of its path that is there below `directory` counts: the source may have
// been built elsewhere. Nothing outside that directory is read.
[[nodiscard]] gmr::outlines::source_lines lines_of_source(const gmr::report& shown,
                                                          const std::filesystem::path& directory);

}  // namespace gmr_command
