#include "capture/slot_pool.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

#include "capture/capture_handler.hpp"

namespace gmr::capture {
namespace {

void* reserve(std::size_t bytes) noexcept {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

bool change_phase(capture_slot& slot, slot_phase from, slot_phase to) noexcept {
  const std::uint64_t ticket = __atomic_load_n(&slot.ticket, __ATOMIC_ACQUIRE);
  std::uint64_t expected = (ticket & ~slot_phase_mask) | from;
  return __atomic_compare_exchange_n(&slot.ticket, &expected, (ticket & ~slot_phase_mask) | to,
                                     false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

}  // namespace

void clear_result(capture_slot& slot) noexcept {
  static_cast<slot_result&>(slot) = {};
}

slot_pool& slot_pool::instance() {
  static auto* const pool = new slot_pool;
  return *pool;
}

capture_slot& slot_pool::at(std::uint32_t index) noexcept {
  return handler_table.chunks[index / slots_in_chunk][index % slots_in_chunk];
}

bool slot_pool::grow(std::size_t limit) {
  if (chunks_ == chunk_of_raw_report) return false;
  free_.reserve(std::size_t{chunks_ + 1} * slots_in_chunk);
  if (!map_chunk(chunks_, limit, slots_in_chunk)) return false;
  for (std::uint32_t i = slots_in_chunk; i-- > 0;)
    free_.push_back(chunks_ * slots_in_chunk + i);
  ++chunks_;
  return true;
}

bool slot_pool::map_chunk(std::uint32_t number, std::size_t limit, std::size_t count) noexcept {
  const std::size_t capacity = (limit + 4095) & ~std::size_t{4095};
  constexpr std::size_t slots_bytes = slots_in_chunk * sizeof(capture_slot);
  void* const slots = reserve(slots_bytes);
  if (slots == nullptr) return false;
  auto* const memory = static_cast<std::byte*>(reserve(count * capacity));
  if (memory == nullptr) {
    munmap(slots, slots_bytes);
    return false;
  }
  auto* const chunk = static_cast<capture_slot*>(slots);
  for (std::uint32_t i = 0; i < slots_in_chunk; ++i) {
    auto* const slot = new (chunk + i) capture_slot;
    if (i >= count) continue;  // has no memory, and is never used
    slot->memory = memory + i * capacity;
    slot->capacity = slot->limit = capacity;
  }
  __atomic_store_n(&handler_table.chunks[number], chunk, __ATOMIC_RELEASE);
  return true;
}

bool slot_pool::reserve_for_raw_report(std::size_t limit) {
  if (__atomic_load_n(&handler_table.chunks[chunk_of_raw_report], __ATOMIC_ACQUIRE) != nullptr)
    return true;
  return map_chunk(chunk_of_raw_report, limit, raw_slots);
}

std::optional<std::uint32_t> slot_pool::acquire(std::size_t limit) {
  auto found = free_.rend();
  const auto fits = [&](std::uint32_t index) { return at(index).capacity >= limit; };
  found = std::find_if(free_.rbegin(), free_.rend(), fits);
  if (found == free_.rend()) {
    if (!grow(limit)) return std::nullopt;
    found = free_.rbegin();
  }
  const std::uint32_t index = *found;
  free_.erase(std::next(found).base());
  clear_result(at(index));
  at(index).limit = limit;
  at(index).low = at(index).high = 0;
  return index;
}

void slot_pool::release(std::uint32_t index) {
  free_.push_back(index);
}

void slot_pool::give_back_memory() noexcept {
  for (const std::uint32_t index : free_)
    madvise(at(index).memory, at(index).capacity, MADV_DONTNEED);
}

std::uint64_t slot_pool::arm(std::uint32_t index, pid_t thread) noexcept {
  capture_slot& slot = at(index);
  __atomic_store_n(&slot.thread, thread, __ATOMIC_RELAXED);
  // The generation wraps after 2^32 uses of a slot, as the payload does.
  const std::uint64_t generation = ((slot.ticket >> slot_phase_bits) + 1) & 0xffffffffU;
  __atomic_store_n(&slot.ticket, generation << slot_phase_bits | slot_armed, __ATOMIC_RELEASE);
  return make_payload(index, static_cast<std::uint32_t>(generation));
}

void slot_pool::rearm(std::uint32_t index) noexcept {
  change_phase(at(index), slot_revoked, slot_armed);
}

slot_phase slot_pool::phase(std::uint32_t index) noexcept {
  return static_cast<slot_phase>(__atomic_load_n(&at(index).ticket, __ATOMIC_ACQUIRE) &
                                 slot_phase_mask);
}

bool slot_pool::revoke(std::uint32_t index) noexcept {
  return change_phase(at(index), slot_armed, slot_revoked);
}

void slot_pool::disarm(std::uint32_t index) noexcept {
  change_phase(at(index), slot_armed, slot_idle);
}

}  // namespace gmr::capture
