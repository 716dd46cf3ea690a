// How much of a fiber's stack has ever been used.
#pragma once

#include <cstdint>
#include <optional>

#include "gmr/trace/scheduler.hpp"

namespace gmr::analyse {

// Where the stack of a fiber lies, suspended or running; nothing when that is not known.
struct stack_bounds {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};
[[nodiscard]] std::optional<stack_bounds> bounds_of(const green_thread_view& view) noexcept;

// Bytes from `high` down to the lowest page in memory: the deepest use since the memory was mapped,
// in whole pages, by whoever had it. Asks the kernel, so that no page is touched or faulted in.
// Nothing when a part of the stack is not mapped any more, or it is larger than 16 MiB. Under a
// memory so short that pages were swapped out it may tell too little; where the kernel gives huge
// pages, too much.
[[nodiscard]] std::optional<std::uint64_t> high_water_bytes(std::uint64_t low,
                                                            std::uint64_t high) noexcept;

}  // namespace gmr::analyse
