// Lists the green threads of all registered schedulers, with copies of the stacks of fibers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "capture/snapshot.hpp"
#include "gmr/model/report.hpp"
#include "gmr/trace/scheduler.hpp"
#include "hook/operations/pending_operations.hpp"

namespace gmr::capture {

struct green_thread_capture_settings {
  std::size_t stack_bytes = 65536;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct captured_green_thread {
  green_thread_view view;
  // Of a suspended fiber, consistent. Null: it is running, or its frames are in `view.frames`.
  const stack_snapshot* copy = nullptr;
};

struct green_thread_capture_result {
  std::vector<finding> findings;              // schedulers with a problem
  std::vector<std::string> notes;             // schedulers that threw, what the deadline cut off
  std::vector<trace::context_load> contexts;  // of Asio, with gmr::trace_ops
  std::uint64_t contexts_at = 0;              // when that was: CLOCK_MONOTONIC in ns
  std::vector<trace::unowned_operation> operations;  // that no green thread waits for
};

// One capture of all green threads, in batches, so memory use does not grow with their number. As
// long as it exists no scheduler can be unregistered. Fibers that were resumed while being copied
// are tried again and, failing that, handed on as running. One at a time; not synchronised.
class green_thread_capture final {
 public:
  explicit green_thread_capture(const green_thread_capture_settings& settings);
  ~green_thread_capture();
  green_thread_capture(const green_thread_capture&) = delete;
  green_thread_capture& operator=(const green_thread_capture&) = delete;

  // Some green threads more; none when those were all. Each comes once. Valid until the next call.
  [[nodiscard]] std::span<const captured_green_thread> next();
  // What is to be said beside; once there are no more.
  [[nodiscard]] green_thread_capture_result finish();

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace gmr::capture
