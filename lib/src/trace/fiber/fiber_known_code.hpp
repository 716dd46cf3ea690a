// Whether the assembly hook can do Boost's switches itself instead of calling them.
#pragma once

#include "trace/fiber/fiber_originals.hpp"

namespace gmr::trace {

// True when both are, byte for byte, what our own switches are written for: then contexts that one
// leaves can be gone to by the other. False for any other Boost, and where the code can't be read.
[[nodiscard]] bool knows_switches(jump_function jump, ontop_function ontop) noexcept;

}  // namespace gmr::trace
