/* Boost.Context's three entry points, as the program's own code calls them (arm64, AAPCS64).
 * The counterpart of fiber_switch_x86_64.S, which says what is done and why; here Boost's original is
 * always called.
 *
 * Frame of both switches, from sp when the original is called:
 *    0  x29, x30 of the caller
 *   16  the record of the fiber that is left
 *   24  where to, while the clock is asked
 *   32  function \ for gmr_fiber_ontop
 *   40  data     /
 */
#if defined(__aarch64__)
#include "hook/fiber/fiber_names.h"
#include "hook/fiber/fiber_layout.h"
#include "hook/fiber/fiber_switches.h"

  .text

/* Where a branch through a register may arrive, if the compiler is told to protect those branches. Boost's
 * switches go on by a return, which needs none. */
.macro LANDING_PAD
#if defined(__ARM_FEATURE_BTI_DEFAULT)
  hint #34 /* bti c */
#endif
.endm

/* In a copy of the library whose switches another copy does. */
.macro BY_HOOK_THAT_SERVES offset
  adrp x16, gmr_hook_that_serves
  add x16, x16, :lo12:gmr_hook_that_serves
  ldr x16, [x16, #\offset]
  cbz x16, 1f
  br x16
1:
.endm

/* Opens the frame and leaves the record of the running fiber in x9 and in the frame, with the time;
 * keeps x0 to x2. */
.macro ENTER
  stp x29, x30, [sp, #-64]!
  .cfi_def_cfa_offset 64
  .cfi_offset x29, -64
  .cfi_offset x30, -56
  mov x29, sp
  mrs x9, tpidr_el0
  adrp x10, :gottprel:gmr_this_thread
  ldr x10, [x10, :gottprel_lo12:gmr_this_thread]
  ldr x9, [x9, x10]
  cbnz x9, 1f
  bl gmr_fiber_first_switch
1:
  add x10, x9, #GMR_SLOT_OWN
  ldr x9, [x9, #GMR_SLOT_CURRENT]
  str x9, [sp, #16]
  cmp x9, x10
  b.eq 2f
  str x0, [sp, #24]
  stp x2, x1, [sp, #32]
  add x1, x9, #GMR_RECORD_SUSPENDED_AT
  mov w0, #GMR_CLOCK
  CALL_ORIGINAL gmr_fiber_clock
  ldp x9, x0, [sp, #16]
  ldp x2, x1, [sp, #32]
2:
.endm

.macro SAVE_REGISTERS returned
  adr x10, \returned
  mov x11, sp
  stp x10, x11, [x9, #GMR_RECORD_REGISTERS]
  stp x19, x20, [x9, #GMR_RECORD_REGISTERS+16]
  stp x21, x22, [x9, #GMR_RECORD_REGISTERS+32]
  stp x23, x24, [x9, #GMR_RECORD_REGISTERS+48]
  stp x25, x26, [x9, #GMR_RECORD_REGISTERS+64]
  stp x27, x28, [x9, #GMR_RECORD_REGISTERS+80]
  stp x29, x30, [x9, #GMR_RECORD_REGISTERS+96]
.endm

.macro CALL_ORIGINAL pointer
  adrp x10, \pointer
  ldr x10, [x10, :lo12:\pointer]
  blr x10
.endm

.macro ARRIVE_AND_RETURN
  ldr x2, [sp, #16]
  bl gmr_fiber_arrive
  ldp x29, x30, [sp], #64
  .cfi_restore x29
  .cfi_restore x30
  .cfi_def_cfa_offset 0
  ret
.endm

/* transfer_t jump_fcontext(to, data) */
  BEGIN_ENTRY GMR_JUMP, GMR_JUMP_CXX, gmr_hook_jump
  LANDING_PAD
  BY_HOOK_THAT_SERVES GMR_SWITCHES_JUMP
  ENTER
  SAVE_REGISTERS .Ljump_returned
  CALL_ORIGINAL gmr_original_jump
.Ljump_returned:
  ARRIVE_AND_RETURN
  END_ENTRY GMR_JUMP

/* transfer_t ontop_fcontext(to, data, function) */
  BEGIN_ENTRY GMR_ONTOP, GMR_ONTOP_CXX, gmr_hook_ontop
  LANDING_PAD
  BY_HOOK_THAT_SERVES GMR_SWITCHES_ONTOP
  ENTER
  stp x2, x1, [sp, #32]
  SAVE_REGISTERS .Lontop_returned
  ldr x10, [x9, #GMR_RECORD_FIRST_DATA]
  cmp x1, x10
  b.ne .Lnot_the_end
  mov w10, #GMR_STATE_ENDING
  str w10, [x9, #GMR_RECORD_STATE]
.Lnot_the_end:
  add x1, sp, #32
  adr x2, gmr_fiber_ontop
  CALL_ORIGINAL gmr_original_ontop
.Lontop_returned:
  ARRIVE_AND_RETURN
  END_ENTRY GMR_ONTOP

/* transfer_t (from, function and data of the switch), on the stack that is switched to; returns to who
 * called the switch that waits there */
  .hidden gmr_fiber_ontop
  .globl gmr_fiber_ontop
  .type gmr_fiber_ontop, %function
  .balign 16
gmr_fiber_ontop:
  .cfi_startproc
  LANDING_PAD
  ldp x16, x1, [x1]
  adr x11, .Ljump_returned
  cmp x30, x11
  b.eq .Lknown
  adr x11, .Lontop_returned
  cmp x30, x11
  b.eq .Lknown
  br x16
.Lknown:
  .cfi_def_cfa_offset 64
  .cfi_offset x29, -64
  .cfi_offset x30, -56
  ldr x2, [sp, #16]
  str x16, [sp, #32]
  bl gmr_fiber_arrive_by_ontop
  ldr x16, [sp, #32]
  ldp x29, x30, [sp], #64
  .cfi_restore x29
  .cfi_restore x30
  .cfi_def_cfa_offset 0
  br x16
  .cfi_endproc
  .size gmr_fiber_ontop, .-gmr_fiber_ontop

/* fcontext_t make_fcontext(top of stack, size, function) */
  BEGIN_ENTRY GMR_MAKE, GMR_MAKE_CXX, gmr_hook_make
  LANDING_PAD
  b gmr_fiber_make
  END_ENTRY GMR_MAKE

/* Where a fiber starts, with transfer_t in x0, x1: the outermost frame of its stack. */
  .hidden gmr_fiber_entry
  .globl gmr_fiber_entry
  .type gmr_fiber_entry, %function
  .balign 16
gmr_fiber_entry:
  .cfi_startproc
  LANDING_PAD
  .cfi_undefined x30
  mov x19, x0
  mov x20, x1
  mov x21, x30
  mov x29, xzr
  mov x0, sp
  bl gmr_fiber_begin
  mov x9, x0
  mov x0, x19
  mov x1, x20
  blr x9
  ret x21
  .cfi_endproc
  .size gmr_fiber_entry, .-gmr_fiber_entry

/* Enrols the thread: its slot in x9. Called from within a switch, keeps x0 to x2. */
  .type gmr_fiber_first_switch, %function
  .balign 16
gmr_fiber_first_switch:
  .cfi_startproc
  stp x29, x30, [sp, #-48]!
  .cfi_def_cfa_offset 48
  .cfi_offset x29, -48
  .cfi_offset x30, -40
  stp x0, x1, [sp, #16]
  str x2, [sp, #32]
  bl gmr_fiber_enroll
  mov x9, x0
  ldp x0, x1, [sp, #16]
  ldr x2, [sp, #32]
  ldp x29, x30, [sp], #48
  .cfi_restore x29
  .cfi_restore x30
  .cfi_def_cfa_offset 0
  ret
  .cfi_endproc
  .size gmr_fiber_first_switch, .-gmr_fiber_first_switch
#endif

#include "hook/fiber/fiber_marks.h"
