/* The hook of another copy of this library, which does the switches of this one: see library_copies.hpp. For
 * assembly and for C++. */
#pragma once

/* Offsets in gmr_hook_that_serves, of pointers that are null where this copy's hook does all itself. */
#define GMR_SWITCHES_MAKE 0
#define GMR_SWITCHES_JUMP 8
#define GMR_SWITCHES_ONTOP 16

#if !defined(__ASSEMBLER__)
#include <cstddef>

namespace gmr::trace {

// Functions of Boost.Context's types; called as they are, by the assembly hook.
struct fiber_switches {
  void (*make)();
  void (*jump)();
  void (*ontop)();
};
static_assert(offsetof(fiber_switches, make) == GMR_SWITCHES_MAKE);
static_assert(offsetof(fiber_switches, jump) == GMR_SWITCHES_JUMP);
static_assert(offsetof(fiber_switches, ontop) == GMR_SWITCHES_ONTOP);

}  // namespace gmr::trace

extern "C" [[gnu::visibility("hidden")]] gmr::trace::fiber_switches gmr_hook_that_serves;
#endif
