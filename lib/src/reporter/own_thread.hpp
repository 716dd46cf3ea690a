// The reporter's own thread, "gmr-reporter". It runs the handlers of an event loop, and sleeps on a
// word in memory (os/bell.hpp) rather than in the loop, whose descriptors a program might close.
#pragma once

#include <atomic>
#include <chrono>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "trigger/duty.hpp"
#include "trigger/event_loop.hpp"

namespace gmr {

// All members are safe to call from any thread, except where something else is said.
class own_thread final {
 public:
  own_thread() = default;
  ~own_thread();  // as join
  own_thread(const own_thread&) = delete;
  own_thread& operator=(const own_thread&) = delete;

  // Signals that others send are blocked on the thread, so that the service's handlers never run on
  // it; `open_signals` (the reporter's own, which must have handlers by now; -1: none) are not.
  // Threads started from it inherit that. Once, by the thread that owns the object.
  void start(std::initializer_list<int> open_signals);
  // Finishes what runs. By the thread that owns the object.
  void join() noexcept;

  // Its handlers run on the thread.
  [[nodiscard]] event_loop& loop() noexcept { return loop_; }

  // Sees to it as long as somebody owns it.
  void add(const std::shared_ptr<duty>& given);

  // Whether it is the caller.
  [[nodiscard]] bool is_here() const noexcept {
    return std::this_thread::get_id() == id_.load(std::memory_order_relaxed);
  }

 private:
  void run() noexcept;
  [[nodiscard]] std::optional<duty::clock::time_point> attend_all() noexcept;
  [[nodiscard]] std::shared_ptr<duty> next_duty(std::size_t& at);

  bool poll_loop() noexcept;

  event_loop loop_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<duty>> duties_;
  std::atomic<bool> stopped_{false};
  std::atomic<std::thread::id> id_{};
  std::thread thread_;
};

}  // namespace gmr
