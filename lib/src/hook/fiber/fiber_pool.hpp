// The records of all fibers. Lock-free; memory grows by chunks and is never given back.
#pragma once

#include <cstdint>

#include "hook/fiber/fiber_record.hpp"

namespace gmr::trace {

// The records, in chunks made one after the other, and how many were ever given out; for
// debuggers, see debugger_tables.hpp.
inline constexpr std::uint32_t records_a_chunk = 1024;
inline constexpr std::uint32_t fiber_chunk_count = 16384;
extern constinit std::atomic<fiber_record*> fiber_chunks[fiber_chunk_count];
extern constinit std::atomic<std::uint32_t> used_fiber_records;

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
