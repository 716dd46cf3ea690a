// What explain says: plain data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reports/report.hpp"

namespace gmr_command::explanations {

// In the order in which suspects are shown: what has stopped for good first.
enum class suspect_kind {
  fatal_error,
  deadlock,
  lock_across_suspension,
  lock_held,          // others wait for a lock whose holder does not go on
  stall,              // as the watchdog of the service says
  exhausted_pool,     // all threads of a pool are blocked
  blocked_loop,       // a handler blocks the thread of an event loop
  blocked_thread,     // a thread is in a call that should not last
  throttled,          // the control group may have no more processor time
  memory_near_limit,  // the control group may soon have none left
  spinning_thread,
  descriptor_leak,
  growing_group,  // more and more green threads in one place, and the old ones stay
  event_loop_delayed,
  slow_peer,
  convoy,
  long_wait,
  lost_wakeup,  // nothing else goes on, and this waits to be told
};
[[nodiscard]] std::string word(suspect_kind kind);

struct lock {
  std::string address;
  std::string kind;  // mutex, condition, ...
  std::optional<std::int64_t> holder;
};

struct descriptors {
  double count = 0;
  std::optional<double> limit;
  double growth = 0;
  std::string newest;  // what the latest of them are
};

struct suspect {
  suspect_kind kind{};
  std::string text;  // one sentence
  std::optional<std::int64_t> thread;
  std::string thread_name;
  std::optional<std::uint64_t> green_thread;
  std::optional<reports::frame> at;
  std::optional<explanations::lock> lock;
  std::optional<int> descriptor;
  std::string peer;
  std::optional<explanations::descriptors> leaked;
  std::optional<double> since_seconds;  // at least so long
  std::vector<std::string> evidence;    // a sentence each
  std::vector<std::int64_t> threads;    // all that it explains
};

struct place {
  std::optional<std::int64_t> thread{};
  std::string name{};
  std::optional<std::uint64_t> green_thread{};
  std::uint64_t count = 1;
  std::optional<reports::frame> at{};
  std::optional<reports::wait> waits_for{};
};

struct change {
  std::string what;
  double from = 0;
  double to = 0;
  bool bytes = false;
};

struct usage {
  std::int64_t thread = 0;
  std::string name;
  double seconds = 0;
  double percent = 0;  // of one processor
};

struct explanation {
  std::string verdict;  // healthy, quiet, inconclusive, or the word of the first suspect
  std::string summary;
  std::vector<suspect> suspects;
  std::vector<std::string> not_seen;  // by the reports, a sentence each
  bool may_hide_trouble = false;      // what was not seen, if there is a suspect among it
  // Of two reports or more:
  std::vector<place> stuck;
  std::vector<place> moved;
  std::vector<change> growing;
  std::vector<usage> cpu;
};

}  // namespace gmr_command::explanations
