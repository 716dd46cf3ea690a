/* Boost.Context's three entry points, as the program's own code calls them (x86-64, System V).
 *
 * A switch leaves the time and where its stack goes on in the record of the fiber it leaves, goes
 * over to the other stack, and tells the C++ part which fiber runs now. There are two ways:
 *
 * - Where Boost's switches are known, byte for byte (fiber_known_code.cpp), theirs is done here, by the
 *   macros of fiber_switch_x86_64.h.
 * - Otherwise, and at the first switch of a thread, Boost's original is called.
 *
 * A context that was left here, in either way, goes on at .Lreturned, with a frame on its stack that
 * fiber_switch_x86_64.h lays out.
 */
#if defined(__x86_64__)
#include "hook/fiber/fiber_names.h"
#include "hook/fiber/fiber_switch_x86_64.h"
#include "hook/fiber/fiber_switches.h"
#include "hook/fiber/fiber_layout.h"

  .text
  .hidden gmr_fiber_left_by_jump, gmr_fiber_left_by_ontop, gmr_fiber_returned
  .globl gmr_fiber_left_by_jump, gmr_fiber_left_by_ontop, gmr_fiber_returned

/* For a call of Boost's original: opens the frame and leaves the record of the running fiber in it
 * and in rax, with the time; keeps rdi, rsi, rdx. */
.macro OPEN_FRAME
  subq $FRAME_BYTES, %rsp
  .cfi_adjust_cfa_offset FRAME_BYTES
  movq gmr_this_thread@gottpoff(%rip), %rax
  movq %fs:(%rax), %rax
  testq %rax, %rax
  jnz 1f
  call gmr_fiber_first_switch
1:
  leaq GMR_SLOT_OWN(%rax), %rcx
  movq GMR_SLOT_CURRENT(%rax), %rax
  movq %rax, FRAME_RECORD(%rsp)
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
  movq 24(%rsp), %rdi
  movq FRAME_RECORD(%rsp), %rax
2:
.endm

/* With the frame complete: what the unwinder needs to start at \suspended, where the stack is as
 * here. */
.macro SAVE_REGISTERS suspended
  leaq \suspended(%rip), %rcx
  movq %rcx, GMR_RECORD_REGISTERS+0(%rax)
  movq %rsp, GMR_RECORD_REGISTERS+8(%rax)
  movq %rbp, GMR_RECORD_REGISTERS+16(%rax)
  movq %rbx, GMR_RECORD_REGISTERS+24(%rax)
  movq %r12, GMR_RECORD_REGISTERS+32(%rax)
  movq %r13, GMR_RECORD_REGISTERS+40(%rax)
  movq %r14, GMR_RECORD_REGISTERS+48(%rax)
  movq %r15, GMR_RECORD_REGISTERS+56(%rax)
\suspended:
.endm

/* Before anything else where gmr_this_thread is null, as it always is in such a copy. */
.macro BY_HOOK_THAT_SERVES offset
  movq gmr_hook_that_serves+\offset(%rip), %rax
  testq %rax, %rax
  jz 1f
  jmp *%rax
1:
.endm

/* Without `ret`: the processor's stack of return addresses holds those of the other fiber, and a
 * wrong guess costs more than all the rest. (No note says that this code keeps shadow stacks, so
 * no program with it gets any; Boost's own jumps do not keep them either.) */
.macro RETURN_FROM bytes
  addq $\bytes, %rsp
  .cfi_adjust_cfa_offset -\bytes
  popq %rcx
  .cfi_adjust_cfa_offset -8
  .cfi_register rip, rcx
  jmp *%rcx
.endm

/* transfer_t jump_fcontext(to, data) */
  BEGIN_ENTRY GMR_JUMP, GMR_JUMP_CXX, gmr_hook_jump
  LOOK_UP .Ljump_by_original
  LEAVE .Lleft_by_jump, gmr_fiber_left_by_jump
  CROSS .Ljump_to_foreign
  ARRIVE .Ljump_arrives_by_call, 0
  movq %r11, %rax
  movq %rsi, %rdx
  .cfi_remember_state
  REGISTERS_ARE_RESTORED
  RETURN_FROM OPEN_BYTES
.Ljump_arrives_by_call:
  .cfi_restore_state
  .cfi_remember_state
  ARRIVE_BY_CALL 0
  RETURN_FROM FRAME_BYTES
.Ljump_to_foreign:
  .cfi_restore_state
  CROSS_TO_FOREIGN
  movq CONTEXT_GOES_ON(%rsp), %r8
  addq $CONTEXT_BYTES, %rsp
  .cfi_def_cfa_offset 0
  .cfi_register rip, r8
  REGISTERS_ARE_RESTORED
  jmp *%r8
  .cfi_endproc
  .cfi_startproc
.Ljump_by_original:
  BY_HOOK_THAT_SERVES GMR_SWITCHES_JUMP
  OPEN_FRAME
  SAVE_REGISTERS .Ljump_by_original_left
  call *gmr_original_jump(%rip)
.Lreturned:
gmr_fiber_returned:
  movq %rax, %rdi
  movq %rdx, %rsi
  movq FRAME_RECORD(%rsp), %rdx
  call gmr_fiber_arrive
  RETURN_FROM FRAME_BYTES
  END_ENTRY GMR_JUMP

/* transfer_t ontop_fcontext(to, data, function). The function takes the place of the switch that
 * waits there: it returns to who called that. */
  BEGIN_ENTRY GMR_ONTOP, GMR_ONTOP_CXX, gmr_hook_ontop
  LOOK_UP .Lontop_by_original
  cmpq %rsi, GMR_RECORD_FIRST_DATA(%r8)
  jne .Lontop_is_not_the_end
  movl $GMR_STATE_ENDING, GMR_RECORD_STATE(%r8)
.Lontop_is_not_the_end:
  LEAVE .Lleft_by_ontop, gmr_fiber_left_by_ontop
  CROSS .Lontop_to_foreign
  ARRIVE .Lontop_arrives_by_call, GMR_BY_ONTOP
  movq %r11, %rdi
  addq $OPEN_BYTES, %rsp
  .cfi_remember_state
  .cfi_def_cfa_offset 8
  REGISTERS_ARE_RESTORED
  jmp *%rdx
.Lontop_arrives_by_call:
  .cfi_restore_state
  .cfi_remember_state
  movq %rdx, CONTEXT_BYTES(%rsp)
  ARRIVE_BY_CALL GMR_BY_ONTOP
  movq %rax, %rdi
  movq %rdx, %rsi
  movq 0(%rsp), %rax
  addq $FRAME_BYTES, %rsp
  .cfi_adjust_cfa_offset -FRAME_BYTES
  jmp *%rax
.Lontop_to_foreign:
  .cfi_restore_state
  CROSS_TO_FOREIGN
  addq $CONTEXT_GOES_ON, %rsp
  .cfi_def_cfa_offset 8
  REGISTERS_ARE_RESTORED
  jmp *%r8
  .cfi_endproc
  .cfi_startproc
.Lontop_by_original:
  BY_HOOK_THAT_SERVES GMR_SWITCHES_ONTOP
  OPEN_FRAME
  movq %rdx, 0(%rsp)
  movq %rsi, 8(%rsp)
  SAVE_REGISTERS .Lontop_by_original_left
  cmpq %rsi, GMR_RECORD_FIRST_DATA(%rax)
  jne .Lontop_by_original_is_not_the_end
  movl $GMR_STATE_ENDING, GMR_RECORD_STATE(%rax)
.Lontop_by_original_is_not_the_end:
  movq %rsp, %rsi
  leaq gmr_fiber_ontop(%rip), %rdx
  leaq .Lreturned(%rip), %rcx
  pushq %rcx
  .cfi_adjust_cfa_offset 8
  jmp *gmr_original_ontop(%rip)
  END_ENTRY GMR_ONTOP

/* Runs on the stack that Boost's ontop_fcontext went to, in the place of the function given to it:
 * transfer_t (from, frame of the switch). Arrives first, since the function may resume others,
 * free the stack that was left, or throw; it returns to who called the switch. The return address
 * tells a fiber that waits in one of the switches above, whose record is in its frame, from any other
 * context. */
  .hidden gmr_fiber_ontop
  .globl gmr_fiber_ontop
  .type gmr_fiber_ontop, @function
  .balign 16
gmr_fiber_ontop:
  .cfi_startproc
  leaq .Lreturned(%rip), %rax
  cmpq %rax, (%rsp)
  je .Lknown
  movq 0(%rsi), %rax
  movq 8(%rsi), %rsi
  jmp *%rax
.Lknown:
  addq $8, %rsp
  .cfi_def_cfa_offset FRAME_BYTES+8
  movq FRAME_RECORD(%rsp), %rdx
  movq 0(%rsi), %rax
  movq 8(%rsi), %rsi
  movq %rax, 0(%rsp)
  call gmr_fiber_arrive_by_ontop
  movq %rax, %rdi
  movq %rdx, %rsi
  movq 0(%rsp), %rax
  addq $FRAME_BYTES, %rsp
  .cfi_def_cfa_offset 8
  jmp *%rax
  .cfi_endproc
  .size gmr_fiber_ontop, .-gmr_fiber_ontop

/* fcontext_t make_fcontext(top of stack, size, function) */
  BEGIN_ENTRY GMR_MAKE, GMR_MAKE_CXX, gmr_hook_make
  jmp gmr_fiber_make
  END_ENTRY GMR_MAKE

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

#include "hook/fiber/fiber_marks.h"
