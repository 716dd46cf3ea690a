// Built without -g: names come from the symbol table.
#include "parking.hpp"

extern "C" void nasty_without_debug_information(void (*park)()) {
  volatile int local = 1;
  park();
  local = local + 1;
}

// Hand-written code that nobody annotated: only the frame pointer leads on.
asm(R"(
  .text
  .globl nasty_without_unwind_information
  .type nasty_without_unwind_information, @function
nasty_without_unwind_information:
  push %rbp
  mov %rsp, %rbp
  call *%rdi
  pop %rbp
  ret
  .size nasty_without_unwind_information, .-nasty_without_unwind_information
)");
