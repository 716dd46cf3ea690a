// The C library's makecontext, swapcontext and setcontext, as the program calls them: what is made
// and switched so is listed as fibers are, with the same records.
//
// As in fiber_hook.cpp, what arrives does the bookkeeping of a switch: a context that was left in
// our swapcontext goes on there, and one that was made begins in `run_made`. One that getcontext
// has saved goes on in the program: whose stack that is, is looked up before it is gone to, which
// takes longer.
//
// Not seen: switches by longjmp; a context that is gone to in another way than those three. Under a
// sanitizer nothing is done, since those have hooks of their own there.
#include <dlfcn.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "hook/fiber/fiber_hook.hpp"
#include "hook/fiber/fiber_pool.hpp"
#include "hook/library_copies.hpp"
#include "hook/ucontext/ucontext_registers.hpp"
#include "os/arch/machine.hpp"

extern "C" {
using gmr_swap_function = int (*)(ucontext_t*, const ucontext_t*);
[[gnu::visibility("hidden")]] int gmr_ucontext_swap(ucontext_t* from, const ucontext_t* to,
                                                    gmr_swap_function original);
[[gnu::visibility("hidden")]] extern const char gmr_ucontext_returned[];
}

namespace gmr::trace {
namespace {

using make_context_function = void (*)(ucontext_t*, void (*)(), int, ...);
using set_context_function = int (*)(const ucontext_t*);

struct context_functions {
  make_context_function make;
  gmr_swap_function swap;
  set_context_function set;
};

template <class Function>
Function find_context_function(const char* name) noexcept {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// By the first call, or as the library is loaded.
const context_functions& context_originals() noexcept {
  static const context_functions found{find_context_function<make_context_function>("makecontext"),
                                       find_context_function<gmr_swap_function>("swapcontext"),
                                       find_context_function<set_context_function>("setcontext")};
  return found;
}

bool are_contexts_traced() noexcept {
  static const bool traced = [] {
    set_up_fiber_records();
    return gmr_hook_that_serves.jump == nullptr && !gmr_fiber_under_sanitizer;
  }();
  return traced;
}

// Not while a program is short of a lock of the loader's.
[[gnu::used]] const bool are_found_early =
    context_originals().make != nullptr && are_contexts_traced();

constexpr std::size_t most_arguments = 64;
constexpr std::size_t arguments_in_registers = 6;
using context_arguments = std::array<long, most_arguments>;

// What a context was made with; at the end of its stack, below the sign of the fiber.
struct made_call {
  fiber_record* record;
  void (*function)();
  const ucontext_t* link;
  std::size_t count;
  context_arguments arguments;  // only as many as there are, or as are handed over in registers
};

// What a thread runs between two stacks of which the second is not known yet.
fiber_record& nobody() noexcept {
  static constinit fiber_record record;
  record.state.store(fiber_state::unlisted, std::memory_order_relaxed);
  return record;
}

thread_slot& own_slot() noexcept {
  thread_slot* const slot = gmr_this_thread;
  return slot != nullptr ? *slot : *gmr_fiber_enroll();
}

// Schedulers go from fiber to fiber: then neither has resumed the other. So it is said only of what
// the thread's own stack resumes.
void switch_records(fiber_record& next, fiber_record& left, thread_slot& slot) noexcept {
  const bool from_own = &left == &slot.own;
  static_cast<void>(gmr_fiber_switched({}, &next, &slot, &left, from_own ? 0 : GMR_BY_ONTOP));
  if (!from_own) left.resumed_by.store(0, std::memory_order_relaxed);
}

// Not inlined: the thread may be another than before the switch.
[[gnu::noinline]] void arrive_in(fiber_record& current) noexcept {
  thread_slot& slot = own_slot();
  switch_records(current, *slot.current.load(std::memory_order_relaxed), slot);
}

bool lies_in(const fiber_record& fiber, std::uintptr_t address) noexcept {
  return address >= fiber.low.load(std::memory_order_relaxed) &&
         address < fiber.high.load(std::memory_order_relaxed);
}

// Whose stack that is: in most programs the one that is left, or the thread's own.
fiber_record& owner_of(std::uintptr_t sp, fiber_record& left, thread_slot& slot) noexcept {
  if (lies_in(left, sp)) return left;
  const std::uint32_t count = record_count();
  for (std::uint32_t index = 0; index < count; ++index) {
    fiber_record* const record = record_at(index);
    if (record != nullptr && lies_in(*record, sp) &&
        record->state.load(std::memory_order_relaxed) == fiber_state::suspendable)
      return *record;
  }
  return slot.own;
}

// Where a context begins that was made.
void run_made(made_call* call);

// What goes on in a context; nobody, where that says so itself.
fiber_record& next_of(const ucontext_t& to, fiber_record& left, thread_slot& slot) noexcept {
  const std::uintptr_t pc = os::arch::pc_of(to);
  if (pc == reinterpret_cast<std::uintptr_t>(gmr_ucontext_returned) ||
      pc == reinterpret_cast<std::uintptr_t>(run_made))
    return nobody();
  return owner_of(os::arch::sp_of(to), left, slot);
}

// The stack that is left ends, and nothing refers to it any more.
void end_made(const made_call& call) noexcept {
  thread_slot& slot = own_slot();
  fiber_record& ended = *call.record;
  fiber_record& next = call.link == nullptr ? nobody() : next_of(*call.link, ended, slot);
  if (&next != &nobody()) switch_records(next, ended, slot);
  slot.current.store(&next, std::memory_order_release);
  if (ended.state.load(std::memory_order_relaxed) == fiber_state::suspendable)
    release_record(ended);
}

template <std::size_t>
using argument = long;

template <std::size_t... index>
void call_with(void (*function)(), const context_arguments& given, std::index_sequence<index...>) {
  reinterpret_cast<void (*)(argument<index>...)>(function)(given[index]...);
}

void run_made(made_call* call) {
  arrive_in(*call->record);
  if (call->count <= arguments_in_registers)
    call_with(call->function, call->arguments, std::make_index_sequence<arguments_in_registers>{});
  else
    call_with(call->function, call->arguments, std::make_index_sequence<most_arguments>{});
  end_made(*call);
}

template <std::size_t... index>
void make_untraced(ucontext_t* made, void (*function)(), int count, const context_arguments& given,
                   std::index_sequence<index...>) noexcept {
  context_originals().make(made, function, count, given[index]...);
}

// Where its stack begins, as the C library has laid it out: as if somebody had called the function.
machine_registers registers_at_start(const ucontext_t& made, void (*function)()) noexcept {
  machine_registers registers;
  registers.pc = reinterpret_cast<std::uintptr_t>(function);
  registers.sp = os::arch::sp_of(made);
#if defined(__aarch64__)
  registers.x19_to_x30[11] = os::arch::link_of(made);
#endif
  return registers;
}

void make_traced(ucontext_t* made, void (*function)(), std::size_t count,
                 const context_arguments& given) noexcept {
  stack_t& stack = made->uc_stack;
  const auto low = reinterpret_cast<std::uintptr_t>(stack.ss_sp);
  const new_fiber fiber =
      make_fiber(low, low + stack.ss_size, reinterpret_cast<std::uintptr_t>(run_made));
  const std::size_t kept =
      count <= arguments_in_registers ? arguments_in_registers : most_arguments;
  const std::size_t bytes = offsetof(made_call, arguments) + kept * sizeof(long);
  auto* const call = reinterpret_cast<made_call*>((fiber.top - bytes) & ~std::uintptr_t{15});
  call->record = &fiber.record;
  call->function = function;
  call->link = made->uc_link;
  call->count = count;
  std::memcpy(call->arguments.data(), given.data(), kept * sizeof(long));
  const std::size_t whole =
      std::exchange(stack.ss_size, reinterpret_cast<std::uintptr_t>(call) - low);
  context_originals().make(made, reinterpret_cast<void (*)()>(run_made), 1, call);
  stack.ss_size = whole;  // as the program may give it back
  publish_fiber(fiber.record, registers_at_start(*made, function));
}

// Leaves where and when it waits. The caller's frame lasts until it goes on.
[[gnu::always_inline]] inline void leave_here(fiber_record& left,
                                              const thread_slot& slot) noexcept {
  save_own_registers(left.registers);
  if (&left != &slot.own) gmr_fiber_clock(GMR_CLOCK, &left.suspended_at);
}

}  // namespace
}  // namespace gmr::trace

using namespace gmr::trace;

// Weak: a program may have functions of these names of its own, and those are meant then.
extern "C" {

[[gnu::visibility("default"), gnu::weak]] void makecontext(ucontext_t* made, void (*function)(),
                                                           int count, ...) noexcept {
  context_arguments given{};
  const auto known = std::min(static_cast<std::size_t>(std::max(count, 0)), most_arguments);
  std::va_list rest;
  va_start(rest, count);
  for (std::size_t i = 0; i < known; ++i)
    given[i] = va_arg(rest, long);
  va_end(rest);
  constexpr std::size_t least_stack = 4096;
  if (are_contexts_traced() && made->uc_stack.ss_sp != nullptr &&
      made->uc_stack.ss_size >= least_stack)
    make_traced(made, function, known, given);
  else
    make_untraced(made, function, static_cast<int>(known), given,
                  std::make_index_sequence<most_arguments>{});
}

[[gnu::visibility("default"), gnu::weak]] int swapcontext(ucontext_t* from,
                                                          const ucontext_t* to) noexcept {
  if (!are_contexts_traced()) return context_originals().swap(from, to);
  thread_slot& slot = own_slot();
  fiber_record& left = *slot.current.load(std::memory_order_relaxed);
  leave_here(left, slot);
  if (fiber_record& next = next_of(*to, left, slot); &next != &nobody())
    switch_records(next, left, slot);
  const int result = gmr_ucontext_swap(from, to, context_originals().swap);
  arrive_in(left);
  return result;
}

[[gnu::visibility("default"), gnu::weak]] int setcontext(const ucontext_t* to) noexcept {
  if (!are_contexts_traced()) return context_originals().set(to);
  thread_slot& slot = own_slot();
  fiber_record& left = *slot.current.load(std::memory_order_relaxed);
  fiber_record& next = next_of(*to, left, slot);
  if (&next == &left) return context_originals().set(to);
  leave_here(left, slot);
  switch_records(next, left, slot);
  const int result = context_originals().set(to);
  arrive_in(left);  // it did not go
  return result;
}

}  // extern "C"
