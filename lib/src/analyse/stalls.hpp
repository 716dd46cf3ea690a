// Event loops: what the Runtime section says of them, and those that have stalled.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gmr/model/report.hpp"
#include "hook/loops/event_loops.hpp"

namespace gmr::analyse {

// What the watchdog of event loops knows. Times are CLOCK_MONOTONIC in ns.
struct loops_seen {
  std::uint64_t at = 0;  // when it was looked at
  std::vector<trace::event_loop_state> loops;
  std::uint64_t standstills = 0;      // of the process or the machine
  std::uint64_t last_standstill = 0;  // when the last one was over
  std::uint64_t last_lasted = 0;
};

// As they are now.
[[nodiscard]] loops_seen see_event_loops();

// The Runtime section. `stall`: stall_seconds, 0 when it is off. `counted`: the queues of loops, in
// programs with gmr::trace_ops.
[[nodiscard]] value runtime_section(const loops_seen& seen, std::chrono::milliseconds stall,
                                    std::span<const event_loop_info> counted);

// A finding for each loop that has stalled: the thread that blocks it, what it runs, and what it
// waits for. `complete` has its threads with their stacks.
[[nodiscard]] std::vector<finding> find_stalls(const loops_seen& seen, const report& complete);

// "orders", or where the service has given no name "of thread 812 (io-1)".
[[nodiscard]] std::string loop_title(const std::string& name, pid_t thread,
                                     const std::string& thread_name);

}  // namespace gmr::analyse
