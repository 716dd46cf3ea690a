/* The names that Boost.Context's three functions are called by: C names in its headers up to 1.86; C++
 * names since 1.87, whose functions in the library jump to those with the C names, which are hidden in
 * it. The libraries of one program may have been built with different versions, so the hook answers to
 * both sets at once.
 *
 * For assembly and for C++. */
#pragma once

#define GMR_MAKE make_fcontext
#define GMR_JUMP jump_fcontext
#define GMR_ONTOP ontop_fcontext
#define GMR_MAKE_CXX _ZN5boost7context6detail13make_fcontextEPvmPFvNS1_10transfer_tEE
#define GMR_JUMP_CXX _ZN5boost7context6detail13jump_fcontextEPvS2_
#define GMR_ONTOP_CXX _ZN5boost7context6detail14ontop_fcontextEPvS2_PFNS1_10transfer_tES3_E

#if defined(__ASSEMBLER__)

.macro ALSO_NAMED name
  .globl \name
  .type \name, %function
  .size \name, 0
\name:
.endm

/* Begins one of the three functions. By `ours` the library itself reaches it, whatever comes before it in
 * the search order of the dynamic linker.
 *
 * Only `name` is given a size, by END_ENTRY, so that reports and debuggers call the frame by it. Where the
 * linker wraps Boost's functions it is a local name: outside of this file it is Boost's. */
.macro BEGIN_ENTRY name, name_cxx, ours
  .balign 16
#if defined(GMR_FIBER_WRAP)
  ALSO_NAMED __wrap_\name
  ALSO_NAMED __wrap_\name_cxx
#else
  .globl \name
  ALSO_NAMED \name_cxx
#endif
  .hidden \ours
  ALSO_NAMED \ours
  .type \name, %function
\name:
  .cfi_startproc
.endm

.macro END_ENTRY name
  .cfi_endproc
  .size \name, .-\name
.endm

#endif
