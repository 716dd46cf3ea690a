// Finds reports in a log: JSON objects on a line of their own or behind a prefix, in one piece or
// cut, and text reports by their banner.
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <variant>

#include "gmr/read/read.hpp"

namespace gmr_command {

// As text it can be printed, and made nothing else of.
using report_in_log = std::variant<gmr::json_report, std::string>;

struct reports_found {
  std::size_t count = 0;                // of whole ones, up to the one that was wanted
  std::optional<report_in_log> wanted;  // that number, or the last
  std::size_t line = 0;                 // it begins on
  std::size_t damaged = 0;
  std::string first_damage;  // "FILE:LINE: what"; empty when there is none
};

// What is held in memory at once.
struct log_limits {
  std::size_t text_bytes = 256U << 20U;    // of a text report, whose end may be missing
  std::size_t waiting_bytes = 64U << 20U;  // of other streams, while a report of one is read
};

// Who is told of reports, in the order of the log.
class report_receiver {
 public:
  report_receiver() = default;
  virtual ~report_receiver() = default;
  report_receiver(const report_receiver&) = delete;
  report_receiver& operator=(const report_receiver&) = delete;

  // Reads one JSON object, which begins on that line, and leaves what follows it. Throws
  // gmr::unreadable_report where it is no report.
  virtual void take_json(gmr::text_source& from, std::size_t line) = 0;
  virtual void take_text(std::string text, std::size_t line) = 0;
  // Whether the rest of the log does not matter.
  [[nodiscard]] virtual bool has_enough() const { return false; }
};

struct log_search_result {
  std::size_t texts = 0;  // reports in text that begin there, damaged ones as well
  std::size_t damaged = 0;
  std::string first_damage;  // "FILE:LINE: what"; empty when there is none
};

// `name` is that of the file, for messages. Whatever the log has beside reports is held in memory a
// piece at a time.
log_search_result search_log(std::istream& from, const std::string& name, report_receiver& to,
                             const log_limits& limits = {});

// `number` counts from 1; 0: the last. `name` is that of the file, for messages. Memory is taken
// for one report or two, however long the log is.
[[nodiscard]] reports_found find_reports(std::istream& from, const std::string& name,
                                         std::size_t number, const log_limits& limits = {});

}  // namespace gmr_command
