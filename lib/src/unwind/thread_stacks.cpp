#include "unwind/thread_stacks.hpp"

namespace gmr::unwind {

void thread_stacks::unwind_new(std::span<const capture::thread_snapshot> threads,
                               unwinder& unwinder, time_point deadline) {
  stacks_.resize(threads.size());
  exact_.resize(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i)
    if (threads[i].is_new) unwind(i, threads[i].stack, unwinder, deadline);
}

void thread_stacks::unwind_all(std::span<const capture::thread_snapshot> threads,
                               unwinder& unwinder, time_point deadline) {
  stacks_.resize(threads.size());
  exact_.resize(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i)
    unwind(i, threads[i].stack, unwinder, deadline);
}

void thread_stacks::unwind(std::size_t thread, const capture::stack_snapshot& stack,
                           unwinder& unwinder, time_point deadline) {
  exact_[thread] = false;
  stacks_[thread] = {};
  if (stack.empty()) return;
  if (std::chrono::steady_clock::now() >= deadline) {
    stacks_[thread].note = "not unwound: the time for the report was over";
    exact_[thread] = true;
    return;
  }
  unwinder.unwind(stack, scratch_);
  stacks_[thread] = scratch_;
  exact_[thread] = scratch_.exact && !scratch_.truncated && scratch_.frames.size() > 1;
}

}  // namespace gmr::unwind
