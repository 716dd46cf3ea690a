// Tells return addresses from other words of a stack.
#pragma once

#include <cstdint>

namespace gmr::unwind {

// Whether a call ends before `address`: only then does anything return there. Always true on arm64.
[[nodiscard]] bool follows_call(std::uintptr_t address) noexcept;

// Where functions that makecontext() starts return to, although nothing is called there; 0:
// nowhere.
[[nodiscard]] std::uintptr_t end_of_makecontext() noexcept;

}  // namespace gmr::unwind
