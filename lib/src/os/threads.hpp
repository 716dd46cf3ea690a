// The threads of this process as system calls tell of them, without /proc.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gmr::os {

// Whether a thread of this process has that number. Where no system call may be asked, true.
[[nodiscard]] bool thread_exists(pid_t id) noexcept;

// CPU time that a thread of this process has used, in ns; 0 when it has gone, or when nothing
// tells. Unchanged between two calls means that the thread has not run in between.
[[nodiscard]] std::uint64_t cpu_clock(pid_t id) noexcept;

struct found_threads {
  std::vector<pid_t> ids;  // sorted
  bool all = false;        // as many as there are
};

// Tries one number after the other, those next to this process's first, until `count` threads are
// found (0: nobody knows how many there are) or the time is over. For where no directory lists
// them: each number costs a system call. Where no system call may be asked, only the calling thread
// and the first one.
[[nodiscard]] found_threads search_threads(std::size_t count, std::chrono::milliseconds most);

}  // namespace gmr::os
