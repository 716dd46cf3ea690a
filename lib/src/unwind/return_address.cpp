#include "unwind/return_address.hpp"

#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "unwind/process_memory.hpp"

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
#if defined(__x86_64__)
  std::uintptr_t end = 0;
  const auto top = static_cast<std::uintptr_t>(made.uc_mcontext.gregs[REG_RSP]);
  return read_object(top, end) ? end : 0;
#else
  return made.uc_mcontext.regs[30];
#endif
}

}  // namespace

std::uintptr_t end_of_makecontext() noexcept {
  static const std::uintptr_t end = find_end_of_makecontext();
  return end;
}

#if defined(__x86_64__)
bool follows_call(std::uintptr_t address) noexcept {
  std::array<std::byte, 7> bytes{};
  if (!read_memory(address - bytes.size(), bytes)) return false;
  const auto before = [&](std::size_t distance) {
    return std::to_integer<unsigned>(bytes[bytes.size() - distance]);
  };
  constexpr unsigned direct = 0xe8;
  constexpr unsigned indirect = 0xff;  // with 2 in the middle of the next byte, and 0 to 5 more
  constexpr std::array<std::size_t, 5> sizes{2, 3, 4, 6, 7};
  return before(5) == direct || std::any_of(sizes.begin(), sizes.end(), [&](std::size_t size) {
           return before(size) == indirect && (before(size - 1) >> 3U & 7U) == 2;
         });
}
#else
bool follows_call(std::uintptr_t) noexcept {
  return true;
}
#endif

}  // namespace gmr::unwind
