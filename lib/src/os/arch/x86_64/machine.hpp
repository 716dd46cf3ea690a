// x86-64. What runs in signal handlers is inline: it must not be looked up there.
#pragma once

#include <elf.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gmr::os::arch {

// Registers as DWARF numbers them; the program counter follows the general ones.
inline constexpr unsigned register_count = 17;
inline constexpr unsigned sp_register = 7;
inline constexpr unsigned pc_register = 16;
inline constexpr unsigned frame_register = 6;
inline constexpr unsigned link_register = register_count;  // none: a call leaves it on the stack

// What a call preserves.
inline constexpr std::array<std::uint8_t, 6> preserved_registers{3, 6, 12, 13, 14, 15};

inline constexpr unsigned elf_machine = EM_X86_64;
inline constexpr const char* name_of_kernels_clock = "__vdso_clock_gettime";

// Leaf functions keep data below the stack pointer.
inline constexpr std::uintptr_t red_zone = 128;
inline constexpr std::uintptr_t largest_page = 4096;

// System calls that only some machines have: elsewhere these are numbers that no call has.
enum own_calls : long {
  epoll_wait_call = SYS_epoll_wait,
  poll_call = SYS_poll,
  select_call = SYS_select,
  pause_call = SYS_pause,
  vfork_call = SYS_vfork,
};

// Where a signal interrupted a thread. Async-signal-safe.
inline std::uintptr_t pc_of(const ucontext_t& context) noexcept {
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
}
inline std::uintptr_t sp_of(const ucontext_t& context) noexcept {
  return static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RSP]);
}
[[gnu::always_inline]] inline void save_registers(std::span<std::uintptr_t, register_count> to,
                                                  const ucontext_t& context) noexcept {
  constexpr int order[register_count] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI,
                                         REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                         REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (unsigned i = 0; i < register_count; ++i)
    to[i] = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[order[i]]);
}

// Where that is on the stack of a handler, above the address that the handler returns to.
inline constexpr std::uintptr_t context_in_signal_frame = 0;

// The registers of a suspended fiber, which the public header names by machine.
template <class Saved>
void restore_registers(std::span<std::uintptr_t, register_count> to, const Saved& saved) noexcept {
  to[3] = saved.rbx;
  to[frame_register] = saved.rbp;
  to[12] = saved.r12;
  to[13] = saved.r13;
  to[14] = saved.r14;
  to[15] = saved.r15;
  to[sp_register] = saved.sp;
  to[pc_register] = saved.pc;
}

// Not memcpy: sanitizers replace it, and would check what a live stack holds. Async-signal-safe.
inline void copy_live_bytes(std::byte* to, std::uintptr_t from, std::size_t size) noexcept {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

// Lets no later load be done before an earlier one. Not a fence of <atomic>: thread sanitizer knows
// none.
inline void order_loads() noexcept {
  asm volatile("" : : : "memory");
}

// Where a function that makecontext() has set up returns to lies on its stack; 0: it is `link`.
inline std::uintptr_t address_of_return(const ucontext_t& made) noexcept {
  return sp_of(made);
}
inline std::uintptr_t link_of(const ucontext_t&) noexcept {
  return 0;
}

inline constexpr bool signs_return_addresses = false;
inline constexpr std::uintptr_t without_signature(std::uintptr_t address) noexcept {
  return address;
}

// How many bytes before an address have to be looked at to tell whether a call ends there.
inline constexpr std::size_t longest_call = 7;
[[nodiscard]] bool ends_with_call(std::span<const std::byte, longest_call> code) noexcept;

// How many bytes there are of an instruction that loads the number of a system call, and of the
// system call that follows; and the number that code ending with one loads, -1 where it does not.
inline constexpr std::size_t loading_call_bytes = 7;
[[nodiscard]] long loaded_call(std::span<const std::byte, loading_call_bytes> code) noexcept;

// Where the arguments of a system call are, among the registers as DWARF numbers them.
inline constexpr std::array<std::uint8_t, 6> call_arguments{5, 4, 1, 10, 8, 9};
inline constexpr unsigned call_number = 0;  // and the result afterwards
inline constexpr std::size_t call_bytes = 2;
inline constexpr bool keeps_arguments = true;  // once there is a result
[[nodiscard]] bool is_call(std::span<const std::byte, call_bytes> code) noexcept;

// libdw 0.188 knows that calls preserve all registers that CFI does not mention, but has the number
// of rax for rbx.
inline constexpr bool is_kept_by_default(unsigned number) noexcept {
  constexpr unsigned rbx = 3;
  return number == rbx;
}

// Returns from a signal handler, so that debuggers and unwinders know the frame for what it is.
inline constexpr unsigned long restorer_flag = 0x04000000;
[[nodiscard]] auto signal_restorer() noexcept -> void (*)();

// A system call without errno, for a process that shares this one's memory, and with it the
// thread-local storage of the thread that started it: the result, or an errno below zero.
[[gnu::always_inline]] inline long raw_call(long number, long a = 0, long b = 0, long c = 0,
                                            long d = 0, long e = 0) noexcept {
  long result = 0;
  register long fourth asm("r10") = d;
  register long fifth asm("r8") = e;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
               : "rcx", "r11", "memory");
  return result;
}

}  // namespace gmr::os::arch
