#include "verbs/time.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>

namespace queue_server {

namespace {

std::string formatted(std::time_t seconds, const char* format) {
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr) return {};
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), format, &parts)};
}

}  // namespace

std::string rfc3339(std::int64_t milliseconds) {
  return formatted(milliseconds / 1000, "%Y-%m-%dT%H:%M:%SZ");
}

std::string precise_rfc3339(std::int64_t milliseconds) {
  // The thousandths, with the zeros before them.
  const std::string part = std::to_string(1000 + milliseconds % 1000).substr(1);
  return formatted(milliseconds / 1000, "%Y-%m-%dT%H:%M:%S.") + part + 'Z';
}

std::string http_date() {
  return formatted(std::time(nullptr), "%a, %d %b %Y %H:%M:%S GMT");
}

std::optional<std::int64_t> seconds_from(const std::string& text) {
  std::tm parts{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return std::nullopt;
  std::string_view zone(rest);
  // Parts of a second do not matter.
  if (zone.starts_with('.'))
    zone.remove_prefix(std::min(zone.find_first_not_of("0123456789", 1), zone.size()));
  if (!zone.empty() && zone != "Z") return std::nullopt;
  return timegm(&parts);
}

}  // namespace queue_server
