// See fiber_hook.hpp.
//
// All bookkeeping of a switch is done by the side that arrives, before anything else runs there:
// until then nobody else can know of the stack that was left, so nobody can resume, end or free
// it meanwhile. What arrives: the switch that returns, the function of an ontop_fcontext before it
// begins (it may hand the left fiber to others, free its stack, or throw), and a fiber's entry.
//
// The thread's slot is looked up once in each of these functions and never kept across a jump: a
// fiber may continue on another thread.
#include "trace/fiber/fiber_hook.hpp"

#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "gmr/trace/coroutine_node.hpp"
#include "trace/fiber/fiber_known_code.hpp"
#include "trace/fiber/fiber_pool.hpp"
#include "trace/fiber/fiber_sanitizers.hpp"

constinit gmr::trace::clock_function gmr_fiber_clock = clock_gettime;
constinit bool gmr_fiber_switches_are_known = false;
constinit bool gmr_fiber_under_sanitizer = false;
constinit std::atomic<std::uint32_t> gmr_fiber_nobody{0};

namespace gmr::trace {
namespace {

// Lies at the top of each stack we start; its own address in the mark tells it from a copy.
struct alignas(16) stack_header {
  std::uintptr_t mark;
  fiber_record* record;
  void (*function)(transfer_t);
};

constexpr std::uintptr_t header_mark = 0x6775'7275'6d65'6469;
// Boost's fresh context lies between the header and the stack pointer a fiber starts with.
constexpr std::size_t most_context_bytes = 1024;

constinit std::atomic<bool> is_set_up{false};
constinit std::atomic<std::uint64_t> untraced{0};

static_assert(offsetof(this_thread_coroutines, left_fiber) == GMR_LEFT_FIBER);

fiber_record& unlisted_record() noexcept {
  static constinit fiber_record record;
  record.state.store(fiber_state::unlisted, std::memory_order_relaxed);
  record.first_data.store(&record, std::memory_order_relaxed);
  record.become(0);
  return record;
}

std::uintptr_t mark_of(const stack_header* header) noexcept {
  return header_mark ^ reinterpret_cast<std::uintptr_t>(header);
}

const stack_header& find_header(const void* stack_pointer) noexcept {
  const std::uintptr_t from = (reinterpret_cast<std::uintptr_t>(stack_pointer) + 15) & ~15ul;
  for (std::size_t offset = 0; offset < most_context_bytes; offset += alignof(stack_header)) {
    const auto* header = reinterpret_cast<const stack_header*>(from + offset);
    if (header->mark == mark_of(header)) return *header;
  }
  std::fputs("gmr: the entry of a fiber finds no record above it\n", stderr);
  std::abort();
}

// Boost.Coroutine's first version leaves its stacks without a sign: when one is used again, the
// fiber before is gone.
void retire(fiber_record& record) noexcept {
  sanitizers_ended(record);
  release_record(record);
}

fiber_record& new_record(std::uintptr_t low, std::uintptr_t high) noexcept {
  fiber_record* const record = allocate_record();
  if (record == nullptr) {
    untraced.fetch_add(1, std::memory_order_relaxed);
    return unlisted_record();
  }
  if (fiber_record* const before = exchange_stack_owner(high, *record)) retire(*before);
  record->low.store(low, std::memory_order_relaxed);
  record->high.store(high, std::memory_order_relaxed);
  record->runner.store(nullptr, std::memory_order_relaxed);
  record->resumed_by.store(0, std::memory_order_relaxed);
  record->first_data.store(record, std::memory_order_relaxed);  // no data is ever this
  record->become(next_green_thread_id());
  if (gmr_fiber_under_sanitizer) sanitizers_made(*record);
  return *record;
}

// From here on it is listed, as suspended at its entry.
void publish(fiber_record& record, std::uintptr_t stack_pointer) noexcept {
  if (record.state.load(std::memory_order_relaxed) == fiber_state::unlisted) return;
  record.registers = {};
  record.registers.pc = reinterpret_cast<std::uintptr_t>(gmr_fiber_entry);
  record.registers.sp = stack_pointer;
  gmr_fiber_clock(GMR_CLOCK, &record.suspended_at);
  record.end_change();
  record.state.store(fiber_state::suspendable, std::memory_order_release);
}

// What has to be done about what was left. The transfer is handed through, so that the usual case
// is a leaf that needs no stack.

[[gnu::noinline]] transfer_t leave_for_good(transfer_t transfer, fiber_record& left) noexcept {
  if (gmr_fiber_under_sanitizer) sanitizers_ended(left);
  release_record(left);
  return transfer;
}

[[gnu::always_inline]] inline transfer_t leave(transfer_t transfer, fiber_record& left) noexcept {
  if (left.state.load(std::memory_order_relaxed) == fiber_state::ending) [[unlikely]]
    return leave_for_good(transfer, left);
  left.end_change();
  return transfer;
}

[[gnu::noinline]] transfer_t leave_as_sanitizers_are_told(transfer_t transfer, fiber_record& left,
                                                          fiber_record& current) noexcept {
  sanitizers_switched(left, current);
  return leave(transfer, left);
}

// Without the way through the C library, for fibers and coroutines.
void find_clock() noexcept {
  void* const kernel = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (kernel == nullptr) return;
#if defined(__x86_64__)
  void* const found = dlsym(kernel, "__vdso_clock_gettime");
#else
  void* const found = dlsym(kernel, "__kernel_clock_gettime");
#endif
  if (found == nullptr) return;
  const auto clock = reinterpret_cast<clock_function>(found);
  std::atomic_ref(gmr_fiber_clock).store(clock, std::memory_order_relaxed);
  coroutine_clock.store(clock, std::memory_order_relaxed);
}

}  // namespace

bool set_up_fiber_hook() noexcept {
  if (is_set_up.load(std::memory_order_acquire)) return true;
  if (!find_originals()) return false;
  gmr_fiber_under_sanitizer = runs_under_sanitizer();
  find_clock();
  std::atomic_ref(gmr_fiber_switches_are_known)
      .store(knows_switches(gmr_original_jump, gmr_original_ontop), std::memory_order_relaxed);
  is_set_up.store(true, std::memory_order_release);
  return true;
}

std::uint64_t untraced_fibers() noexcept {
  return untraced.load(std::memory_order_relaxed);
}

}  // namespace gmr::trace

using namespace gmr::trace;

[[gnu::used]] fcontext_t gmr_fiber_make(void* top, std::size_t size,
                                        void (*function)(transfer_t)) noexcept {
  if (!set_up_fiber_hook()) {
    std::fputs(
        "gmr: Boost.Context is not behind gmr::trace; with a static one link gmr::trace_wrap\n",
        stderr);
    std::abort();
  }
  const auto high = reinterpret_cast<std::uintptr_t>(top);
  const std::uintptr_t start = (high - sizeof(stack_header) - 16) & ~15ul;
  fiber_record& record = new_record(high - size, high);
  auto* const header = reinterpret_cast<stack_header*>(start);
  // A Boost.Context with shadow stacks finds their address in the word below its top.
  std::memcpy(reinterpret_cast<void*>(start - 8), reinterpret_cast<void*>(high - 8), 8);
  *header = {mark_of(header), &record, function};
  const fcontext_t context = gmr_original_make(header, size - (high - start), gmr_fiber_entry);
  publish(record, start - 8);
  return context;
}

[[gnu::used]] transfer_t gmr_fiber_switched(transfer_t transfer, fiber_record* current,
                                            thread_slot* slot, fiber_record* left) noexcept {
  if (left == current) return transfer;  // what ran meanwhile went past the hook, both ways
  current->runner.store(slot, std::memory_order_relaxed);
  current->begin_change();
  // Back in the one that resumed what was left: its own story is unchanged.
  // Back there, what is started next may be what the fiber that was left waits for: asio::spawn
  // does it that way.
  if (left->resumed_by.load(std::memory_order_relaxed) !=
      current->reference.load(std::memory_order_relaxed)) {
    current->resumed_by.store(left->reference.load(std::memory_order_relaxed),
                              std::memory_order_relaxed);
    this_thread_runs.left_fiber = &gmr_fiber_nobody;
  } else {
    left->resumed_by.store(0, std::memory_order_relaxed);
    this_thread_runs.left_fiber = &left->sequence;
  }
  slot->current.store(current, std::memory_order_release);
  if (gmr_fiber_under_sanitizer) [[unlikely]]
    return leave_as_sanitizers_are_told(transfer, *left, *current);
  return leave(transfer, *left);
}

[[gnu::used]] transfer_t gmr_fiber_arrive(transfer_t transfer, fiber_record* current) noexcept {
  thread_slot* const slot = gmr_this_thread;
  if (slot == nullptr) return transfer;  // its only switch so far went past the hook
  fiber_record* const left = slot->current.load(std::memory_order_relaxed);
  return gmr_fiber_switched(transfer, current, slot, left);
}

[[gnu::used]] void* gmr_fiber_begin(const void* stack_pointer, const void* data) noexcept {
  const stack_header& header = find_header(stack_pointer);
  fiber_record& record = *header.record;
  if (data != nullptr && record.state.load(std::memory_order_relaxed) != fiber_state::unlisted)
    record.first_data.store(data, std::memory_order_relaxed);
  gmr_fiber_arrive({}, &record);
  return reinterpret_cast<void*>(header.function);
}

[[gnu::used]] thread_slot* gmr_fiber_enroll() noexcept {
  return &enroll_thread();
}
