/* Boost.Context's three entry points, as the program's own code calls them (x86-64, System V).
 *
 * A switch leaves the time and the registers that a call preserves in the record of the fiber it
 * leaves, calls Boost's original, and when that returns, perhaps much later and on another thread,
 * tells gmr_fiber_arrive which fiber runs now. The record's address lives in the frame across the
 * jump.
 *
 * Frame of both switches, from rsp when the original is called:
 *    0  function \ for gmr_fiber_ontop
 *    8  data     /
 *   16  the record of the fiber that is left
 *   24  where to, while the clock is asked
 */
#if defined(__x86_64__)
#include "trace/fiber_layout.h"

#if defined(GMR_FIBER_WRAP)
#define HOOK(name) __wrap_##name
#else
#define HOOK(name) name
#endif

  .text

/* Opens the frame and leaves the record of the running fiber in it and in rax, with the time; keeps
 * rdi, rsi, rdx. Asking the clock is a third of what a switch costs, and every other one leaves a
 * thread's own stack, which is no green thread that waits. */
.macro ENTER
  subq $40, %rsp
  .cfi_adjust_cfa_offset 40
  movq gmr_this_thread@gottpoff(%rip), %rax
  movq %fs:(%rax), %rax
  testq %rax, %rax
  jnz 1f
  call gmr_fiber_first_switch
1:
  leaq GMR_SLOT_OWN(%rax), %rcx
  movq GMR_SLOT_CURRENT(%rax), %rax
  movq %rax, 16(%rsp)
  cmpq %rcx, %rax
  je 2f
  movq %rdx, 0(%rsp)
  movq %rsi, 8(%rsp)
  movq %rdi, 24(%rsp)
  leaq GMR_RECORD_SUSPENDED_AT(%rax), %rsi
  movl $GMR_CLOCK, %edi
  call *gmr_fiber_clock(%rip)
  movq 0(%rsp), %rdx
  movq 8(%rsp), %rsi
  movq 16(%rsp), %rax
  movq 24(%rsp), %rdi
2:
.endm

/* With the frame complete: what the unwinder needs to start at `returned`. */
.macro SAVE_REGISTERS returned
  leaq \returned(%rip), %rcx
  movq %rcx, GMR_RECORD_REGISTERS+0(%rax)
  movq %rsp, GMR_RECORD_REGISTERS+8(%rax)
  movq %rbp, GMR_RECORD_REGISTERS+16(%rax)
  movq %rbx, GMR_RECORD_REGISTERS+24(%rax)
  movq %r12, GMR_RECORD_REGISTERS+32(%rax)
  movq %r13, GMR_RECORD_REGISTERS+40(%rax)
  movq %r14, GMR_RECORD_REGISTERS+48(%rax)
  movq %r15, GMR_RECORD_REGISTERS+56(%rax)
.endm

/* Without `ret`: the processor's stack of return addresses holds those of the other fiber, and a
 * wrong guess costs more than all the rest. (No note says that this code keeps shadow stacks, so
 * no program with it gets any; Boost's own jumps do not keep them either.) */
.macro ARRIVE_AND_RETURN
  movq %rax, %rdi
  movq %rdx, %rsi
  movq 16(%rsp), %rdx
  call gmr_fiber_arrive
  addq $40, %rsp
  .cfi_adjust_cfa_offset -40
  popq %rcx
  .cfi_adjust_cfa_offset -8
  .cfi_register rip, rcx
  jmp *%rcx
.endm

/* transfer_t jump_fcontext(to, data) */
  .globl HOOK(jump_fcontext)
  .type HOOK(jump_fcontext), @function
  .balign 16
HOOK(jump_fcontext):
  .cfi_startproc
  ENTER
  SAVE_REGISTERS .Ljump_returned
  call *gmr_original_jump(%rip)
.Ljump_returned:
  ARRIVE_AND_RETURN
  .cfi_endproc
  .size HOOK(jump_fcontext), .-HOOK(jump_fcontext)

/* transfer_t ontop_fcontext(to, data, function) */
  .globl HOOK(ontop_fcontext)
  .type HOOK(ontop_fcontext), @function
  .balign 16
HOOK(ontop_fcontext):
  .cfi_startproc
  ENTER
  movq %rdx, 0(%rsp)
  movq %rsi, 8(%rsp)
  SAVE_REGISTERS .Lontop_returned
  cmpq %rsi, GMR_RECORD_FIRST_DATA(%rax)
  jne .Lnot_the_end
  movl $GMR_STATE_ENDING, GMR_RECORD_STATE(%rax)
.Lnot_the_end:
  movq %rsp, %rsi
  leaq gmr_fiber_ontop(%rip), %rdx
  call *gmr_original_ontop(%rip)
.Lontop_returned:
  ARRIVE_AND_RETURN
  .cfi_endproc
  .size HOOK(ontop_fcontext), .-HOOK(ontop_fcontext)

/* Runs on the stack that ontop_fcontext went to, in the place of the function given to it:
 * transfer_t (from, frame of the switch). Arrives first, since the function may resume others,
 * free the stack that was left, or throw. The return address tells a fiber that waits in one of the
 * switches above, whose record is in its frame, from any other context. */
  .hidden gmr_fiber_ontop
  .globl gmr_fiber_ontop
  .type gmr_fiber_ontop, @function
  .balign 16
gmr_fiber_ontop:
  .cfi_startproc
  leaq .Ljump_returned(%rip), %rax
  cmpq %rax, (%rsp)
  je .Lknown
  leaq .Lontop_returned(%rip), %rax
  cmpq %rax, (%rsp)
  je .Lknown
  movq 0(%rsi), %rax
  movq 8(%rsi), %rsi
  jmp *%rax
.Lknown:
  movq 24(%rsp), %rdx
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  movq 0(%rsi), %rax
  movq 8(%rsi), %rsi
  movq %rax, 0(%rsp)
  call gmr_fiber_arrive
  movq %rax, %rdi
  movq %rdx, %rsi
  popq %rax
  .cfi_adjust_cfa_offset -8
  jmp *%rax
  .cfi_endproc
  .size gmr_fiber_ontop, .-gmr_fiber_ontop

/* fcontext_t make_fcontext(top of stack, size, function) */
  .globl HOOK(make_fcontext)
  .type HOOK(make_fcontext), @function
  .balign 16
HOOK(make_fcontext):
  .cfi_startproc
  jmp gmr_fiber_make
  .cfi_endproc
  .size HOOK(make_fcontext), .-HOOK(make_fcontext)

/* Where a fiber starts, with transfer_t in rdi, rsi: the outermost frame of its stack. */
  .hidden gmr_fiber_entry
  .globl gmr_fiber_entry
  .type gmr_fiber_entry, @function
  .balign 16
gmr_fiber_entry:
  .cfi_startproc
  .cfi_undefined rip
  movq %rdi, %rbx
  movq %rsi, %r12
  xorl %ebp, %ebp
  movq %rsp, %rdi
  subq $8, %rsp
  .cfi_adjust_cfa_offset 8
  call gmr_fiber_begin
  movq %rbx, %rdi
  movq %r12, %rsi
  call *%rax
  addq $8, %rsp
  .cfi_adjust_cfa_offset -8
  ret
  .cfi_endproc
  .size gmr_fiber_entry, .-gmr_fiber_entry

/* Enrols the thread: its slot in rax. Called from within a switch, keeps rdi, rsi, rdx. */
  .type gmr_fiber_first_switch, @function
  .balign 16
gmr_fiber_first_switch:
  .cfi_startproc
  subq $24, %rsp
  .cfi_adjust_cfa_offset 24
  movq %rdi, 0(%rsp)
  movq %rsi, 8(%rsp)
  movq %rdx, 16(%rsp)
  call gmr_fiber_enroll
  movq 0(%rsp), %rdi
  movq 8(%rsp), %rsi
  movq 16(%rsp), %rdx
  addq $24, %rsp
  .cfi_adjust_cfa_offset -24
  ret
  .cfi_endproc
  .size gmr_fiber_first_switch, .-gmr_fiber_first_switch
#endif

  .section .note.GNU-stack,"",@progbits
