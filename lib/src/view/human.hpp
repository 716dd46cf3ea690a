// Quantities and words as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace gmr::views {

[[nodiscard]] std::string human_duration(double seconds);  // "350 us", "12.3 s", "3 h 12 min"
[[nodiscard]] std::string human_bytes(double bytes);       // "512 B", "12.3 MiB"

// "2026-11-22T14:51:23.125Z"
[[nodiscard]] std::string rfc3339(std::chrono::system_clock::time_point time);

// "0x7f..."
[[nodiscard]] std::string hex(std::uint64_t number);

// What the letter in /proc/PID/stat means, in one word.
[[nodiscard]] std::string_view state_word(char state) noexcept;

}  // namespace gmr::views
