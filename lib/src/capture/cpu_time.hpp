// What threads use of the CPU: in all, and over the window of a report. Not async-signal-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "capture/snapshot.hpp"
#include "os/task_files.hpp"

namespace gmr::capture {

// The times of a thread, of which `used` is known already.
[[nodiscard]] cpu_times read_times(os::task_files& files, pid_t id, const os::task_times& used);
// The same for one whose CPU clock stands at `cpu_clock` nanoseconds.
[[nodiscard]] cpu_times read_times(os::task_files& files, pid_t id, std::uint64_t cpu_clock);

// A thread when it was first looked at.
struct cpu_start {
  std::uint64_t clock = 0;              // its CPU clock
  std::optional<std::uint64_t> pauses;  // how often it had waited, when it was not waiting
  std::chrono::steady_clock::time_point seen;
};

// Sets what each thread used of the CPU since its `before`, parallel to `threads`. Those that seem
// to use all of one are watched until `window` has passed since `start`; and where others take the
// CPU too, some times as long, until they have waited for something or used as much as one that
// spins would have. Zero: nobody is watched.
void measure_cpu(std::vector<thread_snapshot>& threads, const std::vector<cpu_start>& before,
                 std::chrono::steady_clock::time_point start, std::chrono::milliseconds window,
                 os::task_files& files);

}  // namespace gmr::capture
