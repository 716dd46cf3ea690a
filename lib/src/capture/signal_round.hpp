// Asks threads by signal to fill slots, and keeps account of the signals.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "capture/send_signal.hpp"
#include "capture/slot_pool.hpp"

namespace gmr::capture {

enum class answer { awaited, given, exited, none };

// One round of questions at a time: `begin`, `ask` each thread, `wait`, look at the answers. A
// thread that did not answer in time keeps its slot, revoked, until the signal has arrived; if it
// is still pending in a later round it serves that one, so that signals never pile up. Not
// synchronised.
class signal_round final {
 public:
  explicit signal_round(slot_pool& pool) : pool_(pool) {}
  ~signal_round();
  signal_round(const signal_round&) = delete;
  signal_round& operator=(const signal_round&) = delete;

  void begin();

  // On `sent` the slot is the round's to watch, and may have been exchanged for another one.
  // `is_pending`: whether a capture signal is pending in the thread.
  send_result ask(pid_t thread, int signal, bool is_pending, std::uint32_t& slot);
  // What the system said when the last signal was sent.
  [[nodiscard]] const send_answer& last_sent() const noexcept { return sent_; }

  // Until all have answered. Afterwards no thread writes to a slot, except one that never does:
  // the slot of an answer that is `none` is not the caller's any more.
  void wait(std::chrono::steady_clock::time_point deadline);

  [[nodiscard]] std::size_t size() const noexcept { return asked_.size(); }
  [[nodiscard]] answer answer_of(std::size_t index) const noexcept { return asked_[index].got; }

 private:
  struct question {
    pid_t thread = 0;
    std::uint32_t slot = 0;
    answer got = answer::awaited;
  };

  std::optional<std::uint32_t> take_unheard(pid_t thread, bool is_pending);
  [[nodiscard]] bool all_answered(bool look_for_exited);
  void give_up(question& open);

  slot_pool& pool_;
  send_answer sent_;
  std::vector<question> asked_;
  bool queue_was_full_ = false;                       // when the last one was asked
  std::unordered_map<pid_t, std::uint32_t> unheard_;  // slots whose signal has not arrived
  std::vector<std::uint32_t> stuck_;  // slots whose handler was stopped while it wrote
};

}  // namespace gmr::capture
