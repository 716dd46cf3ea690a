// What needs no walk, the same for every backend.
#pragma once

#include <utility>

#include "unwind/unwinder.hpp"

namespace gmr::unwind {

// Empties a stack, and keeps its memory.
inline void clear(raw_stack& stack) noexcept {
  raw_stack empty;
  empty.frames.swap(stack.frames);
  empty.note.swap(stack.note);
  empty.frames.clear();
  empty.note.clear();
  stack = std::move(empty);
}

// Clears `out`; true when that or the snapshot's own program counters were all there is to do.
[[nodiscard]] inline bool take_walked(const capture::stack_snapshot& snapshot, raw_stack& out) {
  clear(out);
  if (!snapshot.walked.empty()) {
    out.truncated = snapshot.truncated || snapshot.walk_broke_off;
    if (snapshot.walk_broke_off) out.note = "the caller of the last frame is not known";
    for (const std::uintptr_t pc : snapshot.walked)
      if (pc != 0) out.frames.push_back({pc, !out.frames.empty()});  // 0: some end with it
    return true;
  }
  if (snapshot.registers.pc() != 0 || !snapshot.parts[0].bytes.empty()) return false;
  out.note = "no stack was captured";
  return true;
}

}  // namespace gmr::unwind
