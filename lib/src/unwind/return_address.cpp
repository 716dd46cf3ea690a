#include "unwind/return_address.hpp"

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <span>

#include "os/arch/machine.hpp"
#include "os/memory.hpp"

namespace gmr::unwind {
namespace {

// It is no symbol: one is made, which tells.
std::uintptr_t find_end_of_makecontext() noexcept {
  ucontext_t made{};
  alignas(16) std::array<std::uintptr_t, 256> stack{};
  if (::getcontext(&made) != 0) return 0;
  made.uc_stack.ss_sp = stack.data();
  made.uc_stack.ss_size = sizeof stack;
  made.uc_link = nullptr;
  ::makecontext(&made, [] {}, 0);
  std::uintptr_t end = os::arch::link_of(made);
  const std::uintptr_t on_stack = os::arch::address_of_return(made);
  return on_stack == 0 || os::read_object(on_stack, end) ? end : 0;
}

}  // namespace

std::uintptr_t end_of_makecontext() noexcept {
  static const std::uintptr_t end = find_end_of_makecontext();
  return end;
}

// The call may stand at the very start of what can be read: then what would be in front of it is
// taken for zeros, which end no call.
bool follows_call(std::uintptr_t address) noexcept {
  std::array<std::byte, os::arch::longest_call> code{};
  if (os::read_memory(address - code.size(), code)) return os::arch::ends_with_call(code);
  constexpr std::uintptr_t smallest_page = 4096;
  const std::size_t in_page = address % smallest_page;
  if (in_page >= code.size()) return false;
  return os::read_memory(address - in_page, std::span{code}.last(in_page)) &&
         os::arch::ends_with_call(code);
}

}  // namespace gmr::unwind
