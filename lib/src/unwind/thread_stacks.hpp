// The stacks of all threads of a capture, each unwound once.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "capture/snapshot.hpp"
#include "unwind/unwinder.hpp"

namespace gmr::unwind {

// Parallel to the snapshots of a capture. One object a capture. Not synchronised.
class thread_stacks final {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  // Unwinds the stacks that are new since the last time. Those that it does not come to before the
  // deadline say so instead.
  void unwind_new(std::span<const capture::thread_snapshot> threads, unwinder& unwinder,
                  time_point deadline = time_point::max());
  // Unwinds all of them again: modules have come or gone while they were captured.
  void unwind_all(std::span<const capture::thread_snapshot> threads, unwinder& unwinder,
                  time_point deadline = time_point::max());

  // Of which threads the whole stack is known, nothing of it guessed; those that there was no time
  // for count as such: nothing more is to be done for them.
  [[nodiscard]] const std::vector<bool>& exact() const noexcept { return exact_; }
  // Empty where none was captured.
  [[nodiscard]] const raw_stack& at(std::size_t thread) const { return stacks_.at(thread); }

 private:
  void unwind(std::size_t thread, const capture::stack_snapshot& stack, unwinder& unwinder,
              time_point deadline);

  std::vector<raw_stack> stacks_;
  std::vector<bool> exact_;
  raw_stack scratch_;  // keeps its memory, so that each stack has no more than it needs
};

}  // namespace gmr::unwind
