// The records of all fibers. Lock-free; memory grows by chunks and is never given back.
#pragma once

#include <cstdint>

#include "trace/fiber_record.hpp"

namespace gmr::trace {

// A record in state `free`, with an odd sequence, that is the caller's alone. Null when there is
// no memory or there are too many.
[[nodiscard]] fiber_record* allocate_record() noexcept;

// Gives a record back; what readers have seen of it becomes invalid. Its only user calls this.
void release_record(fiber_record& record) noexcept;

// Remembers who owns the stack that ends at `high`, and returns who did before, as far as known:
// a live record with the same `high` has ended unnoticed. The memory is bounded and lossy.
fiber_record* exchange_stack_owner(std::uintptr_t high, fiber_record& owner) noexcept;

// How many there are, free ones included; and the one with this index, null while it is made.
[[nodiscard]] std::uint32_t record_count() noexcept;
[[nodiscard]] fiber_record* record_at(std::uint32_t index) noexcept;

}  // namespace gmr::trace
