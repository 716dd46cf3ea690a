// Lists the green threads of all registered schedulers, with copies of the stacks of fibers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "capture/snapshot.hpp"
#include "gmr/model/report.hpp"
#include "gmr/trace/scheduler.hpp"
#include "trace/pending_operations.hpp"

namespace gmr::capture {

// Receives green threads one by one; what it is given is valid during the call only.
class green_thread_consumer {
 public:
  // Running, or its frames are in `view.frames`.
  virtual void take(const green_thread_view& view) = 0;
  // A suspended fiber with a consistent copy of its stack.
  virtual void take(const green_thread_view& view, const stack_snapshot& copy) = 0;

 protected:
  ~green_thread_consumer() = default;
};

struct green_thread_capture_settings {
  std::size_t stack_bytes = 65536;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

struct green_thread_capture_result {
  std::vector<finding> findings;              // schedulers with a problem
  std::vector<std::string> notes;             // schedulers that threw, what the deadline cut off
  std::vector<trace::context_load> contexts;  // of Asio, with gmr::trace_ops
  std::uint64_t contexts_at = 0;              // when that was: CLOCK_MONOTONIC in ns
};

// Fibers that were resumed while being copied are tried again and, failing that, handed on as
// running. Called on one thread at a time. Stacks are copied and handed on in batches, so memory
// use does not grow with their number.
green_thread_capture_result capture_green_threads(const green_thread_capture_settings& settings,
                                                  green_thread_consumer& consumer);

}  // namespace gmr::capture
