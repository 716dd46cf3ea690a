// The parts of the Process section.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gmr/model/value.hpp"

namespace gmr::sections {

// What of /proc/PID/stat is shown.
struct process_stat {
  std::string name;
  char state = '?';
  pid_t parent = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  // since boot
};

// Nothing when there is no such process or it can't be read.
[[nodiscard]] std::optional<process_stat> read_stat(pid_t process);

// Fields of /proc/PID/stat as the kernel writes them; the name may hold anything.
[[nodiscard]] std::optional<process_stat> parse_stat(std::string_view content);

// What could not be read, and why, for the reader of the report.
using unavailable_parts = std::vector<std::string>;

// soft and hard limits that matter: open files, stack, core, address space, processes.
[[nodiscard]] value limits_table(unavailable_parts& unavailable);

// The soft limit of open descriptors; null when there is none.
[[nodiscard]] value descriptor_limit();

// Descendants of the process: pid, name, state, children. Bounded: what is left out is counted.
[[nodiscard]] value children_tree(pid_t process, unavailable_parts& unavailable);

}  // namespace gmr::sections
