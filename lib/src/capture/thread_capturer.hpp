// Takes the registers and stacks of all OS threads of this process.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "capture/snapshot.hpp"

namespace gmr::capture {

struct thread_capture_settings {
  int signal = 0;  // 0: the first free real-time signal; -1: never signal a thread
  std::size_t stack_bytes = 65536;
  std::chrono::milliseconds deadline{500};  // for all answers, from the last signal on

  // Whether a snapshot of which only pc and sp are known unwinds to its end. A blocked thread is
  // then read without a signal, and not even looked at again until it has run. One whose snapshot
  // is not exact is signalled: in a call that the kernel does not restart after a handler
  // (restart.hpp) it sees EINTR. Called by `capture`. Empty: no such snapshot is exact.
  std::function<bool(const stack_snapshot&)> exact;

  // A thread that uses nearly a whole CPU is watched for this long before `capture` returns, so
  // that cpu_times::recent_percent tells a spinning thread from a short burst; one that never
  // waits, but has to share its CPU, for some times as long.
  std::chrono::milliseconds busy_window{50};
};

// Owns the capture signal: installs its handler, and puts back what was there when destroyed.
// Throws std::system_error that names the signal when somebody else handles it. One at a time in a
// process: std::logic_error for a second. Not synchronised: `capture` is called by one thread at a
// time (the reporter's strand).
class thread_capturer final {
 public:
  explicit thread_capturer(const thread_capture_settings& settings);
  ~thread_capturer();
  thread_capturer(const thread_capturer&) = delete;
  thread_capturer& operator=(const thread_capturer&) = delete;

  // One snapshot for each thread in /proc/self/task, the caller's included, in order of tid. The
  // stack copies stay valid until the next call. Never throws for what a thread does: see
  // `outcome`.
  [[nodiscard]] const std::vector<thread_snapshot>& capture();

  [[nodiscard]] int signal() const noexcept;  // -1 when none

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace gmr::capture
