#include "capture/cpu_time.hpp"

#include <algorithm>

namespace gmr::capture {

cpu_times read_times(task_files& files, pid_t id, const task_times& used) {
  cpu_times read;
  read.user_seconds = used.user_seconds;
  read.system_seconds = used.system_seconds;
  read.waiting_seconds = files.waiting_seconds(id).value_or(0);
  return read;
}

cpu_times read_times(task_files& files, pid_t id, std::uint64_t cpu_clock) {
  constexpr std::uint64_t shown_by_stat = 10'000'000;  // it counts in steps of 10 ms
  return read_times(
      files, id, cpu_clock < shown_by_stat ? task_times{} : files.times(id).value_or(task_times{}));
}

void measure_since(thread_snapshot& thread, std::uint64_t cpu_before,
                   std::chrono::steady_clock::time_point seen) {
  const std::uint64_t used = cpu_clock(thread.id);
  const std::chrono::duration<double, std::nano> passed = std::chrono::steady_clock::now() - seen;
  if (used < cpu_before || passed.count() <= 0) return;
  constexpr double percent = 100;
  thread.cpu->recent_percent =
      std::min(percent, percent * static_cast<double>(used - cpu_before) / passed.count());
}

bool anyone_busy(const std::vector<thread_snapshot>& threads) {
  constexpr double nearly_all = 90;
  return std::any_of(threads.begin(), threads.end(), [](const thread_snapshot& thread) {
    return !thread.is_reporter && thread.cpu && thread.cpu->recent_percent >= nearly_all;
  });
}

}  // namespace gmr::capture
