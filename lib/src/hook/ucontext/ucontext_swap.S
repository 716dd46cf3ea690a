/* int gmr_ucontext_swap(from, to, original): calls the C library's swapcontext. A context that was left here goes on at
 * gmr_ucontext_returned, which tells it from others: who arrives there says so himself. */
#if defined(__x86_64__)
  .text
  .hidden gmr_ucontext_swap, gmr_ucontext_returned
  .globl gmr_ucontext_swap, gmr_ucontext_returned
  .type gmr_ucontext_swap, @function
  .balign 16
gmr_ucontext_swap:
  .cfi_startproc
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  call *%rdx
gmr_ucontext_returned:
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
  .cfi_endproc
  .size gmr_ucontext_swap, .-gmr_ucontext_swap
#elif defined(__aarch64__)
  .text
  .hidden gmr_ucontext_swap, gmr_ucontext_returned
  .globl gmr_ucontext_swap, gmr_ucontext_returned
  .type gmr_ucontext_swap, %function
  .balign 16
gmr_ucontext_swap:
  .cfi_startproc
  hint #34 /* bti c */
  stp x29, x30, [sp, #-16]!
  .cfi_adjust_cfa_offset 16
  .cfi_rel_offset x29, 0
  .cfi_rel_offset x30, 8
  mov x29, sp
  blr x2
gmr_ucontext_returned:
  hint #36 /* bti j: the C library comes here by br */
  ldp x29, x30, [sp], #16
  .cfi_restore x29
  .cfi_restore x30
  .cfi_adjust_cfa_offset -16
  ret
  .cfi_endproc
  .size gmr_ucontext_swap, .-gmr_ucontext_swap
#endif

#include "hook/fiber/fiber_marks.h"
