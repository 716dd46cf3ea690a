// Whether memory that came from malloc has been given back, although it can still be read.
#pragma once

#include <cstdint>

#include "gmr/trace/scheduler.hpp"

namespace gmr::capture {

// True when `block`, which the GNU C library's malloc returned, is in use no more: the header
// before it does not have the `size` of then, or the one behind it says so. False, too, of one that
// became a part of memory behind all blocks. Any address may be given; takes no lock.
[[nodiscard]] bool is_freed_block(std::uintptr_t block, std::uintptr_t size) noexcept;

// Whether what is in the place of a suspended fiber's stack now is something else, or nothing, by
// its marks and its block. Memory must be readable. Takes no lock and allocates nothing.
[[nodiscard]] bool is_stack_gone(const machine_stack& stack) noexcept;

}  // namespace gmr::capture
