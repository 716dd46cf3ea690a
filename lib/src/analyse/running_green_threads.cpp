#include "analyse/running_green_threads.hpp"

namespace gmr::analyse {

void running_green_threads::take(std::span<const capture::captured_green_thread> batch) {
  for (const capture::captured_green_thread& each : batch)
    if (each.view.state == green_thread_state::running && each.view.thread != 0)
      by_thread_.emplace(each.view.thread, each.view.id);
}

void running_green_threads::tell(std::span<thread_info> threads) const {
  for (thread_info& thread : threads) {
    const auto found = by_thread_.find(thread.id);
    if (!thread.runs && found != by_thread_.end()) thread.runs = found->second;
  }
}

}  // namespace gmr::analyse
