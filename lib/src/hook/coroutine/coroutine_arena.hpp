// Where coroutine frames live: slots of some size classes, in one reserved range of addresses.
//
// Memory once handed out stays readable for the life of the process, and a slot's node or entry
// stays at its place: the reporter may read through any pointer into the range, stale or not. Slots
// are reused for frames of their class. Frames at the bottom of a chain have spans of their own, so
// that a listing looks at nothing else.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>

#include "gmr/detail/hook/coroutine_node.hpp"

namespace gmr::trace {

enum slot_kind : std::size_t { frame_slots, entry_slots, slot_kinds };

constexpr std::size_t header_bytes(slot_kind kind) {
  return kind == entry_slots ? sizeof(coroutine_entry) : sizeof(coroutine_node);
}

// Size classes: multiples of 32 bytes up to 1 KiB, then four to each doubling.
inline constexpr std::size_t small_slot_step = 32;
inline constexpr std::size_t small_slot_classes = 33;
inline constexpr std::size_t largest_slot = std::size_t{1} << 28;
inline constexpr std::size_t slot_classes = small_slot_classes + 4 * 18;

constexpr std::size_t slot_class_of(std::size_t bytes) {
  if (bytes <= small_slot_step * (small_slot_classes - 1))
    return (bytes + small_slot_step - 1) / small_slot_step;
  const std::size_t last = bytes - 1;
  const auto width = static_cast<std::size_t>(std::bit_width(last));  // 11 for 1 KiB to 2 KiB
  return small_slot_classes + (width - 11) * 4 + (last >> (width - 3) & 3);
}

constexpr std::size_t slot_bytes(std::size_t slot_class) {
  if (slot_class < small_slot_classes) return slot_class * small_slot_step;
  const std::size_t large = slot_class - small_slot_classes;
  return (large % 4 + 5) << (large / 4 + 8);
}
static_assert(slot_bytes(slot_class_of(1025)) == 1280 && slot_bytes(slot_class_of(1281)) == 1536);
static_assert(slot_class_of(largest_slot) == slot_classes - 1);
static_assert(slot_bytes(slot_classes - 1) == largest_slot);

// Free slots, linked through their nodes.
struct slot_list {
  coroutine_node* head = nullptr;
  std::size_t count = 0;

  void push(coroutine_node* node) noexcept {
    node->caller.store(head, std::memory_order_release);
    head = node;
    ++count;
  }
  coroutine_node* pop() noexcept {
    coroutine_node* const node = head;
    if (node == nullptr) return nullptr;
    head = node->caller.load(std::memory_order_relaxed);
    --count;
    return node;
  }
};

// Consecutive slots of frames at the bottom of a chain. Each begins with its coroutine_entry.
struct entry_span {
  std::byte* first = nullptr;
  std::size_t slot_bytes = 0;
  std::atomic<std::uint32_t> used{0};  // slots that were ever given out, from the first on
};

// The range, and the stock of free slots common to all threads. Safe to use from any thread.
class coroutine_arena final {
 public:
  // Moves at most `wanted` free slots to `to`: none when the range is used up.
  void take(slot_kind kind, std::size_t slot_class, std::size_t wanted, slot_list& to) noexcept;
  // Moves at most `count` slots from `from`.
  void put(slot_kind kind, std::size_t slot_class, std::size_t count, slot_list& from) noexcept;

  // Writes the range to `other`, that of another copy of the library, as soon as it is reserved.
  void share_range(coroutine_range& other) noexcept;
  void stop_sharing(const coroutine_range& other) noexcept;

  // All spans so far; they only get more. Takes no lock.
  [[nodiscard]] std::span<entry_span> spans() noexcept;
  // Whether a slot was refused at some time. Takes no lock.
  [[nodiscard]] bool exhausted() const noexcept;

  // Bytes after the node that its frame may use; `node` is in the range. Takes no lock.
  [[nodiscard]] std::size_t frame_bytes(const coroutine_node* node) const noexcept;

  // Around a fork: the child must not inherit the lock from another thread.
  void lock() noexcept { mutex_.lock(); }
  void unlock() noexcept { mutex_.unlock(); }

 private:
  friend struct coroutine_debug_access;  // debugger_tables.hpp

  struct open_span {
    std::byte* next = nullptr;
    std::byte* end = nullptr;
    entry_span* listed = nullptr;
  };

  void carve(slot_kind kind, std::size_t slot_class, std::size_t wanted, slot_list& to) noexcept;
  bool open_new(slot_kind kind, std::size_t slot_class, open_span& open) noexcept;
  std::byte* commit(std::size_t size) noexcept;
  bool reserve() noexcept;

  static constexpr std::size_t most_shared = 64;

  std::mutex mutex_;
  std::array<std::array<slot_list, slot_classes>, slot_kinds> stock_;
  std::array<std::array<open_span, slot_classes>, slot_kinds> open_;
  std::byte* next_ = nullptr;
  std::byte* committed_ = nullptr;
  std::byte* end_ = nullptr;
  entry_span* spans_ = nullptr;
  std::atomic<std::uint8_t>* kinds_ = nullptr;          // what slots are in each part of the range
  std::array<coroutine_range*, most_shared> shared_{};  // until it is reserved
  std::atomic<std::uint32_t> span_count_{0};
  std::atomic<bool> exhausted_{false};
};

// The only one; never destroyed, as coroutines may outlive any static object.
extern constinit coroutine_arena all_coroutines;

}  // namespace gmr::trace
