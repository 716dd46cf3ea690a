// What is compared of a JSON report (docs/report.schema.json): plain data, read by parse.hpp. What
// a report says to be null or does not have is empty here.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gmr_command::reports {

struct frame {
  std::string function;
  std::string file;
  int line = 0;
  // Whether it is code of the service, and not of a library or the system.
  bool own = false;

  bool operator==(const frame&) const = default;
};

struct wait {
  std::string kind;     // "mutex", "read", "timer", ...
  std::string address;  // of the lock
  std::optional<std::int64_t> owner;
  std::optional<int> fd;
  std::string peer;
  std::optional<double> seconds;  // that a sleep or a timer still has
};

// What a green thread waits for, as Asio knows it.
struct operation {
  std::uint64_t green_thread = 0;
  std::string kind;
  bool ready = false;
  std::optional<int> fd;
  std::string peer;
  std::optional<double> seconds;  // until a timer expires; nothing for one that never does
};

struct thread {
  std::int64_t id = 0;
  std::string name;
  std::string state;
  std::optional<wait> waits_for;
  std::optional<double> cpu_seconds;
  double system_seconds = 0;           // of those
  double waiting_seconds = 0;          // that it wanted a processor and had none
  std::optional<double> percent;       // of one processor, while the report was made
  std::optional<std::uint64_t> runs;   // a green thread
  std::optional<double> runs_seconds;  // since that one was suspended last
  bool is_reporter = false;
  std::vector<frame> frames;  // innermost first
};

// Green threads with one stack and state. Those of a report with list = each are put together.
struct green_thread_group {
  std::uint64_t count = 0;
  std::string kind;
  std::string state;
  std::vector<frame> frames;
  std::vector<std::uint64_t> ids;  // of some
  std::vector<std::string> names;
  std::vector<std::uint64_t> parents;
  bool long_running = false;
  std::optional<double> oldest_seconds;
  std::optional<double> newest_seconds;
  std::optional<wait> waits_for;
  std::vector<operation> operations;  // of some
};

struct event_loop {
  std::string address;
  std::uint64_t queued = 0;
  std::optional<double> oldest_seconds;
  std::uint64_t pending = 0;
  std::vector<std::int64_t> threads;
};

// Operations that no green thread waits for.
struct operation_group {
  std::uint64_t count = 0;
  std::string kind;
  bool ready = false;
  std::optional<double> oldest_seconds;
  std::optional<double> newest_seconds;
  struct one {
    std::optional<int> fd;
    std::string peer;
    std::optional<double> since_seconds;
  };
  std::vector<one> some;
};

struct finding {
  std::string kind;
  std::string text;
  std::vector<std::int64_t> threads;
  std::vector<std::uint64_t> green_threads;
};

struct process {
  std::int64_t pid = 0;
  std::string start_time;
  double uptime_seconds = 0;
  std::optional<double> resident_bytes;
  std::optional<double> descriptors;
  std::optional<double> descriptor_limit;
  // Of the control group: how long and in how many of its periods it was refused processor time.
  std::optional<double> throttled_seconds;
  std::optional<double> throttled_periods;
  std::optional<double> periods;
  std::vector<std::string> newest_descriptors;
  std::map<std::string, double> descriptor_kinds;  // how many there are of each
};

struct report {
  std::string source;  // file and line
  std::string time;
  std::chrono::system_clock::time_point at;
  std::string host;
  std::string package;
  std::uint64_t number = 0;
  std::vector<finding> findings;
  std::vector<std::string> notes;       // what the report says that it does not show, and why
  std::vector<std::string> main_notes;  // those of the report as a whole, which are among them
  reports::process process;
  std::vector<thread> threads;
  bool has_green_threads = false;  // not where it was asked for in other parts
  std::uint64_t green_threads = 0;
  std::vector<green_thread_group> groups;
  std::vector<event_loop> event_loops;
  std::vector<operation_group> operations;
  std::map<std::string, std::string> options;  // "section.name" and its value
};

}  // namespace gmr_command::reports
