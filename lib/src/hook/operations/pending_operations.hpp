// The operations that were under way at one moment: whose they are, and what each context of Asio
// has to do. Read while the program runs; see operation_record.hpp.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gmr/trace/scheduler.hpp"

namespace gmr::trace {

// What an execution context (an io_context, a thread_pool) has to do.
struct context_load {
  const void* context = nullptr;
  std::uint64_t queued = 0;    // complete, handler not begun
  std::uint64_t pending = 0;   // not complete
  std::uint64_t oldest = 0;    // when the first of the queued was complete, CLOCK_MONOTONIC ns
  std::vector<pid_t> threads;  // that run its handlers, in order
};

// An operation that no green thread waits for: a service in callback style has no others.
struct unowned_operation {
  const void* context = nullptr;
  waiting_operation operation;
  std::uint64_t begun = 0;  // CLOCK_MONOTONIC ns; 0 when unknown, as of timers
};

// A snapshot. What changed since is noticed: who went on has another state by then.
class pending_operations final {
 public:
  // Empty in programs without gmr::trace_ops. Asks the kernel which descriptors are ready, without
  // waiting for any. `now`: CLOCK_MONOTONIC ns.
  explicit pending_operations(std::uint64_t now);
  pending_operations(const pending_operations&) = delete;
  pending_operations& operator=(const pending_operations&) = delete;

  // What the green thread waits for, while its record has that state; what it waits for itself
  // before the timers that only limit the wait. Is remembered: see `unowned`.
  [[nodiscard]] std::span<const waiting_operation> of(const green_thread_view& view) const noexcept;

  // Those that `of` has not been asked for, without handlers that were only posted. To be asked for
  // once all green threads have been listed. `some_unlisted`: that was cut short, so that what a
  // green thread has begun may be waited for. In no order.
  [[nodiscard]] std::vector<unowned_operation> unowned(bool some_unlisted) const;

  // By address.
  [[nodiscard]] const std::vector<context_load>& contexts() const noexcept { return contexts_; }
  [[nodiscard]] bool empty() const noexcept { return operations_.empty(); }

 private:
  struct found;

  static std::vector<found> read_records(std::uint64_t now);
  static void note_times(found& each, std::uint64_t now) noexcept;
  static void ask_kernel(std::vector<found>& all, std::uint64_t now);
  void index(const std::vector<found>& all);
  void count(const std::vector<found>& all);

  // Those of one green thread are next to each other; the table finds the first of them.
  struct owned {
    const void* record = nullptr;
    std::uint64_t state = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    mutable bool is_waited_for = false;
  };
  [[nodiscard]] std::size_t home_of(const void* record) const noexcept;

  // What else is known of an operation.
  struct detail {
    const void* context = nullptr;
    std::uint64_t begun = 0;
    bool is_turn = false;  // only posted
  };
  void keep(const found& each);
  void add_unowned(std::vector<unowned_operation>& to, std::size_t at) const;

  std::vector<waiting_operation> operations_;  // begun by green threads, then all others
  std::vector<detail> details_;                // of each of them
  std::size_t owned_count_ = 0;
  std::vector<owned> table_;
  std::vector<context_load> contexts_;
};

}  // namespace gmr::trace
