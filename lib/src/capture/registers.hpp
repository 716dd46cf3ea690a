// Machine registers as CFI numbers them.
#pragma once

#include <array>
#include <cstdint>

#include "gmr/trace/scheduler.hpp"
#include "os/arch/machine.hpp"

namespace gmr::capture {

using os::arch::frame_register;
using os::arch::pc_register;
using os::arch::register_count;
using os::arch::sp_register;

// DWARF register numbers; the pc follows the general registers. Plain data, written in a signal
// handler.
struct register_set {
  std::array<std::uintptr_t, register_count> values{};

  [[nodiscard]] std::uintptr_t pc() const noexcept { return values[pc_register]; }
  [[nodiscard]] std::uintptr_t sp() const noexcept { return values[sp_register]; }
};

}  // namespace gmr::capture
