// Whether the assembly hook can do Boost's switches itself instead of calling them.
#pragma once

#include "hook/fiber/fiber_originals.hpp"

namespace gmr::trace {

// True when both are, byte for byte, what our own switches are written for, or only jump to it:
// then contexts that one leaves can be gone to by the other. False for any other code, and where it
// can't be read. Makes no system call.
[[nodiscard]] bool knows_switches(jump_function jump, ontop_function ontop) noexcept;

}  // namespace gmr::trace
