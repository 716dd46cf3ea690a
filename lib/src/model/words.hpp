// Words of reports that come from several places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gmr {

// What the library itself asks for a report for. A service gives its own words (reporter::request).
enum class cause_kind : std::uint8_t { signal, touched_file, stall, mark };

// What a report shows as its cause: "signal SIGUSR2", "file /run/report touched",
// "stall: event loop orders has run nothing for 1.0 s".
[[nodiscard]] std::string cause_text(cause_kind kind, std::string_view what);

}  // namespace gmr
