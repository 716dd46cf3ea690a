// What a reporter has counted, for a service's metrics.
#pragma once

#include "gmr/detail/language.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gmr {

// What asks for reports.
enum class report_cause : std::uint8_t {
  signal,
  touched_file,
  request,    // reporter::request
  call,       // reporter::make
  automatic,  // reporter::request_automatic: nobody asked
  fatal_error,
  socket,  // the option `socket`
};
inline constexpr std::size_t report_causes = 7;
// The word for a metric's label: "signal", "touched_file".
[[nodiscard]] std::string_view to_string(report_cause cause) noexcept;

// All only ever grow.
struct cause_counters {
  std::uint64_t asked = 0;    // requests, those that were refused among them
  std::uint64_t refused = 0;  // by reports_per_minute
  // Reports that answered at least one request of this cause, and those of them that could not be
  // made or written.
  std::uint64_t made = 0;
  std::uint64_t failed = 0;
};

struct report_counters {
  cause_counters all;     // a report that answers several causes is one here
  std::uint64_t raw = 0;  // raw reports, which are in no other number
  // From the beginning of the last report until it was written; 0 when there was none.
  std::chrono::nanoseconds last_duration{0};
  std::chrono::nanoseconds total_duration{0};  // of all of them
  std::array<cause_counters, report_causes> by_cause{};

  [[nodiscard]] const cause_counters& of(report_cause cause) const noexcept {
    return by_cause[static_cast<std::size_t>(cause)];
  }
};

}  // namespace gmr
