// A report as a file of its own.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "sink/sink.hpp"

namespace gmr::sinks {

struct log_file_result {
  std::filesystem::path path;
  std::string error;  // empty when the file is there
};

// What of a service's name can stand in a file's name on any system, and needs no quoting.
[[nodiscard]] std::string safe_name(std::string_view service);

// How the names of all files of a service's reports begin, up to the time.
[[nodiscard]] std::string beginning_of_name(std::string_view service);

// A new file of mode 0600 in `directory`, never replacing one. It has its name only once it is
// complete, so that a reader never meets half a report. A slow or hanging file system holds the
// caller: there is no deadline for it.
[[nodiscard]] log_file_result write_log_file(const std::filesystem::path& directory,
                                             const file_name& name, std::string_view bytes);

}  // namespace gmr::sinks
