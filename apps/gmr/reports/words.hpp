// How what reports have is worded, by explain and diff alike.
#pragma once

#include <string>

#include "reports/report.hpp"

namespace gmr_command::reports {

[[nodiscard]] std::string seconds_text(double seconds);      // "5.0 s", "3 min 12 s"
[[nodiscard]] std::string bytes_text(double bytes);          // "12.5 MiB"
[[nodiscard]] std::string name_of(const thread& of);         // "thread 812 (io-1)"
[[nodiscard]] std::string place_text(const frame* at);       // "orders::put at src/cache.cpp:57"
[[nodiscard]] std::string wait_text(const wait& waits_for);  // "mutex 0x7f00 held by thread 813"
[[nodiscard]] std::string plural(double count, const std::string& one, const std::string& many);

}  // namespace gmr_command::reports
