// Which function of the library was entered from which: what -finstrument-functions calls. At the end of the process the pairs
// are written to the file that ROOMS_LOG names, as offsets in the executable. Lock-free, as signal handlers are recorded, too.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEEPEST 4096
#define PAIRS (1U << 18)
#define NOT_RECORDED __attribute__((no_instrument_function))

extern char __executable_start;
static _Thread_local void* entered[DEEPEST] __attribute__((tls_model("initial-exec")));
static _Thread_local int depth __attribute__((tls_model("initial-exec")));
static uint64_t pairs[PAIRS];  // caller and callee, 32 bits each; 0: a free place

NOT_RECORDED static uint32_t offset_of(const void* function) {
  return (uint32_t)((const char*)function - &__executable_start);
}

NOT_RECORDED static void add(uint64_t pair) {
  for (uint32_t at = (uint32_t)((pair * 0x9e3779b97f4a7c15U) >> 46U);; at = (at + 1) % PAIRS) {
    uint64_t there = __atomic_load_n(&pairs[at], __ATOMIC_RELAXED);
    if (there == pair) return;
    if (there != 0) continue;
    if (__atomic_compare_exchange_n(&pairs[at], &there, pair, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return;
    if (there == pair) return;
  }
}

NOT_RECORDED void __cyg_profile_func_enter(void* function, void* site);
NOT_RECORDED void __cyg_profile_func_exit(void* function, void* site);

void __cyg_profile_func_enter(void* function, void* site) {
  (void)site;
  if (depth > 0 && depth <= DEEPEST) add((uint64_t)offset_of(entered[depth - 1]) << 32U | offset_of(function));
  if (depth < DEEPEST) entered[depth] = function;
  ++depth;
}

// A fiber, and a function that was left by longjmp or an exception, make the two differ: what is left is found again.
void __cyg_profile_func_exit(void* function, void* site) {
  (void)site;
  for (int at = depth - 1; at >= 0 && at < DEEPEST; --at)
    if (entered[at] == function) {
      depth = at;
      return;
    }
}

NOT_RECORDED __attribute__((destructor)) static void write_pairs(void) {
  const char* path = getenv("ROOMS_LOG");
  FILE* to = path == NULL ? NULL : fopen(path, "a");
  if (to == NULL) return;
  for (uint32_t i = 0; i < PAIRS; ++i)
    if (pairs[i] != 0) fprintf(to, "%x %x\n", (unsigned)(pairs[i] >> 32U), (unsigned)pairs[i]);
  fclose(to);
}
