#include "section/utc_time.hpp"

#include <array>
#include <cstdio>
#include <ctime>

namespace gmr::sections {

std::string utc_time(std::chrono::system_clock::time_point when) {
  using std::chrono::milliseconds;
  const auto since_epoch = std::chrono::floor<milliseconds>(when).time_since_epoch();
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const auto seconds = static_cast<std::time_t>(whole.count());
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return {};
  std::array<char, 64> buffer{};
  const std::size_t length =
      std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 16> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>((since_epoch - whole).count()));
  return std::string(buffer.data(), length) + fraction.data();
}

}  // namespace gmr::sections
