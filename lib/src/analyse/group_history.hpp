// Groups of green threads from report to report.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "gmr/model/report.hpp"

namespace gmr::analyse {

// Remembers how many green threads had each stack in the last reports. Bounded: the largest groups
// of a report are kept. Not synchronised.
class group_history final {
 public:
  // Findings about groups that were larger in each of the last three reports than in the one
  // before, this one included, and by 10 and a tenth in all. `now` is when it was begun.
  [[nodiscard]] std::vector<finding> add(const green_threads_info& green_threads,
                                         std::chrono::steady_clock::time_point now);

 private:
  struct growth {
    std::uint64_t first = 0;  // count when the growth began
    std::uint64_t last = 0;
    std::chrono::steady_clock::time_point since;
    unsigned reports = 1;   // that it was seen in, the first included
    bool seen = false;      // in the report that is being added
    std::uint64_t sum = 0;  // of the groups with that stack in it
    const green_thread_group* largest = nullptr;
  };

  void collect(const green_threads_info& green_threads, std::chrono::steady_clock::time_point now);

  std::map<std::size_t, growth> groups_;  // by a hash of kind, wait and stack
};

// Findings about groups that have waited for longer than `limit`, unless they are marked as long
// running. None when it is 0.
[[nodiscard]] std::vector<finding> find_long_waits(const green_threads_info& green_threads,
                                                   std::chrono::milliseconds limit);

}  // namespace gmr::analyse
