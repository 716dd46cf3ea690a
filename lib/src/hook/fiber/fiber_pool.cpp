// See fiber_pool.hpp. The free list is a Treiber stack of numbers with a tag against ABA; reading
// `next_free` of a record that somebody else has just taken is harmless, for it stays mapped.
#include "hook/fiber/fiber_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "hook/notes/green_thread_notes.hpp"

namespace gmr::trace {

constinit std::atomic<fiber_record*> fiber_chunks[fiber_chunk_count];
constinit std::atomic<std::uint32_t> used_fiber_records{0};

namespace {

constexpr std::size_t stack_owner_count = 65536;

constinit std::atomic<std::uint64_t> free_records{0};  // tag << 32 | number
constinit std::atomic<std::uint32_t> stack_owners[stack_owner_count];

fiber_record* chunk_at(std::uint32_t index) noexcept {
  fiber_record* chunk = fiber_chunks[index].load(std::memory_order_acquire);
  if (chunk != nullptr) return chunk;
  constexpr std::size_t size = records_a_chunk * sizeof(fiber_record);
  void* const mapping =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  auto* const made = static_cast<fiber_record*>(mapping);  // zeros are free records
  if (fiber_chunks[index].compare_exchange_strong(chunk, made)) return made;
  munmap(mapping, size);
  return chunk;
}

fiber_record* take_free() noexcept {
  std::uint64_t head = free_records.load(std::memory_order_acquire);
  while (static_cast<std::uint32_t>(head) != 0) {
    fiber_record* const record = record_at(static_cast<std::uint32_t>(head) - 1);
    const std::uint64_t next =
        ((head >> 32) + 1) << 32 | record->next_free.load(std::memory_order_relaxed);
    if (free_records.compare_exchange_weak(head, next, std::memory_order_acquire)) return record;
  }
  return nullptr;
}

fiber_record* take_unused() noexcept {
  std::uint32_t index = used_fiber_records.load(std::memory_order_relaxed);
  do {
    if (index >= records_a_chunk * fiber_chunk_count) return nullptr;
    if (chunk_at(index / records_a_chunk) == nullptr) return nullptr;
  } while (!used_fiber_records.compare_exchange_weak(index, index + 1, std::memory_order_release));
  fiber_record* const record = record_at(index);
  record->number = index + 1;
  return record;
}

}  // namespace

fiber_record* allocate_record() noexcept {
  fiber_record* record = take_free();
  if (record == nullptr) record = take_unused();
  if (record != nullptr) record->begin_change();
  return record;
}

void release_record(fiber_record& record) noexcept {
  record.state.store(fiber_state::free, std::memory_order_relaxed);
  record.begin_change();
  if (green_thread_notes* const notes = record.notes.load(std::memory_order_relaxed)) {
    record.notes.store(nullptr, std::memory_order_relaxed);
    release_notes(*notes);
  }
  std::uint64_t head = free_records.load(std::memory_order_relaxed);
  std::uint64_t wanted = 0;
  do {
    record.next_free.store(static_cast<std::uint32_t>(head), std::memory_order_relaxed);
    wanted = ((head >> 32) + 1) << 32 | record.number;
  } while (!free_records.compare_exchange_weak(head, wanted, std::memory_order_release,
                                               std::memory_order_relaxed));
}

fiber_record* exchange_stack_owner(std::uintptr_t high, fiber_record& owner) noexcept {
  // Stacks are pages apart, or a malloc header; multiply to spread what little varies.
  const std::size_t place = (high * 0x9E3779B97F4A7C15u) >> 48;
  const std::uint32_t before = stack_owners[place].exchange(owner.number);
  if (before == 0 || before == owner.number) return nullptr;
  fiber_record* const record = record_at(before - 1);
  const bool same_stack =
      record->state.load(std::memory_order_relaxed) == fiber_state::suspendable &&
      record->high.load(std::memory_order_relaxed) == high;
  return same_stack ? record : nullptr;
}

std::uint32_t record_count() noexcept {
  return used_fiber_records.load(std::memory_order_acquire);
}

fiber_record* record_at(std::uint32_t index) noexcept {
  fiber_record* const chunk = fiber_chunks[index / records_a_chunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : chunk + index % records_a_chunk;
}

}  // namespace gmr::trace
