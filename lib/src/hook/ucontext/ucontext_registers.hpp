// The registers that an unwinder needs to begin in the function that asks.
#pragma once

#include "gmr/trace/scheduler.hpp"

namespace gmr::trace {

// The caller's frame must stay as it is until it is left for good: it must not end before.
[[gnu::always_inline]] inline void save_own_registers(machine_registers& to) noexcept {
#if defined(__x86_64__)
  asm volatile(
      "leaq 0f(%%rip), %%rax\n\t"
      "movq %%rax, 0(%0)\n\t"
      "movq %%rsp, 8(%0)\n\t"
      "movq %%rbp, 16(%0)\n\t"
      "movq %%rbx, 24(%0)\n\t"
      "movq %%r12, 32(%0)\n\t"
      "movq %%r13, 40(%0)\n\t"
      "movq %%r14, 48(%0)\n\t"
      "movq %%r15, 56(%0)\n"
      "0:"
      :
      : "r"(&to)
      : "rax", "memory");
#else
  asm volatile(
      "adr x9, 0f\n\t"
      "mov x10, sp\n\t"
      "stp x9, x10, [%0]\n\t"
      "stp x19, x20, [%0, #16]\n\t"
      "stp x21, x22, [%0, #32]\n\t"
      "stp x23, x24, [%0, #48]\n\t"
      "stp x25, x26, [%0, #64]\n\t"
      "stp x27, x28, [%0, #80]\n\t"
      "stp x29, x30, [%0, #96]\n"
      "0:"
      :
      : "r"(&to)
      : "x9", "x10", "memory");
#endif
}

}  // namespace gmr::trace
