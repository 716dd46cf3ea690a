// Turns a stack into program counters without allocating: for the raw report. unwind/unwinder.hpp
// is for all others; it knows unusual frames, and says of a stack what is damaged.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "capture/capture_slot.hpp"
#include "os/bare_modules.hpp"
#include "unwind/unwinder.hpp"
#include "unwind/walk_state.hpp"

namespace gmr::unwind {

// Where the bytes of a stack are: in a slot that its thread has filled, or where they were while
// the thread is blocked or the fiber suspended. Never faults.
class bare_memory final {
 public:
  bare_memory() = default;
  explicit bare_memory(const capture::capture_slot& copy) noexcept : copy_(&copy) {}

  [[nodiscard]] bool read(std::uintptr_t address, std::span<std::byte> out) const noexcept;
  template <class T>
  [[nodiscard]] bool read_object(std::uintptr_t address, T& out) const noexcept {
    return read(address, std::as_writable_bytes(std::span{&out, 1}));
  }

 private:
  const capture::capture_slot* copy_ = nullptr;
};

enum class bare_end : std::uint8_t {
  outermost,         // complete
  limit,             // more frames than there is room for
  unknown_register,  // the caller is found by a register that nobody knows
  no_rules,          // none for this code
  unreadable,        // the stack goes on where memory can't be read
  damaged,           // what follows is no stack
};

// Frames of one stack, innermost first.
struct bare_stack {
  static constexpr std::size_t most_frames = 96;

  std::array<raw_frame, most_frames> frames;
  std::size_t count = 0;
  bare_end end = bare_end::no_rules;

  [[nodiscard]] std::span<const raw_frame> all() const noexcept { return {frames.data(), count}; }
};

// Walks from the registers of `from`, whose pc is that of the next instruction: of a fiber, which
// was suspended by a call, `begins_with_return`. Bounded, whatever the bytes say.
void walk_bare(const os::bare_modules& modules, const walk_state& from, bool begins_with_return,
               const bare_memory& memory, bare_stack& out) noexcept;

}  // namespace gmr::unwind
