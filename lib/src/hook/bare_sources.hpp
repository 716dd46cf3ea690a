// Lists the green threads of our own schedulers without allocating and without a lock: for the raw
// report. hook/schedulers.hpp is for all others, which also have those of a service's own.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "gmr/trace/scheduler.hpp"
#include "hook/notes/green_thread_notes.hpp"

namespace gmr::trace {

// One green thread. Large: it is used again for each.
struct bare_green_thread {
  static constexpr std::size_t most_frames = 64;

  std::uint64_t id = 0;
  green_thread_kind kind = green_thread_kind::fiber;
  green_thread_state state = green_thread_state::suspended;
  std::uint64_t suspended_at = 0;  // CLOCK_MONOTONIC in ns; 0 when unknown
  pid_t thread = 0;                // that runs it; 0 when none
  green_thread_texts texts{};      // its name, and its labels

  // Of a suspended fiber: its stack, which is right as long as the counter has that value. It is
  // gone, and the fiber with it, where the marks do not hold.
  bool has_stack = false;
  machine_stack stack;
  const std::atomic<std::uint32_t>* sequence = nullptr;
  std::uint32_t sequence_seen = 0;

  // Of a coroutine, innermost first: what a std::source_location is. Its library may be gone.
  std::array<const void*, most_frames> locations{};
  std::size_t location_count = 0;
  bool has_more_frames = false;
};

// Where a listing goes on; what that means only the source knows. It begins with {}.
struct bare_place {
  std::uint32_t part = 0;
  std::uint32_t index = 0;
};

struct bare_source {
  const char* name;
  // The next green thread; false at the end.
  bool (*next)(bare_place& at, bare_green_thread& out) noexcept;
};

// `source` lives as long as the process. Safe to call from any thread, also during static
// initialisation.
void register_bare_source(const bare_source& source) noexcept;

// The registered ones, first to last; null is none. Async-signal-safe.
inline constexpr std::size_t most_bare_sources = 4;
[[nodiscard]] std::array<const bare_source*, most_bare_sources> bare_sources() noexcept;

}  // namespace gmr::trace
