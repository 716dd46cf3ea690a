// What gmr::trace_ops keeps of every asynchronous operation that is under way, and the few stores
// of its hot path.
//
// A record lies in memory that is never unmapped and belongs to one operation from the moment it
// is started until its handler is about to run. Writer: the thread that has the operation; Asio
// hands it on with a happens-before. Reader: the reporter, at any moment. It keeps what it read
// only if `sequence` was odd and is unchanged afterwards; for that, a record changes its sequence
// before anything else, and every other store is a release. On x86-64 these are plain moves.
//
// Nothing here is for users: the names are stable only within one release.
#pragma once

#include "gmr/detail/language.hpp"

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "gmr/detail/hook/coroutine_node.hpp"

namespace gmr::trace {

// What has to happen before an operation is complete.
enum class operation_cause : std::uint32_t {
  turn,        // nothing: a handler that was posted
  descriptor,  // a socket or file becomes readable or writable
  timer,
  other,  // a signal, a name is resolved, a channel's other end
};

// What `when` holds of an operation that is no timer: one word, so that one store says both.
struct operation_time {
  static constexpr std::uint64_t complete = 1;  // the lowest bit

  static constexpr std::uint64_t begun_at(std::uint64_t now) noexcept { return now & ~complete; }
  static constexpr std::uint64_t complete_at(std::uint64_t now) noexcept { return now | complete; }
  static constexpr bool is_complete(std::uint64_t when) noexcept { return (when & complete) != 0; }
};

struct alignas(64) operation_record {
  std::atomic<std::uint32_t> sequence;  // odd: of an operation; even: free
  std::atomic<std::int32_t> descriptor;
  // The green thread that waits for it, as its source shows it (green_thread_view::record), and the
  // state of that when it began to; of a free record: the next free one.
  std::atomic<const void*> owner;
  std::atomic<std::uint64_t> owner_state;
  std::atomic<const void*> context;
  // CLOCK_MONOTONIC ns. Of a timer: when it expires, 0 if unknown or never. Of others: when it was
  // begun, or when it was complete; operation_time tells which.
  std::atomic<std::uint64_t> when;
  std::atomic<const char*> object;  // as Asio calls it: "socket", "deadline_timer"; a literal
  std::atomic<const char*> name;    // "async_receive"; a literal
  std::atomic<std::uint32_t> uses;  // of the descriptor, see descriptor_uses
  std::atomic<operation_cause> cause;
};
static_assert(sizeof(operation_record) == 64);

// Counts how often each descriptor was closed, or all its operations were cancelled: a record with
// another count has nothing to do with what the descriptor is now. Larger ones are not described.
inline constexpr std::size_t counted_descriptors = 1U << 17;
// Changes only while this module is initialised: before main, or in dlopen.
extern constinit std::atomic<std::uint32_t>* descriptor_uses;

// For whom operations are started now.
struct operation_owner {
  const void* record = nullptr;
  std::uint64_t state = 0;
};

// What the calling thread does with operations.
struct this_thread_operations {
  operation_record* free = nullptr;
  std::uint32_t free_count = 0;
  std::uint32_t most_free = 0;    // 0: not set up
  operation_owner owner;          // of the operation whose handler runs
  const void* context = nullptr;  // of that handler
};
[[gnu::tls_model(
    "initial-exec")]] extern constinit thread_local this_thread_operations this_thread_starts;

// The way to and from the stock that all threads share. Null when there is no memory.
[[nodiscard]] operation_record* take_common_operation_record() noexcept;
void put_common_operation_records(operation_record& one_more) noexcept;

// The calling thread runs handlers of `context` from now on.
void thread_serves(const void* context) noexcept;

inline operation_record* take_operation_record() noexcept {
  this_thread_operations& own = this_thread_starts;
  operation_record* const record = own.free;
  if (record == nullptr) [[unlikely]]
    return take_common_operation_record();
  own.free = static_cast<operation_record*>(
      const_cast<void*>(record->owner.load(std::memory_order_relaxed)));
  --own.free_count;
  return record;
}

inline void release_operation_record(operation_record& record) noexcept {
  record.sequence.store(record.sequence.load(std::memory_order_relaxed) + 1,
                        std::memory_order_release);
  this_thread_operations& own = this_thread_starts;
  if (own.free_count >= own.most_free) [[unlikely]]
    return put_common_operation_records(record);
  record.owner.store(own.free, std::memory_order_release);
  own.free = &record;
  ++own.free_count;
}

// Who waits for an operation that is started now: a fiber that was just left for it, a coroutine
// that awaits it, or whoever waits for the operation whose handler starts it. `by_fiber`: its
// handler may be one that resumes a fiber.
inline operation_owner present_owner(bool by_fiber) noexcept {
  const this_thread_coroutines& runs = this_thread_runs;
  if (by_fiber && runs.left_fiber != nullptr)
    return {runs.left_fiber, runs.left_fiber->load(std::memory_order_relaxed)};
  if (runs.initiating != nullptr)
    return {runs.initiating, runs.initiating->node.word.load(std::memory_order_relaxed)};
  return this_thread_starts.owner;
}

// While a handler runs: what it starts is started for the same green thread. Plain values and no
// list of scopes: a fiber may end a scope on another thread than it began it on.
class [[gnu::visibility("hidden")]] handler_scope final {
 public:
  handler_scope() noexcept = default;
  ~handler_scope() {
    if (!begun_) return;
    this_thread_starts.owner = owner_before_;
    this_thread_runs.initiating = initiating_before_;
    this_thread_runs.left_fiber = nullptr;
  }
  handler_scope(const handler_scope&) = delete;
  handler_scope& operator=(const handler_scope&) = delete;

  void begin(const operation_owner& owner, const void* context) noexcept {
    begun_ = true;
    owner_before_ = this_thread_starts.owner;
    initiating_before_ = this_thread_runs.initiating;
    this_thread_starts.owner = owner;
    this_thread_runs.initiating = nullptr;
    this_thread_runs.left_fiber = nullptr;
    if (this_thread_starts.context != context && context != nullptr) [[unlikely]]
      thread_serves(context);
  }

 private:
  bool begun_ = false;
  operation_owner owner_before_;
  coroutine_entry* initiating_before_ = nullptr;
};

}  // namespace gmr::trace
