// What AddressSanitizer and ThreadSanitizer must be told of fibers. Debian's Boost.Context does not
// tell them, so without this every program with fibers on several threads fails under them.
//
// The hook itself is never instrumented and refers to the sanitizers weakly, so that one build of
// it serves programs with and without them.
#pragma once

#include "hook/fiber/fiber_record.hpp"
#include "hook/threads/thread_registry.hpp"

namespace gmr::trace {

[[nodiscard]] bool runs_under_sanitizer() noexcept;

// At make, before anything is written to the stack.
void sanitizers_made(fiber_record& fiber) noexcept;
// On the new stack, before instrumented code runs there. `left` may be ending.
void sanitizers_switched(fiber_record& left, fiber_record& current) noexcept;
// After the fiber has left its stack for the last time.
void sanitizers_ended(fiber_record& fiber) noexcept;

}  // namespace gmr::trace
