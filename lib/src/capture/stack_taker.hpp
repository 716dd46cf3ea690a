// Takes the stack of one thread: from outside where that may do, by a signal where it does not.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "capture/capture_losses.hpp"
#include "capture/capture_policy.hpp"
#include "capture/cpu_time.hpp"
#include "capture/signal_round.hpp"
#include "capture/slot_pool.hpp"
#include "capture/snapshot.hpp"
#include "capture/stack_room.hpp"
#include "os/task_files.hpp"

namespace gmr::capture {

// What is known of a thread beside its snapshot while a capture is being made.
struct thread_work {
  std::optional<std::uint32_t> slot;
  std::optional<std::size_t> question;  // in the round of signals, until it is answered
  cpu_start before;
  std::optional<signal_ban> ban;
  bool call_is_secret = false;  // that it is blocked in: the file may not be read
  bool is_read = false;         // its stack was read without a signal; `conclude` is to come
  std::uint64_t copied_at = 0;  // CPU clock at which what was read was right
  std::uint64_t right_at = 0;   // the same of a stack that is exact; 0: there is none
  int looks = 0;                // how often it was looked at in this capture
};

// Not synchronised.
class stack_taker final {
 public:
  stack_taker(std::size_t stack_bytes, std::chrono::milliseconds deadline)
      : stack_bytes_(stack_bytes), deadline_(deadline) {}

  // Call first in each capture. `signal`: -1 when none may be sent.
  void begin(int signal);

  // Fills the snapshot of the thread whose id it has. Where the stack is read from outside, it is
  // new, and nothing else is done before `conclude`. Where it can't be, the thread is asked.
  void look(thread_snapshot& thread, thread_work& work);
  void look_anew(thread_snapshot& thread, thread_work& work);

  // Whoever has unwound the stack that was read says whether it is exact. When it is not, the
  // thread is asked, or looked at anew if it has run since.
  void conclude(thread_snapshot& thread, thread_work& work, bool exact);

  // Waits for all that were asked. What they answered is for `take_answer`.
  void wait(std::chrono::steady_clock::time_point end) { round_.wait(end); }
  void take_answer(thread_snapshot& thread, thread_work& work);

  void recycle(const thread_work& work);

  [[nodiscard]] os::task_files& files() noexcept { return files_; }
  // Of this capture.
  [[nodiscard]] const capture_losses& losses() const noexcept { return losses_; }

 private:
  [[nodiscard]] bool look_quietly(thread_snapshot& thread, thread_work& work);
  [[nodiscard]] std::optional<os::task_status> introduce_by_status(thread_snapshot& thread);
  void look_for_call(thread_snapshot& thread, thread_work& work);
  [[nodiscard]] std::optional<signal_ban> find_ban(const thread_snapshot& thread,
                                                   const thread_work& work,
                                                   const os::task_status& status);
  void look_closely(thread_snapshot& thread, thread_work& work, const os::task_status& status);
  void take_own_stack(thread_snapshot& thread, thread_work& work);
  [[nodiscard]] bool read_without_signal(thread_snapshot& thread, thread_work& work);
  void ask_instead(thread_snapshot& thread, thread_work& work);
  void ask(thread_snapshot& thread, thread_work& work, const os::task_status& status);
  [[nodiscard]] bool acquire_slot(thread_snapshot& thread, thread_work& work);
  void accept(thread_snapshot& thread, const thread_work& work);
  void give_up(thread_snapshot& thread);

  const std::size_t stack_bytes_;
  const std::chrono::milliseconds deadline_;
  slot_pool& pool_ = slot_pool::instance();
  signal_round round_{pool_};
  os::task_files files_;
  stack_bounds main_ = main_stack();
  int signal_ = -1;
  capture_losses losses_;
};

}  // namespace gmr::capture
