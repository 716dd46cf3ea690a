#include "text/quantities.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace gmr::texts {
namespace {

std::string formatted(double number, std::chars_format how, int precision) {
  std::array<char, 400> buffer;  // the largest number has 309 digits before the point
  const auto [end, error] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, how, precision);
  return {buffer.data(), error == std::errc{} ? end : buffer.data()};
}

std::string with_unit(double number, int digits, std::string_view unit) {
  return fixed(number, digits).append(" ").append(unit);
}

std::string two_units(double seconds, std::string_view large, double per_large,
                      std::string_view small, double per_small) {
  const double whole = std::floor(seconds / per_large);
  const double rest = std::floor((seconds - whole * per_large) / per_small);
  if (rest == 0) return with_unit(whole, 0, large);
  return with_unit(whole, 0, large) + " " + with_unit(rest, 0, small);
}

}  // namespace

std::string fixed(double number, int digits) {
  return formatted(number, std::chars_format::fixed, digits);
}

std::string significant(double number, int digits) {
  return formatted(number, std::chars_format::general, digits);
}

std::string human_duration(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0) return "-" + human_duration(-seconds);
  if (seconds == 0) return "0 s";
  if (seconds < 0.9995e-3) return with_unit(seconds * 1e6, 0, "us");
  if (seconds < 0.9995) return with_unit(seconds * 1e3, seconds < 9.95e-3 ? 1 : 0, "ms");
  if (seconds < 60) return with_unit(std::min(seconds, 59.9), 1, "s");
  if (seconds < 3600) return two_units(seconds, "min", 60, "s", 1);
  if (seconds < 86400) return two_units(seconds, "h", 3600, "min", 60);
  return two_units(seconds, "d", 86400, "h", 3600);
}

std::string human_bytes(double bytes) {
  if (!std::isfinite(bytes)) return "unknown";
  static constexpr std::string_view units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  std::size_t unit = 0;
  while (std::fabs(bytes) >= 1023.95 && unit + 1 < std::size(units)) {
    bytes /= 1024;
    ++unit;
  }
  return with_unit(bytes, unit == 0 ? 0 : 1, units[unit]);
}

}  // namespace gmr::texts
