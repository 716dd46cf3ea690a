// Points in time as reports show them.
#pragma once

#include <chrono>
#include <string>

namespace gmr::sections {

// RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.123Z
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point when);

}  // namespace gmr::sections
