// What the benchmarks of capturing threads share.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <functional>
#include <vector>

#include "capture/thread_capturer.hpp"

namespace thread_capture {

// Without the 50 ms for which a busy thread is watched.
[[nodiscard]] gmr::capture::thread_capture_settings without_watching();

// One capture, in which no stack that is read without a signal is exact.
void capture_all(gmr::capture::thread_capturer& capturer);

// Runs `there` on a thread of its own, with `bytes` of its stack in use.
void at_depth(std::size_t bytes, bool enrolled, const std::function<void()>& there);

// The peer: unwinding in the signal handler. Not safe, and here only because nothing throws or
// loads libraries.
struct walked {
  std::array<void*, 1024> frames;
  std::size_t count = 0;
};
void walk_here(walked& stack);
// Has each of them walk its own stack.
void walk_threads(const std::vector<pid_t>& threads);

}  // namespace thread_capture
