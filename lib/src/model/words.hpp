// Words of reports that come from several places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gmr {

// What the library itself asks for a report for. A service gives its own words (reporter::request).
enum class cause_kind : std::uint8_t { signal, touched_file };

// What a report shows as its cause: "signal SIGUSR2", "file /run/report touched".
[[nodiscard]] std::string cause_text(cause_kind kind, std::string_view what);

}  // namespace gmr
