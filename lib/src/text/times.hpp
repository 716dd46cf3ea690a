// Points in time as reports show them. The calendar is computed here: gmtime_r and strftime wait
// for the C library's time-zone lock, which a stuck thread may hold for ever.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace gmr::texts {

// RFC 3339 in UTC with milliseconds: 2026-01-31T12:00:00.123Z
[[nodiscard]] std::string utc_time(std::chrono::system_clock::time_point when);

// The same in whole seconds, for names of files: 20260131T120000Z
[[nodiscard]] std::string utc_stamp(std::chrono::system_clock::time_point when);

// The same two with their bytes in them: nothing is allocated.
struct time_text {
  std::array<char, 48> bytes{};
  std::size_t size = 0;

  [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
};
[[nodiscard]] time_text bare_utc_time(std::chrono::system_clock::time_point when) noexcept;
[[nodiscard]] time_text bare_utc_stamp(std::chrono::system_clock::time_point when) noexcept;

}  // namespace gmr::texts
