#include "capture/outside_copy.hpp"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "capture/slot_pool.hpp"
#include "capture/stack_recorder.hpp"
#include "capture/thread_descriptor.hpp"
#include "hook/threads/thread_registry.hpp"
#include "os/fatal_errors.hpp"
#include "os/memory.hpp"

namespace gmr::capture {
namespace {

// Copies from the sp of the system call on, as far as the stack that it is on is known to reach.
void copy_blocked(const thread_snapshot& thread, capture_slot& slot, const stack_bounds& own,
                  std::uintptr_t end_of_stack, std::size_t stack_bytes) {
  const std::uintptr_t sp = thread.syscall->sp;
  trace::thread_traits traits;
  const bool in_fiber = trace::find_thread(thread.id, traits) && traits.fiber != 0 &&
                        traits.low <= sp && sp < traits.high;
  if (in_fiber) slot.runs = traits.fiber;
  if (!in_fiber && own.high != 0 && !own.contains(sp))
    copy_both_stacks(slot, sp, sp + stack_bytes, own.high);
  else
    copy_stack(slot, sp, in_fiber ? traits.high : end_of_stack);
}

using os::arch::red_zone;

// Of a stack that is used up, the innermost part is not there.
std::uintptr_t first_readable(std::uintptr_t address) noexcept {
  constexpr std::uintptr_t page = os::arch::largest_page;
  constexpr int most_pages = 512;
  std::uintptr_t at = address;
  for (int i = 0; i < most_pages && !os::is_readable(at, 1); ++i)
    at = (at / page + 1) * page;
  return at;
}

// It stands in a handler: what matters is where it was before.
std::uint64_t copy_failing(thread_snapshot& thread, capture_slot& slot, std::uintptr_t end_of_stack,
                           const os::fatal_error& error) {
  clear_result(slot);
  const std::uintptr_t sp = error.sp();
  trace::thread_traits traits;
  const bool in_fiber = trace::find_thread(thread.id, traits) && traits.fiber != 0 &&
                        traits.low <= sp + os::arch::largest_page && sp < traits.high;
  if (in_fiber) slot.runs = traits.fiber;
  copy_stack(slot, first_readable(sp - red_zone) + red_zone, in_fiber ? traits.high : end_of_stack);
  std::ranges::copy(error.registers, std::begin(slot.registers));
  thread.stack.full_registers = true;
  thread.stack.only_pc_and_sp = false;
  thread.syscall.reset();  // the handler's
  return os::cpu_clock(thread.id);
}

}  // namespace

std::optional<std::uint64_t> copy_from_outside(thread_snapshot& thread, capture_slot& slot,
                                               os::task_files& files, std::uint64_t cpu_before,
                                               std::size_t stack_bytes) {
  const bool is_main = thread.id == getpid();
  const std::uintptr_t descriptor = is_main ? 0 : descriptor_of(thread.id);
  // In a handler on an alternate stack, and where stacks are switched by means we do not see.
  const stack_bounds own = stack_described_by(descriptor);
  const std::uintptr_t end_of_stack = below_tls(descriptor);
  if (unwinds_copies && os::is_failing_thread(thread.id))
    return copy_failing(thread, slot, end_of_stack, *os::present_fatal_error());
  constexpr int tries = 3;
  for (int i = 0; i < tries && thread.syscall; ++i) {
    clear_result(slot);
    copy_blocked(thread, slot, own, end_of_stack, stack_bytes);
    const std::uint64_t after = os::cpu_clock(thread.id);
    if (after == cpu_before && after != 0) {
      slot.registers[pc_register] = thread.syscall->pc;
      slot.registers[sp_register] = thread.syscall->sp;
      thread.stack.full_registers = false;
      thread.stack.only_pc_and_sp = true;
      return slot.unreadable ? std::nullopt : std::optional{after};
    }
    cpu_before = os::cpu_clock(thread.id);
    thread.syscall = files.blocked_in(thread.id);
  }
  return std::nullopt;
}

}  // namespace gmr::capture
