// What threads use of the CPU: in all, and over the window of a report. Not async-signal-safe.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <vector>

#include "capture/snapshot.hpp"
#include "capture/task_files.hpp"

namespace gmr::capture {

// The times of a thread, of which `used` is known already.
[[nodiscard]] cpu_times read_times(task_files& files, pid_t id, const task_times& used);
// The same for one whose CPU clock stands at `cpu_clock` nanoseconds.
[[nodiscard]] cpu_times read_times(task_files& files, pid_t id, std::uint64_t cpu_clock);

// Sets the share of one CPU used since `seen`, when the thread's CPU clock stood at `cpu_before`.
// A thread that has ended since keeps what it has. Requires thread.cpu.
void measure_since(thread_snapshot& thread, std::uint64_t cpu_before,
                   std::chrono::steady_clock::time_point seen);

// Whether a thread other than the reporter's used nearly all of a CPU.
[[nodiscard]] bool anyone_busy(const std::vector<thread_snapshot>& threads);

}  // namespace gmr::capture
