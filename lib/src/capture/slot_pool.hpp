// The reporter's side of the slots.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "capture/capture_slot.hpp"

namespace gmr::capture {

// Hands out slots and their memory. The slots belong to the process and are never unmapped: one
// pool, not synchronised, used by the one thread_capturer. A slot whose signal is under way is not
// handed out again until the signal has arrived.
class slot_pool final {
 public:
  [[nodiscard]] static slot_pool& instance();

  // A slot with room for `limit` bytes, its result empty; nothing when memory can't be had.
  [[nodiscard]] std::optional<std::uint32_t> acquire(std::size_t limit);
  // Gives it back once no handler writes to it.
  void release(std::uint32_t index);
  // Makes the raw_slots slots from first_raw_slot on, which are never handed out: the watchdog uses
  // them when it writes the raw report, whatever the pool's user does. False when memory can't be
  // had.
  static bool reserve_for_raw_report(std::size_t limit);
  // Free slots keep the memory that they have used, until then.
  void give_back_memory() noexcept;

  [[nodiscard]] static capture_slot& at(std::uint32_t index) noexcept;

  // Lets the handler in `thread` write; returns the payload its signal must carry.
  static std::uint64_t arm(std::uint32_t index, pid_t thread) noexcept;
  // Lets the signal that is already under way write after all.
  static void rearm(std::uint32_t index) noexcept;
  [[nodiscard]] static slot_phase phase(std::uint32_t index) noexcept;
  // Forbids the write; false when the handler is done or just writing.
  static bool revoke(std::uint32_t index) noexcept;
  // The signal was never sent.
  static void disarm(std::uint32_t index) noexcept;

 private:
  slot_pool() = default;
  bool grow(std::size_t limit);
  // With memory for the first `count` slots.
  static bool map_chunk(std::uint32_t number, std::size_t limit, std::size_t count) noexcept;

  std::vector<std::uint32_t> free_;
  std::uint32_t chunks_ = 0;
};

// Empties the result of an earlier use.
void clear_result(capture_slot& slot) noexcept;

}  // namespace gmr::capture
