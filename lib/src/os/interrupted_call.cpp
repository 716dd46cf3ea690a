#include "os/interrupted_call.hpp"

#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>

#include "os/memory.hpp"
#include "os/restarted_call.hpp"

namespace gmr::os {
namespace {

using register_values = std::span<const std::uintptr_t, arch::register_count>;

bool is_call_at(std::uintptr_t address) noexcept {
  std::array<std::byte, arch::call_bytes> code{};
  return read_memory(address, code) && arch::is_call(code);
}

blocked_syscall call_of(register_values registers, std::uintptr_t pc) noexcept {
  blocked_syscall call;
  for (std::size_t i = 0; i < call.arguments.size(); ++i)
    call.arguments[i] = registers[arch::call_arguments[i]];
  call.sp = registers[arch::sp_register];
  call.pc = pc;
  call.number = static_cast<long>(registers[arch::call_number]);
  return call;
}

bool is_number(long number) noexcept {
  constexpr long more_than_there_are = 1024;
  return number >= 0 && number < more_than_there_are;
}

long number_in_code(const blocked_syscall& call) noexcept {
  std::array<std::byte, arch::loading_call_bytes> code{};
  const bool is_loaded = read_memory(call.pc - code.size(), code);
  const long number = is_loaded ? arch::loaded_call(code) : -1;
  return number >= 0 ? number : find_restarted_call(call);
}

}  // namespace

std::optional<blocked_syscall> interrupted_call(register_values registers) noexcept {
  const std::uintptr_t pc = registers[arch::pc_register];
  if (is_call_at(pc)) {  // the kernel goes back to make it again
    blocked_syscall call = call_of(registers, pc + arch::call_bytes);
    if (call.number == SYS_restart_syscall) call.number = find_restarted_call(call);
    return is_number(call.number) ? std::optional{call} : std::nullopt;
  }
  // The result has taken the place of the number.
  const auto result = static_cast<long>(registers[arch::call_number]);
  if (!arch::keeps_arguments || result != -EINTR || !is_call_at(pc - arch::call_bytes))
    return std::nullopt;
  blocked_syscall call = call_of(registers, pc);
  call.number = number_in_code(call);
  return is_number(call.number) && call.number != SYS_restart_syscall ? std::optional{call}
                                                                      : std::nullopt;
}

}  // namespace gmr::os
