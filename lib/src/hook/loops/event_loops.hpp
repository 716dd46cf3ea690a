// The event loops of Asio (io_context, thread_pool) that are known: those that have run a traced
// coroutine or fiber, and those that the service has given to reporter::watch. A fixed table in
// static storage; what is in it is read at any moment.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gmr/detail/hook/coroutine_node.hpp"  // note_event_loop

namespace boost::asio {
class execution_context;
}

namespace gmr::trace {

inline constexpr std::size_t most_event_loops = 128;
inline constexpr std::size_t most_loop_threads = 32;
inline constexpr std::size_t longest_loop_name = 64;

// A thread that has run handlers of the loop.
struct loop_thread {
  std::atomic<pid_t> tid{0};  // 0: none
  // Asio's note, on that thread's stack, that it runs the loop.
  std::atomic<std::uintptr_t> entry{0};
  std::atomic<std::uint64_t> seen{0};  // CLOCK_MONOTONIC ns
};

// Written by the threads that run the loop, by the thread that watches loops, and by whoever adds
// and removes it. Times are CLOCK_MONOTONIC in ns.
struct event_loop_record {
  std::atomic<void*> scheduler{nullptr};  // Asio's, as its thread_context; null: there is no loop
  std::atomic<const void*> context{nullptr};
  std::atomic<std::uint32_t> serial{0};    // another for the next loop in this place
  std::atomic<bool> has_ended{false};      // the loop has; its probe is not back yet
  std::atomic<bool> is_traced{false};      // it has run a green thread
  std::atomic<std::uint32_t> watchers{0};  // so many times the service has asked for it
  std::atomic<bool> is_measured{false};    // a probe was posted at least once
  std::atomic<std::uint64_t> posted{0};    // when the probe was that has not run; 0: none is there
  std::atomic<std::uint64_t> delay{0};     // of the last probe that has run
  std::atomic<std::uint64_t> worst{0};     // of all
  std::atomic<std::uint64_t> stalled{0};   // since when the loop is; 0: it is not
  std::atomic<std::uint32_t> queued{0};    // handlers, when the last probe was posted
  std::array<loop_thread, most_loop_threads> threads;
  std::array<std::atomic<char>, longest_loop_name> name{};
};

// What is kept beside the table.
struct event_loop_notes {
  std::atomic<std::uint32_t> changes{0};  // how many loops have come or gone
  // The machine, or this process, stood still: the thread that watches loops woke up so much later.
  std::atomic<std::uint64_t> standstills{0};
  std::atomic<std::uint64_t> last_standstill{0};  // when it was over, CLOCK_MONOTONIC ns; 0: never
  std::atomic<std::uint64_t> last_lasted{0};      // ns
};

// One loop as it was at one moment.
struct event_loop_state {
  std::string name;  // empty: the service has given none
  const void* context = nullptr;
  std::vector<pid_t> threads;  // that run it, the last one seen first
  bool is_measured = false;
  std::uint64_t delay = 0;  // ns that its probe has been waiting for
  std::uint64_t worst = 0;
  std::uint64_t stalled = 0;  // since when; 0: it is not
  std::uint32_t queued = 0;
};

// The calling thread is the library's own: the loops that it runs are not the service's.
void ignore_loops_of_this_thread() noexcept;

// The record of a loop, made when missing; null when there is no room or no memory. `scheduler` is
// Asio's, as its thread_context. The caller sees to it that the loop does not end meanwhile.
[[nodiscard]] event_loop_record* add_event_loop(void* scheduler) noexcept;

// The same for the loop that the context is; null, too, when it is none: not an io_context, a
// thread_pool or the like. Throws what Asio throws.
[[nodiscard]] event_loop_record* event_loop_of(boost::asio::execution_context& context);

// Posts the loop's probe, before all other handlers. False where it can't be posted now: it is
// there already, the loop has stopped or ended, or its lock is not free; and ever where it has no
// lock. `now`: CLOCK_MONOTONIC ns. Waits for the lock of this table, and never for one of the
// loop's. For one thread.
bool post_probe(event_loop_record& loop, std::uint64_t now) noexcept;

[[nodiscard]] event_loop_record& event_loop_at(std::size_t index) noexcept;
[[nodiscard]] event_loop_notes& notes_of_event_loops() noexcept;

// All that have not ended.
[[nodiscard]] std::vector<event_loop_state> event_loop_states(std::uint64_t now);
// The threads that run the loop, the last one seen first. Those that have left it are left out, as
// far as can be seen.
[[nodiscard]] std::vector<pid_t> threads_of(const event_loop_record& loop);

[[nodiscard]] std::string name_of(const event_loop_record& loop);
void set_name(event_loop_record& loop, std::string_view name) noexcept;

// The calling thread runs a handler of the loop.
void note_loop_thread(event_loop_record& loop, std::uint64_t now) noexcept;

}  // namespace gmr::trace
