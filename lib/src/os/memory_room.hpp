// How much memory may still be spent before somebody is refused it or killed for it.
#pragma once

#include <cstdint>
#include <string>

namespace gmr::os {

struct memory_room {
  std::uint64_t bytes = UINT64_MAX;
  std::string
      limit;  // what leaves so little: "memory.max of the cgroup /app"; empty when nothing is known
};

// The least of what these leave: the control groups of the process and those above it (versions 1
// and 2), the machine, and the process's own limits of its address space and its data. Memory of a
// group that only caches files counts as free. `root` stands before all paths, for tests.
[[nodiscard]] memory_room look_at_memory(const std::string& root = {});

}  // namespace gmr::os
