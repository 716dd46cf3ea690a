#include "view/json_changes.hpp"

#include "text/times.hpp"

namespace gmr::views {

void write_changes(json_output& out, const std::optional<report_changes>& changes) {
  if (!changes) return out.null();
  out.begin_object();
  out.key("since_report");
  out.number(changes->since_report);
  out.key("elapsed_seconds");
  out.seconds(changes->elapsed_seconds);
  out.key("cpu_seconds");
  out.seconds_or_null(changes->cpu_seconds);
  out.key("resident_bytes");
  out.number_or_null(changes->resident_bytes);
  out.key("open_descriptors");
  out.number_or_null(changes->open_descriptors);
  out.key("threads");
  out.number(changes->threads);
  out.key("green_threads");
  out.number(changes->green_threads);
  out.key("green_thread_groups");
  out.number(changes->green_thread_groups);
  out.end_object();
}

void write_log(json_output& out, const std::vector<log_line>& lines) {
  out.begin_array();
  for (const log_line& each : lines) {
    out.begin_object();
    out.key("time");
    out.text(texts::utc_time(each.time));
    out.key("text");
    out.text(each.text);
    out.end_object();
  }
  out.end_array();
}

}  // namespace gmr::views
