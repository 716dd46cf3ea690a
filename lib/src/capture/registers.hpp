// Machine registers as CFI numbers them.
#pragma once

#include <array>
#include <cstdint>

#include "gmr/trace/scheduler.hpp"

namespace gmr::capture {

#if defined(__x86_64__)
inline constexpr unsigned register_count = 17;
inline constexpr unsigned sp_register = 7;
inline constexpr unsigned pc_register = 16;
inline constexpr unsigned frame_register = 6;
#else
inline constexpr unsigned register_count = 33;
inline constexpr unsigned sp_register = 31;
inline constexpr unsigned pc_register = 32;
inline constexpr unsigned frame_register = 29;
#endif

// DWARF register numbers; the pc follows the general registers. Plain data, written in a signal
// handler.
struct register_set {
  std::array<std::uintptr_t, register_count> values{};

  [[nodiscard]] std::uintptr_t pc() const noexcept { return values[pc_register]; }
  [[nodiscard]] std::uintptr_t sp() const noexcept { return values[sp_register]; }
};

}  // namespace gmr::capture
