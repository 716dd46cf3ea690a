// What the fiber hook knows of the thread that is being captured.
#pragma once

#include <cstdint>

#include "capture/capture_slot.hpp"

namespace gmr::capture {

// Sets the slot's stack bounds and the fiber from the thread's entry in the registry, where `sp`
// agrees with it: in the middle of a switch it does not. Async-signal-safe; on the thread itself.
void find_current_stack(capture_slot& slot, std::uintptr_t sp) noexcept;

}  // namespace gmr::capture
