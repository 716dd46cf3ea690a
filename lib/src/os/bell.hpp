// Wakes the library's threads, from signal handlers too, by a word in memory: there is no
// descriptor that the program could close or have for another file.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace gmr::os {

// Wakes all that wait. Async-signal-safe; errno may change.
void ring_bell() noexcept;

// How often it has rung. Look at it first, then at what there may be to do, then wait.
[[nodiscard]] std::uint32_t bell_count() noexcept;

// Returns once it has rung since it was `seen`, or at that time; sometimes for no reason. Takes no
// lock and allocates nothing.
void wait_for_bell(std::uint32_t seen,
                   std::optional<std::chrono::steady_clock::time_point> until) noexcept;

}  // namespace gmr::os
