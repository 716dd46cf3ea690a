// Quantities as people read them. Independent of the service's locale: "12.3 s" everywhere.
#pragma once

#include <string>

namespace gmr::texts {

[[nodiscard]] std::string human_duration(double seconds);  // "350 us", "12.3 s", "3 h 12 min"
[[nodiscard]] std::string human_bytes(double bytes);       // "512 B", "12.3 MiB"

// The number with at most so many significant digits, and none that say nothing: "0.05", "2".
[[nodiscard]] std::string significant(double number, int digits);

// With so many digits after the point: "12.30".
[[nodiscard]] std::string fixed(double number, int digits);

}  // namespace gmr::texts
