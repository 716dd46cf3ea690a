// Of libgmr.so alone. In a program that is not compiled for any address (-fno-pic, -fpie) the
// compiler takes variables of shared libraries to be the program's own, and the linker makes them
// so: it reserves room for a copy, which the dynamic linker fills once. The code of the program and
// of its other libraries uses the copy from then on, and this library goes on with its own. So what
// is written to those that headers read has to reach the copies.
#include <dlfcn.h>

#include <atomic>

#include "gmr/detail/hook/coroutine_node.hpp"
#include "hook/library_copies.hpp"

namespace gmr::trace {
namespace {

// Null where the program has no copy.
template <class Variable>
Variable* copied_into_program(const Variable& own, const char* name) noexcept {
  void* const found = dlsym(RTLD_DEFAULT, name);
  return found != &own ? static_cast<Variable*>(found) : nullptr;
}

// After the hook has been set up, which finds the clock: this unit is linked last.
[[gnu::constructor]] void keep_copies_up_to_date() noexcept {
  if (auto* const slots = copied_into_program(coroutine_slots, "_ZN3gmr5trace15coroutine_slotsE"))
    share_coroutine_range(*slots);
  if (auto* const clock = copied_into_program(coroutine_clock, "_ZN3gmr5trace15coroutine_clockE"))
    clock->store(coroutine_clock.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

}  // namespace
}  // namespace gmr::trace
