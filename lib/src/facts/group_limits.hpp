// What control groups allow a process, and what it has used of that.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "facts/process_parts.hpp"
#include "gmr/model/value.hpp"
#include "os/control_groups.hpp"

namespace gmr::facts {

// Each is of the group, among the process's own and those above it, that leaves the least; where
// none has a limit, of the process's own.

struct cpu_limit {
  std::string group;
  std::optional<double> cpus;  // as many may be used in each period; nothing: no limit
  std::uint64_t periods = 0;   // in which some task of the group wanted to run
  std::uint64_t throttled_periods = 0;
  double throttled_seconds = 0;
};

struct memory_limit {
  std::string group;
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> high;  // beyond it the group is slowed down
  std::uint64_t used = 0;
  std::uint64_t file_cache = 0;  // of that: what the kernel can take back
  std::vector<std::pair<std::string, std::uint64_t>> events;
};

struct task_limit {
  std::string group;
  std::optional<std::uint64_t> limit;
  std::uint64_t count = 0;
};

struct group_limits {
  std::optional<cpu_limit> cpu;
  std::optional<memory_limit> memory;
  std::optional<task_limit> tasks;
};

// A controller that has no files for these groups sets no limit: nothing. What can't be read for
// another reason is told.
[[nodiscard]] std::optional<cpu_limit> read_cpu_limit(const os::control_groups& groups,
                                                      unavailable_parts& unavailable);
[[nodiscard]] group_limits read_limits(const os::control_groups& groups,
                                       unavailable_parts& unavailable);

// How long tasks have waited for processor, memory and devices: of the process's group, or of the
// whole machine ("pressure_of"). `root` is where /proc is.
void add_pressure(key_values& to, const os::control_groups& groups, const std::string& root,
                  unavailable_parts& unavailable);

}  // namespace gmr::facts
