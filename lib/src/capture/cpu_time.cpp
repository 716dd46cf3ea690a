#include "capture/cpu_time.hpp"

#include <algorithm>
#include <thread>

namespace gmr::capture {

cpu_times read_times(os::task_files& files, pid_t id, const os::task_times& used) {
  cpu_times read;
  read.user_seconds = used.user_seconds;
  read.system_seconds = used.system_seconds;
  read.waiting_seconds = files.waiting_seconds(id).value_or(0);
  return read;
}

cpu_times read_times(os::task_files& files, pid_t id, std::uint64_t cpu_clock) {
  constexpr std::uint64_t shown_by_stat = 10'000'000;  // it counts in steps of 10 ms
  return read_times(
      files, id,
      cpu_clock < shown_by_stat ? os::task_times{} : files.times(id).value_or(os::task_times{}));
}

namespace {

using steady_clock = std::chrono::steady_clock;

constexpr double nearly_all = 90;  // percent
constexpr int most_windows = 8;

// Sets the share of one CPU used; returns the nanoseconds. A thread that has ended since keeps what
// it has.
std::uint64_t measure(thread_snapshot& thread, const cpu_start& before) {
  const std::uint64_t now = os::cpu_clock(thread.id);
  const std::chrono::duration<double, std::nano> passed = steady_clock::now() - before.seen;
  if (!thread.cpu || now < before.clock || passed.count() <= 0) return 0;
  const std::uint64_t used = now - before.clock;
  constexpr double percent = 100;
  thread.cpu->recent_percent =
      std::min(percent, percent * static_cast<double>(used) / passed.count());
  return used;
}

// Whether the thread has run, or been ready to, all the time.
bool never_paused(const thread_snapshot& thread, const cpu_start& before, os::task_files& files) {
  if (!before.pauses || thread.is_reporter || !thread.cpu) return false;
  const std::optional<os::task_status> now = files.status(thread.id);
  return now && now->state == 'R' && now->pauses == *before.pauses;
}

bool is_busy(const thread_snapshot& thread) {
  return !thread.is_reporter && thread.cpu && thread.cpu->recent_percent >= nearly_all;
}

}  // namespace

void measure_cpu(std::vector<thread_snapshot>& threads, const std::vector<cpu_start>& before,
                 steady_clock::time_point start, std::chrono::milliseconds window,
                 os::task_files& files) {
  std::vector<std::size_t> busy;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    measure(threads[i], before[i]);
    if (window.count() > 0 && (is_busy(threads[i]) || never_paused(threads[i], before[i], files)))
      busy.push_back(i);
  }
  if (busy.empty()) return;
  const auto enough = static_cast<std::uint64_t>(std::chrono::nanoseconds{window}.count()) / 2;
  for (int windows = 1; !busy.empty() && windows <= most_windows; ++windows) {
    std::this_thread::sleep_until(start + windows * window);
    std::erase_if(busy, [&](std::size_t i) {
      const bool used_enough = measure(threads[i], before[i]) >= enough;
      if (!never_paused(threads[i], before[i], files)) return true;
      threads[i].cpu->never_paused = used_enough;
      return used_enough;
    });
  }
  for (std::size_t i = 0; i < threads.size(); ++i)
    measure(threads[i], before[i]);
}

}  // namespace gmr::capture
