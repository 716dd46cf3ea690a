// Reports in log_dir that make room for newer ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace gmr::sinks {

struct kept_reports {
  std::size_t count = 0;    // most files; 0: no limit
  std::uint64_t bytes = 0;  // most in all of them; 0: no limit
};

// Whether a file of that name is a report of the service, also a raw one, by this version or an
// earlier one.
[[nodiscard]] bool is_name_of_report(std::string_view name, std::string_view service);

// Removes the oldest reports of the service in `directory` until no more are left than `kept` says.
// `newest`, the name of one that was just written, stays. Only regular files that belong to this
// process's user are looked at, and none whose name is not that of a report; links are not
// followed. Returns why some could not be removed, or an empty string.
[[nodiscard]] std::string remove_old_reports(const std::filesystem::path& directory,
                                             std::string_view service, const kept_reports& kept,
                                             std::string_view newest);

}  // namespace gmr::sinks
