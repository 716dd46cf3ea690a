// A complete report: plain data, made by the reporter, read by the views.
#pragma once

#include "gmr/detail/language.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gmr/model/stack.hpp"
#include "gmr/model/threads.hpp"
#include "gmr/model/value.hpp"

namespace gmr {

// The software that reports. The initializers let {.name = "orders"} pass without warnings.
struct package {
  std::string name{};
  std::string version{};
  std::string vendor{};
  std::string revision{};  // of the source, such as a git commit; may be empty
};

enum class finding_kind : std::uint8_t {
  fatal_error,             // a thread fails, and the process with it
  stall,                   // an event loop runs nothing, for as long as stall_seconds says
  deadlock,                // threads wait for each other in a circle
  lock_across_suspension,  // a green thread was suspended while it holds a lock
  convoy,                  // many threads wait for one lock
  spinning_thread,         // a thread uses a whole CPU
  event_loop_delayed,      // handlers wait too long for their turn
  long_wait,               // a green thread has waited longer than the option allows
  growing_group,           // more and more green threads have the same stack
  cpu_throttled,           // the control group was kept from the processors for a large part
  memory_near_limit,       // of the control group
  descriptors_near_limit,  // of the process
  tracing_inactive,        // there are green threads that reports can't show
};
// The word for the kind, as it is in reports: "deadlock", "spinning_thread".
[[nodiscard]] std::string_view to_string(finding_kind kind) noexcept;

// What a report concludes; shown before everything else.
struct finding {
  finding_kind kind{};
  std::string text;  // the conclusion for people
  std::vector<pid_t> threads;
  std::vector<std::uint64_t> green_threads;
  std::size_t stacks = 0;  // how many of `threads`, the first ones, are shown with their stacks
};

// One option of the service, already masked when it is secret.
struct option_entry {
  std::string section;
  std::string name;
  value content;
  std::string source;  // default, FILE:LINE, environment NAME, command line, ...
};

// A section that the service registered. `error` is set instead of `content` when its generator
// failed or did not answer in time.
struct custom_section {
  std::string title;
  value content;
  std::string error;
};

// What has changed since the report before. What is not known of both has no difference.
struct report_changes {
  std::uint64_t since_report = 0;  // its number
  double elapsed_seconds = 0;
  std::optional<double> cpu_seconds;  // that the process used
  std::optional<std::int64_t> resident_bytes;
  std::optional<std::int64_t> open_descriptors;
  std::int64_t threads = 0;
  std::int64_t green_threads = 0;
  std::int64_t green_thread_groups = 0;
};

// A line that the service has logged (reporter::log_line), secrets masked.
struct log_line {
  std::chrono::system_clock::time_point time;
  std::string text;
};

// What the report itself cost.
struct cost_info {
  double capture_seconds = 0;
  double resolve_seconds = 0;  // unwind, symbolize, analyse
  double sections_seconds = 0;
  double total_seconds = 0;  // until handed to the view
  std::uint64_t memory_growth_bytes = 0;
};

// How green threads are listed: in groups of the same stack; each by itself, below its stack; or as
// one call tree, for which JSON has the groups.
enum class report_list { groups, each, tree };
// Which groups of green threads come first: the suspicious ones, which are few and have waited
// long; those with the oldest green thread; or the largest.
enum class group_order { suspicious, oldest, largest };
// Text for people, JSON for programs, HTML for a browser, and the layout of oslo.reports for
// scripts that know that.
enum class report_format { text, json, html, oslo };
// What the name of a file in that format ends in: txt, json, html.
[[nodiscard]] std::string_view extension_of(report_format format) noexcept;

struct report {
  std::string cause;  // "signal SIGUSR2", "file /path touched", "request", ...
  std::chrono::system_clock::time_point time;
  std::string host;
  std::uint64_t number = 0;     // counts the reports of this process from 1
  std::uint64_t coalesced = 1;  // how many requests this report answers
  std::uint64_t refused = 0;    // automatic ones that reports_per_minute refused since the last
  std::vector<finding> findings;
  gmr::package package;
  value package_details;  // key_values: the Package section, package itself included
  value process;          // key_values: the Process section
  value runtime;          // key_values: the Runtime section, with the event loops
  std::optional<report_changes> changes;  // nothing in the first report
  value control_group;                    // key_values: the Control Group section
  std::vector<module_info> modules;
  std::vector<thread_info> threads;
  green_threads_info green_threads;
  std::vector<operation_group> operations;  // that no green thread waits for, the oldest first
  report_list list = report_list::groups;
  std::vector<option_entry> configuration;
  std::vector<custom_section> sections;
  std::vector<log_line> log;       // the last ones, the oldest first
  std::vector<std::string> notes;  // what was cut short and why
  cost_info cost;

  // Keeps every frame that the stacks point to alive.
  std::shared_ptr<const void> frames;
};

}  // namespace gmr
