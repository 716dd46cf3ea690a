// arm64. What runs in signal handlers is inline: it must not be looked up there.
#pragma once

#include <elf.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

namespace gmr::os::arch {

// Registers as DWARF numbers them; the program counter follows the general ones.
inline constexpr unsigned register_count = 33;
inline constexpr unsigned sp_register = 31;
inline constexpr unsigned pc_register = 32;
inline constexpr unsigned frame_register = 29;
inline constexpr unsigned link_register = 30;

// What a call preserves.
inline constexpr std::array<std::uint8_t, 12> preserved_registers{19, 20, 21, 22, 23, 24,
                                                                  25, 26, 27, 28, 29, 30};

inline constexpr unsigned elf_machine = EM_AARCH64;
inline constexpr const char* name_of_kernels_clock = "__kernel_clock_gettime";

inline constexpr std::uintptr_t red_zone = 0;
inline constexpr std::uintptr_t largest_page = 65536;

// System calls that only some machines have: these are numbers that no call has.
enum own_calls : long {
  epoll_wait_call = -101,
  poll_call = -102,
  select_call = -103,
  pause_call = -104,
  vfork_call = -105,
};

// Where a signal interrupted a thread. Async-signal-safe.
inline std::uintptr_t pc_of(const ucontext_t& context) noexcept {
  return context.uc_mcontext.pc;
}
inline std::uintptr_t sp_of(const ucontext_t& context) noexcept {
  return context.uc_mcontext.sp;
}
[[gnu::always_inline]] inline void save_registers(std::span<std::uintptr_t, register_count> to,
                                                  const ucontext_t& context) noexcept {
  for (unsigned i = 0; i < sp_register; ++i)
    to[i] = context.uc_mcontext.regs[i];
  to[sp_register] = sp_of(context);
  to[pc_register] = pc_of(context);
}

// Where that is on the stack of a handler: after what the handler is told of the signal.
inline constexpr std::uintptr_t context_in_signal_frame = 128;

// The registers of a suspended fiber, which the public header names by machine.
template <class Saved>
void restore_registers(std::span<std::uintptr_t, register_count> to, const Saved& saved) noexcept {
  constexpr std::size_t first_saved = 19;
  std::copy(std::begin(saved.x19_to_x30), std::end(saved.x19_to_x30), to.begin() + first_saved);
  to[sp_register] = saved.sp;
  to[pc_register] = saved.pc;
}

// Not memcpy: sanitizers replace it, and would check what a live stack holds. Async-signal-safe.
inline void copy_live_bytes(std::byte* to, std::uintptr_t from, std::size_t size) noexcept {
  const auto* source = reinterpret_cast<const volatile std::byte*>(from);
  for (std::size_t i = 0; i < size; ++i)
    to[i] = source[i];
}

// Lets no later load be done before an earlier one. Not a fence of <atomic>: thread sanitizer knows
// none.
inline void order_loads() noexcept {
  asm volatile("dmb ishld" : : : "memory");
}

// Where a function that makecontext() has set up returns to is in its link register.
inline std::uintptr_t address_of_return(const ucontext_t&) noexcept {
  return 0;
}
inline std::uintptr_t link_of(const ucontext_t& made) noexcept {
  return made.uc_mcontext.regs[link_register];
}

// Functions may sign the address that they return to, in bits that no address of the program has.
inline constexpr bool signs_return_addresses = true;
inline constexpr std::uintptr_t without_signature(std::uintptr_t address) noexcept {
  constexpr std::uintptr_t address_bits = (std::uintptr_t{1} << 48) - 1;
  return address & address_bits;
}

// Nothing is looked at: any address may follow a call.
inline constexpr std::size_t longest_call = 0;
inline constexpr bool ends_with_call(std::span<const std::byte, longest_call>) noexcept {
  return true;
}

// Nothing is looked at: the number may be loaded anywhere before the call.
inline constexpr std::size_t loading_call_bytes = 0;
inline constexpr long loaded_call(std::span<const std::byte, loading_call_bytes>) noexcept {
  return -1;
}

// Where the arguments of a system call are, among the registers as DWARF numbers them.
inline constexpr std::array<std::uint8_t, 6> call_arguments{0, 1, 2, 3, 4, 5};
inline constexpr unsigned call_number = 8;
inline constexpr std::size_t call_bytes = 4;
inline constexpr bool keeps_arguments = false;  // the result is where the first one was
inline constexpr bool is_call(std::span<const std::byte, call_bytes> code) noexcept {
  constexpr std::array<unsigned, call_bytes> svc{0x01, 0x00, 0x00, 0xd4};
  return std::equal(svc.begin(), svc.end(), code.begin(), [](unsigned wanted, std::byte found) {
    return wanted == std::to_integer<unsigned>(found);
  });
}

inline constexpr bool is_kept_by_default(unsigned) noexcept {
  return false;
}

// The kernel has its own.
inline constexpr unsigned long restorer_flag = 0;
inline auto signal_restorer() noexcept -> void (*)() {
  return nullptr;
}

// A system call without errno, for a process that shares this one's memory, and with it the
// thread-local storage of the thread that started it: the result, or an errno below zero.
[[gnu::always_inline]] inline long raw_call(long number, long a = 0, long b = 0, long c = 0,
                                            long d = 0, long e = 0) noexcept {
  register long call asm("x8") = number;
  register long first asm("x0") = a;
  register long second asm("x1") = b;
  register long third asm("x2") = c;
  register long fourth asm("x3") = d;
  register long fifth asm("x4") = e;
  asm volatile("svc #0"
               : "+r"(first)
               : "r"(call), "r"(second), "r"(third), "r"(fourth), "r"(fifth)
               : "memory");
  return first;
}

}  // namespace gmr::os::arch
