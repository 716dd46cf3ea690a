// Takes the registers and stacks of all OS threads of this process.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "capture/snapshot.hpp"

namespace gmr::capture {

struct thread_capture_settings {
  int signal = 0;  // 0: the first free real-time signal; -1: never signal a thread
  std::size_t stack_bytes = 65536;
  std::chrono::milliseconds deadline{500};  // for all answers, from the last signal on

  // A thread that uses nearly a whole CPU is watched for this long before a capture is complete, so
  // that cpu_times::recent_percent tells a spinning thread from a short burst; one that never
  // waits, but has to share its CPU, for some times as long.
  std::chrono::milliseconds busy_window{50};
};

// Owns the capture signal: installs its handler, and puts back what was there when destroyed.
// Throws std::system_error that names the signal when somebody else handles it. One at a time in a
// process: std::logic_error for a second. Not synchronised: it is used by one thread at a time (the
// reporter's strand).
//
// A capture is a conversation, since only who unwinds stacks can tell whether a stack that was read
// without a signal is exact: whether it unwinds to its end although nothing but pc and sp is known.
//
//   const auto& threads = capturer.capture_first();
//   do {
//     // unwind each stack that `is_new`, and note whether it is exact
//   } while (capturer.capture_next(exact));
//
// A blocked thread whose stack is exact is left alone, and not even looked at again until it has
// run. One whose stack is not is signalled: in a call that the kernel does not restart after a
// handler (restart.hpp) it sees EINTR.
class thread_capturer final {
 public:
  explicit thread_capturer(const thread_capture_settings& settings);
  ~thread_capturer();
  thread_capturer(const thread_capturer&) = delete;
  thread_capturer& operator=(const thread_capturer&) = delete;

  // Begins a capture: one snapshot for each thread in /proc/self/task, the caller's included, in
  // order of tid. Reads the stacks of those that are blocked, and signals those that are not; not
  // yet of all where they are many. The snapshots and the copies in them stay valid until the next
  // capture begins, or `rest`. Never throws for what a thread does: see `outcome`.
  [[nodiscard]] const std::vector<thread_snapshot>& capture_first();

  // Goes on to the other threads, signals the blocked threads whose stacks are not exact, and waits
  // in the end for the answers of all. `exact` has one element for each snapshot; of those that are
  // new it says whether they are. False when the capture is complete, and nothing is new.
  [[nodiscard]] bool capture_next(const std::vector<bool>& exact);

  // What could not be learned in this capture, and why: one note for each kind of knowledge.
  [[nodiscard]] std::vector<std::string> notes() const;

  // Gives back the memory of copies that the next capture makes anew. Between two captures.
  void rest() noexcept;

  [[nodiscard]] int signal() const noexcept;  // -1 when none

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace gmr::capture
