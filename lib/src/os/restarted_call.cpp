#include "os/restarted_call.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>

#include <array>

#include "os/arch/machine.hpp"
#include "os/memory.hpp"

namespace gmr::os {
namespace {

// What the kernel restarts this way.
bool is_restarted(long number) noexcept {
  return number == SYS_futex || number == SYS_clock_nanosleep || number == SYS_nanosleep ||
         number == arch::poll_call;
}

bool may_be_pointer(std::uint64_t argument) noexcept {
  constexpr std::uint64_t first_page = 4096;
  return argument >= first_page && argument % alignof(std::uint32_t) == 0;
}

// Only waits with a time limit are restarted.
bool is_futex_wait(const std::array<std::uint64_t, 6>& arguments) noexcept {
  constexpr std::uint64_t flags = FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME;
  const std::uint64_t operation = arguments[1] & 0xffffffffU & ~flags;
  if (!may_be_pointer(arguments[0]) || !may_be_pointer(arguments[3])) return false;
  return operation == FUTEX_WAIT ||
         (operation == FUTEX_WAIT_BITSET && static_cast<std::uint32_t>(arguments[5]) == ~0U);
}

long by_arguments(const std::array<std::uint64_t, 6>& arguments) noexcept {
  constexpr std::uint64_t most_clocks = 16;
  if (arguments[0] < most_clocks && arguments[1] <= 1 && may_be_pointer(arguments[2]))
    return SYS_clock_nanosleep;
  if (is_futex_wait(arguments)) return SYS_futex;
  constexpr std::uint64_t most_descriptors = 1U << 20;
  if (may_be_pointer(arguments[0]) && arguments[1] > 0 && arguments[1] < most_descriptors &&
      static_cast<std::int32_t>(arguments[2]) > 0)
    return arch::poll_call;
  return SYS_restart_syscall;
}

}  // namespace

long find_restarted_call(const blocked_syscall& call) noexcept {
  std::array<std::byte, arch::loading_call_bytes> code{};
  if (read_memory(call.pc - code.size(), code)) {
    const long number = arch::loaded_call(code);
    if (is_restarted(number)) return number;
  }
  return by_arguments(call.arguments);
}

}  // namespace gmr::os
