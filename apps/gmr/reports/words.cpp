#include "reports/words.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <iomanip>
#include <sstream>

namespace gmr_command::reports {
namespace {

std::string with_decimals(double number, int decimals) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals) << number;
  return text.str();
}

}  // namespace

std::string seconds_text(double seconds) {
  constexpr double minute = 60;
  if (std::abs(seconds) < 1) return with_decimals(seconds * 1000, 0) + " ms";
  if (std::abs(seconds) < minute) return with_decimals(seconds, 1) + " s";
  const auto whole = static_cast<std::int64_t>(seconds);
  return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
}

std::string bytes_text(double bytes) {
  constexpr std::array units{"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (constexpr double step = 1024; std::abs(bytes) >= step && unit + 1 < units.size(); ++unit)
    bytes /= step;
  return with_decimals(bytes, unit == 0 ? 0 : 1) + ' ' + units.at(unit);
}

std::string name_of(const thread& of) {
  return "thread " + std::to_string(of.id) + (of.name.empty() ? "" : " (" + of.name + ')');
}

std::string place_text(const frame* at) {
  if (at == nullptr) return "an unknown place";
  std::string text = at->function.empty() ? "an unknown function" : at->function;
  if (!at->file.empty()) text += " at " + at->file + ':' + std::to_string(at->line);
  return text;
}

std::string wait_text(const wait& waits_for) {
  std::string text = waits_for.kind;
  if (!waits_for.address.empty()) text += ' ' + waits_for.address;
  if (waits_for.owner) text += " held by thread " + std::to_string(*waits_for.owner);
  if (waits_for.fd) text += " on descriptor " + std::to_string(*waits_for.fd);
  if (!waits_for.peer.empty()) text += " (" + waits_for.peer + ')';
  return text;
}

std::string plural(double count, const std::string& one, const std::string& many) {
  return with_decimals(count, 0) + ' ' + (count == 1 ? one : many);
}

}  // namespace gmr_command::reports
