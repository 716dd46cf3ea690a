// What waits for what, over the whole report: for views that show it as a table and as a tree.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gmr/model/report.hpp"

namespace gmr::outlines {

// All that wait for one operation on one peer.
struct wait_row {
  std::string operation;
  // What the descriptor is, or the lock and who holds it; of a connection without the port that was
  // chosen for it alone. Empty where it is not known.
  std::string peer;
  std::uint64_t threads = 0;
  std::uint64_t green_threads = 0;
  std::uint64_t operations = 0;           // that no green thread waits for
  std::optional<double> longest_seconds;  // that one of them has waited, where that is known
};

// The most waiting first.
[[nodiscard]] std::vector<wait_row> table_of_waits(const report& complete);

// A green thread that awaits or has resumed others, or the other way round. They stand in order:
// each is followed by those that it awaits or has resumed, which are one deeper.
struct relative {
  std::uint64_t id = 0;
  std::uint32_t depth = 0;
  bool again = false;                         // it stood before: they await each other in a circle
  const green_thread_group* group = nullptr;  // that it is in; null where it is not known
  const green_thread_info* listed = nullptr;  // with list = each; null where it is not known
  pid_t thread = 0;                           // that runs it; 0: none, or not known
};

[[nodiscard]] std::vector<relative> tree_of_relatives(const report& complete);

}  // namespace gmr::outlines
