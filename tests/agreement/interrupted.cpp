// The trap flag makes the processor raise SIGTRAP after each instruction; the handler parks the
// thread at the chosen one. So signal frames lie above code that stands anywhere.
#include <sys/auxv.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string>

#include "parking.hpp"

namespace nasty {
namespace {

constexpr unsigned long long trap_flag = 0x100;

struct target {
  int instructions = 0;  // of those between `begin` and `end`, counted from 1
  std::uintptr_t begin = 0;
  std::uintptr_t end = UINTPTR_MAX;
};
thread_local target wanted;

void on_trap(int, siginfo_t*, void* context) {
  const auto pc = static_cast<std::uintptr_t>(
      static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
  if (pc < wanted.begin || pc >= wanted.end || --wanted.instructions != 0) return;
  read_for_ever();
}

__attribute__((noinline)) void step_through(void (*code)()) {
  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | trap_flag);
  code();
  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~trap_flag);
}

volatile long numbers[8];

// Needs every register that calls preserve, so that its prologue and epilogue are long.
__attribute__((noinline)) long many_registers(long a, long b, long c, long d) {
  const long e = a * b + numbers[0], f = b * c + numbers[1], g = c * d + numbers[2];
  numbers[3] = e;
  const long h = f * numbers[4] + g, i = g * numbers[5] + e, j = e * numbers[6] + f;
  numbers[7] = h;
  return a + b * c - d + e * f - g + h * i - j;
}

__attribute__((noinline)) long calls_many_registers(long a) {
  alignas(64) volatile char aligned[64] = {};
  const long result = many_registers(a, a + 1, a + 2, a + 3) + aligned[5];
  return result + many_registers(a + 4, a, a, a);
}

void in_ordinary_code() {
  numbers[0] = calls_many_registers(numbers[1]);
}

// Nobody else calls it: its first call goes through the loader, which never gets to bind it.
void in_procedure_linkage_table() {
  numbers[0] = ::getsid(0);
}

void in_vdso() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
}

void step_to(void (*code)(), const target& where) {
  wanted = where;
  step_through(code);
  announce();  // the code is shorter than that
  ::pause();
}

void start_stepped(void (*code)(), const target& where, const char* name) {
  start_thread([code, where] { step_to(code, where); },
               (name + std::to_string(where.instructions)).c_str());
}

}  // namespace

void start_interrupted_threads() {
  struct sigaction action{};
  action.sa_sigaction = on_trap;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGTRAP, &action, nullptr);
  // Beyond that the loader looks up the symbol, in data that it shares with all threads.
  for (int count = 1; count <= 40; ++count)
    start_stepped(in_procedure_linkage_table, {.instructions = count}, "plt ");
  for (int count = 1; count <= 60; ++count)
    start_stepped(in_ordinary_code, {.instructions = count}, "code ");
  const std::uintptr_t vdso = ::getauxval(AT_SYSINFO_EHDR);
  for (const int count : {1, 2, 3, 5, 8, 12})
    start_stepped(in_vdso, {.instructions = count, .begin = vdso, .end = vdso + 0x2000}, "vdso ");
}

}  // namespace nasty
