#include "view/text_changes.hpp"

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "text/printable.hpp"
#include "text/quantities.hpp"
#include "text/times.hpp"

namespace gmr::views {
namespace {

// ", threads +2"
std::string change_text(std::string_view what, double change, const std::string& amount) {
  return ", " + std::string{what} + (change < 0 ? " -" : " +") + amount;
}

std::string count_text(std::string_view what, std::int64_t change) {
  if (change == 0) return {};
  // The smallest number has no negative that is signed, and a report may have been made up.
  const auto bits = static_cast<std::uint64_t>(change);
  return change_text(what, static_cast<double>(change),
                     std::to_string(change < 0 ? 0 - bits : bits));
}

}  // namespace

// "Since report 3, 12.4 s ago: cpu +1.2 s, memory +12.0 MiB, descriptors +4"
std::string changes_text(const report_changes& changes) {
  std::string all;
  if (changes.cpu_seconds)
    all += change_text("cpu", *changes.cpu_seconds, texts::human_duration(*changes.cpu_seconds));
  if (changes.resident_bytes) {
    const auto bytes = static_cast<double>(*changes.resident_bytes);
    all += change_text("memory", bytes, texts::human_bytes(std::fabs(bytes)));
  }
  if (changes.open_descriptors) all += count_text("descriptors", *changes.open_descriptors);
  all += count_text("threads", changes.threads);
  all += count_text("green threads", changes.green_threads);
  all += count_text("their groups", changes.green_thread_groups);
  return "Since report " + std::to_string(changes.since_report) + ", " +
         texts::human_duration(changes.elapsed_seconds) +
         " ago: " + (all.empty() ? "no change" : all.substr(2));
}

void show_changes(page& out, const report_changes& changes) {
  out.blank();
  out.line(0, changes_text(changes));
}

void show_log(page& out, const std::vector<log_line>& lines) {
  for (const log_line& each : lines)
    out.line(0, texts::utc_time(each.time) + " " + texts::printable(each.text));
}

}  // namespace gmr::views
