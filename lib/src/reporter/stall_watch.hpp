// Sees that an event loop of the service's has stalled: it has something to run, and runs nothing.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hook/loops/event_loops.hpp"
#include "os/task_files.hpp"

namespace gmr {

// A thread of its own, "gmr-loops": it takes locks of the service's loops for a moment, which the
// threads that make reports never do. It puts a handler of ours, the probe, at the front of each
// known loop's queue, a few times a second, and sees how soon that runs.
//
// The time in which this thread itself was late does not count, nor does the time in which a loop's
// thread wanted a processor and got none: then it is the machine that stood still.
class stall_watch final {
 public:
  // Asks for a report; the cause without its kind. Called on the thread.
  using ask = std::function<void(std::string)>;

  // `longest`: how long a loop may run nothing, at least 0.1 s.
  stall_watch(std::chrono::milliseconds longest, ask ask_for_report);
  ~stall_watch();  // as stop
  stall_watch(const stall_watch&) = delete;
  stall_watch& operator=(const stall_watch&) = delete;

  // The thread takes `capture_signal` (-1: none), and no other that is sent.
  void start(int capture_signal);
  void stop() noexcept;

 private:
  using clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC
  using nanoseconds = std::chrono::nanoseconds;

  // What is known of the loop in one place of the table.
  struct watched {
    std::uint32_t serial = 0;  // of the loop
    std::uint64_t posted = 0;  // when its probe was
    std::uint64_t since = 0;   // since when that has been waiting for a thread in the loop
    std::optional<double> waited_before;  // for a processor, seconds, as of then
    std::uint64_t stalled = 0;            // since when it has been said to be; 0: it is not
    std::string title;
  };

  void run() noexcept;
  void say_once(std::string_view problem) noexcept;
  void look(std::uint64_t now);
  void look_at(trace::event_loop_record& loop, watched& known, std::uint64_t now);
  void goes_on(trace::event_loop_record& loop, watched& known, std::uint64_t delay);
  void wait_for(trace::event_loop_record& loop, watched& known, std::uint64_t now);
  void tell(trace::event_loop_record& loop, watched& known, pid_t thread, std::uint64_t now);
  void begin_anew(std::uint64_t now, nanoseconds late);
  [[nodiscard]] std::uint64_t waited_for_processor(const std::vector<pid_t>& threads,
                                                   watched& known);

  const nanoseconds longest_;
  const nanoseconds interval_;
  const ask ask_;
  os::task_files files_;
  std::array<watched, trace::most_event_loops> watched_;
  std::uint64_t anew_ = 0;  // since when this thread was in time
  std::string problem_;     // that was said last, and is not over
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace gmr
