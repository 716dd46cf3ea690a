// Threads for tests: known by tid, stopped and joined when they go out of scope.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "capture/thread_capturer.hpp"
#include "os/task_files.hpp"

namespace gmr::capture::testing {

// Until `condition` holds; a failed test after 60 s.
template <class Condition>
void wait_until(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "condition never held";
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
}

// Runs `body` in a thread of its own. `stop` makes it return.
class test_thread {
 public:
  explicit test_thread(std::function<void()> body, std::function<void()> stop = {})
      : stop_(std::move(stop)), thread_([this, run = std::move(body)] {
          id_ = gettid();
          run();
        }) {
    while (id_ == 0)
      std::this_thread::yield();
  }
  ~test_thread() { join(); }
  test_thread(const test_thread&) = delete;
  test_thread& operator=(const test_thread&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  void join() {
    if (!thread_.joinable()) return;
    if (stop_) stop_();
    thread_.join();
  }
  // Until it is blocked in the system call.
  void wait_blocked_in(long number) const {
    os::task_files files;
    wait_until([&] {
      const auto blocked = files.blocked_in(id_);
      return blocked && blocked->number == number;
    });
  }

 private:
  std::atomic<pid_t> id_{0};
  std::function<void()> stop_;
  std::thread thread_;
};

// One capture of all threads. `is_exact` is asked about each stack that was read without a signal
// anew; without it none is exact.
template <class Judge>
const std::vector<thread_snapshot>& capture_all(thread_capturer& capturer, Judge is_exact) {
  const std::vector<thread_snapshot>& threads = capturer.capture_first();
  std::vector<bool> exact(threads.size());
  do {
    for (std::size_t i = 0; i < threads.size(); ++i)
      if (threads[i].is_new && !threads[i].is_unchanged && threads[i].stack.only_pc_and_sp)
        exact[i] = is_exact(threads[i].stack);
  } while (capturer.capture_next(exact));
  return threads;
}
inline const std::vector<thread_snapshot>& capture_all(thread_capturer& capturer) {
  return capture_all(capturer, [](const stack_snapshot&) { return false; });
}

inline const thread_snapshot* find(const std::vector<thread_snapshot>& threads, pid_t id) {
  const auto found = std::find_if(threads.begin(), threads.end(),
                                  [id](const thread_snapshot& each) { return each.id == id; });
  return found == threads.end() ? nullptr : &*found;
}

// Whether the copy holds the value, aligned as a local variable is.
inline bool holds(const stack_snapshot& stack, std::uint64_t value) {
  for (const stack_copy& part : stack.parts)
    for (std::size_t at = 0; at + sizeof value <= part.bytes.size(); at += sizeof value) {
      std::uint64_t word = 0;
      std::memcpy(&word, part.bytes.data() + at, sizeof word);
      if (word == value) return true;
    }
  return false;
}

// A pipe to block in.
struct pipe_ends {
  pipe_ends() { EXPECT_EQ(pipe(ends), 0); }
  ~pipe_ends() {
    close(ends[0]);
    close(ends[1]);
  }
  void write_byte() { EXPECT_EQ(write(ends[1], "x", 1), 1); }
  int ends[2] = {-1, -1};
};

// A value on the stack of whoever calls it, for as long as `body` runs.
template <class Body>
[[gnu::noinline]] void with_marker(std::uint64_t value, Body body) {
  alignas(16) volatile std::uint64_t marker[2] = {value, value};
  body();
  asm volatile("" : : "r"(marker) : "memory");
}

}  // namespace gmr::capture::testing
