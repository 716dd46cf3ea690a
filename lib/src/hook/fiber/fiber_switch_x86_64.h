/* Boost's switch done in place, in macros for fiber_switch_x86_64.S (x86-64, System V). Contexts have
 * Boost's layout, so that either switch can go to what the other has left. Done so it needs neither a
 * call nor a second copy of the registers, and the words that control floating point, which are slow
 * to load, are loaded only when they differ.
 *
 * From the stack pointer of a context that was left:
 *    0  mxcsr, x87 control word         \
 *   16  r12, r13, r14, r15, rbx, rbp     | as Boost has it
 *   64  where it goes on: .Lreturned    /
 *   72  function \ for gmr_fiber_ontop, where Boost's original is called
 *   80  data     /
 *   88  the record of the fiber that was left
 *   96  where to, while the clock is asked
 *  112  return address of the switch
 *
 * Registers, throughout a switch: rdi where to, rsi data, rdx function, rcx the thread's slot, r8 the
 * record of what is left.
 */
#pragma once

#include "hook/fiber/fiber_layout.h"

#define CONTEXT_BYTES 72
#define CONTEXT_GOES_ON GMR_CONTEXT_GOES_ON
#define FRAME_BYTES 40
#define FRAME_RECORD 16
#define OPEN_BYTES (CONTEXT_BYTES + FRAME_BYTES)

/* The thread's slot in rcx and the record of the running fiber in r8; or else by Boost's original. */
.macro LOOK_UP otherwise
  movq gmr_this_thread@gottpoff(%rip), %rax
  movq %fs:(%rax), %rcx
  testq %rcx, %rcx
  jz \otherwise
  cmpb $0, gmr_fiber_switches_are_known(%rip)
  je \otherwise
  movq GMR_SLOT_CURRENT(%rcx), %r8
.endm

.macro REGISTERS_ARE_SAVED
  .cfi_rel_offset r12, 16
  .cfi_rel_offset r13, 24
  .cfi_rel_offset r14, 32
  .cfi_rel_offset r15, 40
  .cfi_rel_offset rbx, 48
  .cfi_rel_offset rbp, 56
.endm

.macro REGISTERS_ARE_RESTORED
  .cfi_restore r12
  .cfi_restore r13
  .cfi_restore r14
  .cfi_restore r15
  .cfi_restore rbx
  .cfi_restore rbp
.endm

/* Leaves a context in the stack, and in the record what the unwinder needs to start at \suspended:
 * the other registers it finds in the context. Leaves .Lreturned in r10; keeps rdi, rsi, rdx, rcx, r8.
 *
 * Asking the clock is a third of what a switch costs, and every other one leaves a thread's own
 * stack, which is no green thread that waits. */
.macro LEAVE suspended, known_as
  subq $OPEN_BYTES, %rsp
  .cfi_adjust_cfa_offset OPEN_BYTES
  leaq .Lreturned(%rip), %r10
  movq %r10, CONTEXT_GOES_ON(%rsp)
  movq %r8, CONTEXT_BYTES+FRAME_RECORD(%rsp)
  stmxcsr 0(%rsp)
  fnstcw 4(%rsp)
  movq %r12, 16(%rsp)
  movq %r13, 24(%rsp)
  movq %r14, 32(%rsp)
  movq %r15, 40(%rsp)
  movq %rbx, 48(%rsp)
  movq %rbp, 56(%rsp)
  REGISTERS_ARE_SAVED
  leaq \suspended(%rip), %rax
  movq %rax, GMR_RECORD_REGISTERS+0(%r8)
  movq %rsp, GMR_RECORD_REGISTERS+8(%r8)
  movq %rbp, GMR_RECORD_REGISTERS+16(%r8)
  leaq GMR_SLOT_OWN(%rcx), %rax
  cmpq %rax, %r8
  je \suspended
  movq %rdi, %r12
  movq %rsi, %r13
  movq %r8, %r14
  movq %rcx, %r15
  pushq %rdx
  .cfi_adjust_cfa_offset 8
  leaq GMR_RECORD_SUSPENDED_AT(%r8), %rsi
  movl $GMR_CLOCK, %edi
  call *gmr_fiber_clock(%rip)
  movq %r12, %rdi
  movq %r13, %rsi
  movq %r14, %r8
  movq %r15, %rcx
  popq %rdx
  .cfi_adjust_cfa_offset -8
  leaq .Lreturned(%rip), %r10
\suspended:
\known_as:
.endm

.macro RESTORE_REGISTERS
  movq 16(%rsp), %r12
  movq 24(%rsp), %r13
  movq 32(%rsp), %r14
  movq 40(%rsp), %r15
  movq 48(%rsp), %rbx
  movq 56(%rsp), %rbp
.endm

/* On to a context that was left here. In r11 the one that is left. */
.macro CROSS foreign
  cmpq %r10, CONTEXT_GOES_ON(%rdi)
  jne \foreign
  movl 0(%rsp), %eax
  cmpl 0(%rdi), %eax
  jne 1f
  movzwl 4(%rsp), %eax
  cmpw 4(%rdi), %ax
  je 2f
1:
  ldmxcsr 0(%rdi)
  fldcw 4(%rdi)
2:
  movq %rsp, %r11
  movq %rdi, %rsp
  RESTORE_REGISTERS
.endm

/* What gmr_fiber_switched does, and says why; called, it costs more than what it does. What is rare is
 * left to it. */
.macro ARRIVE by_call, how
  cmpb $0, gmr_fiber_under_sanitizer(%rip)
  jne \by_call
  cmpl $GMR_STATE_ENDING, GMR_RECORD_STATE(%r8)
  je \by_call
  movq CONTEXT_BYTES+FRAME_RECORD(%rsp), %r9
  cmpq %r9, %r8
  je \by_call
  movq %rcx, GMR_RECORD_RUNNER(%r9)
  movl GMR_RECORD_SEQUENCE(%r9), %eax
  orl $1, %eax
  addl $2, %eax
  movl %eax, GMR_RECORD_SEQUENCE(%r9)
  movq GMR_RECORD_RESUMED_BY(%r8), %rax
  andq $~GMR_BY_ONTOP, %rax
  cmpq GMR_RECORD_REFERENCE(%r9), %rax
  je 1f
  movq GMR_RECORD_REFERENCE(%r8), %rax
  .if \how
  orq $\how, %rax
  .endif
  movq %rax, GMR_RECORD_RESUMED_BY(%r9)
  leaq gmr_fiber_nobody(%rip), %r10
  jmp 2f
1:
  movq $0, GMR_RECORD_RESUMED_BY(%r8)
  leaq GMR_RECORD_SEQUENCE(%r8), %r10
2:
  movq GMR_THIS_THREAD_RUNS@gottpoff(%rip), %rax
  movq %r10, %fs:GMR_LEFT_FIBER(%rax)
  movq %r9, GMR_SLOT_CURRENT(%rcx)
  incl GMR_RECORD_SEQUENCE(%r8)
.endm

/* The same by calling it: a transfer_t in rax, rdx. */
.macro ARRIVE_BY_CALL how
  addq $CONTEXT_BYTES, %rsp
  .cfi_def_cfa_offset FRAME_BYTES+8
  REGISTERS_ARE_RESTORED
  movq %r11, %rdi
  movq FRAME_RECORD(%rsp), %rdx
  movl $\how, %r9d
  call gmr_fiber_switched
.endm

/* On to any other context, as Boost does it: rdi and rax from where, rdx and rsi with what, and r8
 * what was in rdx. */
.macro CROSS_TO_FOREIGN
  movq %rdx, %r8
  ldmxcsr 0(%rdi)
  fldcw 4(%rdi)
  movq %rsp, %rax
  movq %rdi, %rsp
  .cfi_def_cfa_offset CONTEXT_BYTES
  REGISTERS_ARE_SAVED
  RESTORE_REGISTERS
  movq %rax, %rdi
  movq %rsi, %rdx
.endm
