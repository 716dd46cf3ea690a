#include "view/human.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace gmr::views {
namespace {

template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  std::array<char, 96> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, arguments...);
  return {buffer.data(), static_cast<std::size_t>(length < 0 ? 0 : length)};
}

std::string two_units(double seconds, const char* large, double per_large, const char* small,
                      double per_small) {
  const double whole = std::floor(seconds / per_large);
  const double rest = std::floor((seconds - whole * per_large) / per_small);
  if (rest == 0) return formatted("%.0f %s", whole, large);
  return formatted("%.0f %s %.0f %s", whole, large, rest, small);
}

}  // namespace

std::string human_duration(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0) return "-" + human_duration(-seconds);
  if (seconds == 0) return "0 s";
  if (seconds < 0.9995e-3) return formatted("%.0f us", seconds * 1e6);
  if (seconds < 0.9995) return formatted("%.*f ms", seconds < 9.95e-3 ? 1 : 0, seconds * 1e3);
  if (seconds < 60) return formatted("%.1f s", std::min(seconds, 59.9));
  if (seconds < 3600) return two_units(seconds, "min", 60, "s", 1);
  if (seconds < 86400) return two_units(seconds, "h", 3600, "min", 60);
  return two_units(seconds, "d", 86400, "h", 3600);
}

std::string human_bytes(double bytes) {
  if (!std::isfinite(bytes)) return "unknown";
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (std::fabs(bytes) >= 1023.95 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return formatted("%.*f %s", unit == 0 ? 0 : 1, bytes, units[unit]);
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(milliseconds);
  const std::time_t whole = std::chrono::system_clock::to_time_t(seconds);
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return formatted("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                   parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                   static_cast<int>((milliseconds - seconds).count()));
}

std::string hex(std::uint64_t number) {
  char digits[18] = {'0', 'x'};
  return {digits, std::to_chars(digits + 2, digits + sizeof digits, number, 16).ptr};
}

std::string_view state_word(char state) noexcept {
  switch (state) {
    case 'R':
      return "running";
    case 'S':
      return "sleeping";
    case 'D':
      return "uninterruptible";
    case 'T':
      return "stopped";
    case 't':
      return "traced";
    case 'Z':
      return "zombie";
    case 'X':
    case 'x':
      return "dead";
    case 'I':
      return "idle";
    case 'P':
      return "parked";
    default:
      return "unknown";
  }
}

}  // namespace gmr::views
