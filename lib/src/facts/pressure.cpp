// Pressure stall information.
#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>
#include <system_error>

#include "facts/group_limits.hpp"
#include "os/errors.hpp"
#include "os/file_text.hpp"
#include "text/lines.hpp"

namespace gmr::facts {
namespace {

constexpr std::array<std::string_view, 3> resources{"cpu", "memory", "io"};

value percent_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} ? value{number} : value{};
}

value seconds_in(std::string_view text) {
  constexpr double second_in_us = 1e-6;
  const auto total = texts::number_in(text);
  return total ? value{static_cast<double>(*total) * second_in_us} : value{};
}

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"
void add_rows(table& to, std::string_view resource, std::string_view lines) {
  while (!lines.empty()) {
    std::string_view line = texts::take_line(lines);
    std::vector<value> row{std::string{resource}, std::string{texts::take_until(line, ' ')}};
    while (!line.empty()) {
      std::string_view content = texts::take_until(line, ' ');
      const std::string_view name = texts::take_until(content, '=');
      row.push_back(name == "total" ? seconds_in(content) : percent_in(content));
    }
    to.rows.push_back(std::move(row));
  }
}

// The first error, or 0.
int read_pressure(table& to, const std::string& before, const std::string& after) {
  for (const std::string_view each : resources) {
    std::string path = before;
    path.append(each).append(after);
    const os::file_text text = os::read_file(path);
    if (!text.ok()) return text.error;
    add_rows(to, each, text.content);
  }
  return 0;
}

table empty_table() {
  return {
      {"resource", "tasks", "avg10_percent", "avg60_percent", "avg300_percent", "total_seconds"},
      {}};
}

}  // namespace

void add_pressure(key_values& to, const os::control_groups& groups, const std::string& root,
                  unavailable_parts& unavailable) {
  // Version 2 has it. A hierarchy with nothing but the top has it in /proc only.
  const std::vector<os::control_group> own = groups.levels("");
  table found = empty_table();
  if (!own.empty() && read_pressure(found, own.front().folder + "/", ".pressure") == 0) {
    to.add("pressure_of", "control group " + own.front().name).add("pressure", std::move(found));
    return;
  }
  found = empty_table();
  const int error = read_pressure(found, root + "/proc/pressure/", "");
  if (error == 0) {
    to.add("pressure_of", "the machine").add("pressure", std::move(found));
    return;
  }
  to.add("pressure_of", {}).add("pressure", {});
  unavailable.push_back("pressure: /proc/pressure: " + os::error_text(error));
}

}  // namespace gmr::facts
