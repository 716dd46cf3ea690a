// The fields of /proc/PID/stat, which threads and processes have alike.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gmr::os {

struct task_stat {
  std::string name;
  char state = '?';
  pid_t parent = 0;
  std::uint64_t user_ticks = 0;    // of CPU time, in steps of 10 ms on nearly all systems
  std::uint64_t system_ticks = 0;  // the same in the kernel
  std::uint64_t threads = 0;       // of the whole process
  std::uint64_t start_ticks = 0;   // since boot
  std::uint64_t blocked = 0;       // signals from 1 to 31, bit n - 1 for signal n
};

// As the kernel writes it; a name may hold anything. Nothing when fields are missing.
[[nodiscard]] std::optional<task_stat> parse_task_stat(std::string_view content);

// Of any process; nothing when there is none or it can't be read.
[[nodiscard]] std::optional<task_stat> read_process_stat(pid_t process);

// Of this process, also where /proc numbers processes in another way.
[[nodiscard]] std::optional<task_stat> read_own_stat();

// How many ticks make a second.
[[nodiscard]] double ticks_a_second() noexcept;

}  // namespace gmr::os
