// Where a thread that got the capture signal puts its registers and stack.
//
// Plain data, shared between the reporter and signal handlers, accessed with the __atomic builtins
// where both may touch it. Slots live in chunks that are never unmapped, so a signal that arrives
// late finds a slot whose ticket has moved on, and writes nowhere.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

#include "capture/registers.hpp"

namespace gmr::capture {

// The low bits of a ticket; the rest is a generation, one for each signal sent.
enum slot_phase : std::uint64_t {
  slot_idle = 0,     // no signal is under way
  slot_armed = 1,    // the thread may write
  slot_writing = 2,  // it does
  slot_done = 3,
  slot_revoked = 4,  // a signal is under way, but must not write any more
  slot_late = 5,     // it arrived after that
};
inline constexpr unsigned slot_phase_bits = 3;
inline constexpr std::uint64_t slot_phase_mask = (1U << slot_phase_bits) - 1;

struct slot_part {
  std::uintptr_t address = 0;  // in the process
  std::size_t offset = 0;      // in the slot's memory
  std::size_t size = 0;
};

// What a thread leaves for the reporter. Emptied as a whole, so that nothing of an earlier use is
// left, whatever is added to it.
struct slot_result {
  std::uintptr_t registers[register_count] = {};
  slot_part parts[2] = {};
  bool truncated = false;
  bool unreadable = false;
  bool no_room = false;         // the handler had too little stack for itself
  std::uint64_t runs = 0;       // id of the fiber that the thread was on, 0 when none
  std::size_t walked = 0;       // program counters in `memory` instead of a copy
  bool walk_broke_off = false;  // they end where nobody can tell the caller
};

struct capture_slot : slot_result {
  std::uint64_t ticket = 0;
  pid_t thread = 0;  // that it was armed for: a signal without a payload is told by that

  // Set by the reporter while no signal is under way.
  std::byte* memory = nullptr;
  std::size_t capacity = 0;
  std::size_t limit = 0;    // most bytes to copy, at most `capacity`
  std::uintptr_t low = 0;   // bounds of memory that is mapped while the handler's sp is inside:
  std::uintptr_t high = 0;  // there the copy is a plain one; 0 when not known
};

}  // namespace gmr::capture
