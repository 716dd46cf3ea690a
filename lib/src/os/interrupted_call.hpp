// The system call that a signal has interrupted, told by the registers that the handler was given.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "os/arch/machine.hpp"
#include "os/task_files.hpp"

namespace gmr::os {

// For where /proc does not tell. `registers` as arch::save_registers makes them, of a thread that
// slept when the signal was sent. A call that is restarted has its number and arguments there; of
// one that ends with EINTR the number is found in the code around, if at all. Nothing when the
// thread was in none, or when its arguments are lost.
[[nodiscard]] std::optional<blocked_syscall> interrupted_call(
    std::span<const std::uintptr_t, arch::register_count> registers) noexcept;

}  // namespace gmr::os
