// See fiber_hook.hpp.
//
// All bookkeeping of a switch is done by the side that arrives, before anything else runs there:
// until then nobody else can know of the stack that was left, so nobody can resume, end or free
// it meanwhile. What arrives: the switch that returns, the function of an ontop_fcontext before it
// begins (it may hand the left fiber to others, free its stack, or throw), and a fiber's entry.
//
// The thread's slot is looked up once in each of these functions and never kept across a jump: a
// fiber may continue on another thread.
#include "hook/fiber/fiber_hook.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include "gmr/detail/hook/coroutine_node.hpp"
#include "hook/fiber/fiber_known_code.hpp"
#include "hook/fiber/fiber_pool.hpp"
#include "hook/fiber/fiber_sanitizers.hpp"
#include "hook/fiber/fiber_switches.h"
#include "os/arch/machine.hpp"

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
constinit bool stacks_may_be_blocks = false;  // of malloc; set before the first fiber
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

// Of the stack that ends at `high`.
std::uintptr_t header_address(std::uintptr_t high) noexcept {
  return (high - sizeof(stack_header) - 16) & ~15ul;
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

// The size of a block of malloc, by the word before it as the GNU C library has it: the size with
// three flags.
std::uintptr_t size_before(std::uintptr_t block) noexcept {
  return *reinterpret_cast<const std::uintptr_t*>(block - sizeof(std::uintptr_t)) & ~7ul;
}

// There may be nothing at all before the start of a page.
bool has_word_before(std::uintptr_t block) noexcept {
  constexpr std::uintptr_t smallest_page = 4096;
  return block % smallest_page != 0;
}

// Whether it is that malloc that the program uses. One that puts each block at the start of a page,
// behind a guard page, is not.
bool malloc_is_known() noexcept {
  constexpr std::size_t asked = 3000;
  constexpr std::size_t expected = (asked + sizeof(std::uintptr_t) + 15) & ~15ul;
  void* const block = std::malloc(asked);
  const auto at = reinterpret_cast<std::uintptr_t>(block);
  const bool known = has_word_before(at) && size_before(at) == expected;
  std::free(block);
  return known;
}

// Of the block that the stack is; 0 when it seems to be none of malloc's.
std::uintptr_t size_of_block(std::uintptr_t low, std::uintptr_t high) noexcept {
  constexpr std::uintptr_t page = 4096;
  constexpr std::uintptr_t alignment = 16;
  if (!std::atomic_ref(stacks_may_be_blocks).load(std::memory_order_relaxed) ||
      !has_word_before(low) || low % alignment != 0)
    return 0;
  const std::uintptr_t size = size_before(low);
  const bool fits = size % alignment == 0 && size >= high - low && size - (high - low) < 2 * page;
  return fits ? size : 0;
}

fiber_record& new_record(std::uintptr_t low, std::uintptr_t high,
                         std::uintptr_t function) noexcept {
  fiber_record* const record = allocate_record();
  if (record == nullptr) {
    untraced.fetch_add(1, std::memory_order_relaxed);
    return unlisted_record();
  }
  if (fiber_record* const before = exchange_stack_owner(high, *record)) retire(*before);
  record->low.store(low, std::memory_order_relaxed);
  record->high.store(high, std::memory_order_relaxed);
  record->function.store(function, std::memory_order_relaxed);
  record->block_size.store(size_of_block(low, high), std::memory_order_relaxed);
  record->runner.store(nullptr, std::memory_order_relaxed);
  record->resumed_by.store(0, std::memory_order_relaxed);
  record->first_data.store(record, std::memory_order_relaxed);  // no data is ever this
  record->become(next_green_thread_id());
  if (gmr_fiber_under_sanitizer) sanitizers_made(*record);
  return *record;
}

// Functions that fibers are made with, and that have said so when they ended: those of
// boost::context::fiber, of which a program has a few kinds.
constexpr std::size_t most_functions = 64;
constinit std::array<std::atomic<std::uintptr_t>, most_functions> functions_that_say_their_end{};

void remember_that_end_is_said(std::uintptr_t function) noexcept {
  for (std::atomic<std::uintptr_t>& each : functions_that_say_their_end) {
    std::uintptr_t known = each.load(std::memory_order_relaxed);
    if (known == function) return;
    if (known == 0 && each.compare_exchange_strong(known, function)) return;
  }
}

bool says_its_end(std::uintptr_t function) noexcept {
  return std::ranges::any_of(functions_that_say_their_end, [&](const auto& each) {
    return each.load(std::memory_order_relaxed) == function;
  });
}

// What has to be done about what was left. The transfer is handed through, so that the usual case
// is a leaf that needs no stack.

[[gnu::noinline]] transfer_t leave_for_good(transfer_t transfer, fiber_record& left) noexcept {
  remember_that_end_is_said(left.function.load(std::memory_order_relaxed));
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

struct forget_slot {
  ~forget_slot() { gmr_this_thread = nullptr; }
};

// Without the way through the C library, for fibers and coroutines.
void find_clock() noexcept {
  void* const kernel = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_NOLOAD);
  if (kernel == nullptr) return;
  void* const found = dlsym(kernel, os::arch::name_of_kernels_clock);
  if (found == nullptr) return;
  const auto clock = reinterpret_cast<clock_function>(found);
  std::atomic_ref(gmr_fiber_clock).store(clock, std::memory_order_relaxed);
  coroutine_clock.store(clock, std::memory_order_relaxed);
}

}  // namespace

void set_up_fiber_records() noexcept {
  gmr_fiber_under_sanitizer = runs_under_sanitizer();
  std::atomic_ref(stacks_may_be_blocks)
      .store(!gmr_fiber_under_sanitizer && malloc_is_known(), std::memory_order_relaxed);
  find_clock();
}

new_fiber make_fiber(std::uintptr_t low, std::uintptr_t high, std::uintptr_t function) noexcept {
  fiber_record& record = new_record(low, high, function);
  const std::uintptr_t start = header_address(high);
  auto* const header = reinterpret_cast<stack_header*>(start);
  *header = {mark_of(header), &record, nullptr};
  return {record, start};
}

void publish_fiber(fiber_record& record, const machine_registers& registers) noexcept {
  if (record.state.load(std::memory_order_relaxed) == fiber_state::unlisted) return;
  record.registers = registers;
  gmr_fiber_clock(GMR_CLOCK, &record.suspended_at);
  record.end_change();
  record.state.store(fiber_state::suspendable, std::memory_order_release);
}

bool set_up_fiber_hook() noexcept {
  if (is_set_up.load(std::memory_order_acquire)) return true;
  if (!find_originals()) return false;
  set_up_fiber_records();
  std::atomic_ref(gmr_fiber_switches_are_known)
      .store(knows_switches(gmr_original_jump, gmr_original_ontop), std::memory_order_relaxed);
  is_set_up.store(true, std::memory_order_release);
  return true;
}

void mark(machine_stack& stack, const fiber_record& record) noexcept {
  const std::uintptr_t header = header_address(stack.high);
  stack.marks[0] = {header + offsetof(stack_header, mark),
                    mark_of(reinterpret_cast<const stack_header*>(header))};
  const auto place = [](const char* label) { return reinterpret_cast<std::uintptr_t>(label); };
  const std::uintptr_t pc = stack.registers.pc;
  if (pc == place(gmr_fiber_left_by_jump) || pc == place(gmr_fiber_left_by_ontop))
    stack.marks[1] = {stack.registers.sp + GMR_CONTEXT_GOES_ON, place(gmr_fiber_returned)};
  if (says_its_end(record.function.load(std::memory_order_relaxed))) return;
  stack.block_size = record.block_size.load(std::memory_order_relaxed);
  if (stack.block_size != 0) stack.block = stack.low;
}

std::uint64_t untraced_fibers() noexcept {
  return untraced.load(std::memory_order_relaxed);
}

}  // namespace gmr::trace

using namespace gmr::trace;

[[gnu::used]] fcontext_t gmr_fiber_make(void* top, std::size_t size,
                                        void (*function)(transfer_t)) noexcept {
  if (gmr_hook_that_serves.make != nullptr)
    return reinterpret_cast<make_function>(gmr_hook_that_serves.make)(top, size, function);
  if (!set_up_fiber_hook()) {
    const std::string_view reason = why_no_originals();
    std::fprintf(stderr, "gmr: %.*s\n", static_cast<int>(reason.size()), reason.data());
    std::abort();
  }
  const auto high = reinterpret_cast<std::uintptr_t>(top);
  const std::uintptr_t start = header_address(high);
  fiber_record& record = new_record(high - size, high, reinterpret_cast<std::uintptr_t>(function));
  auto* const header = reinterpret_cast<stack_header*>(start);
  // A Boost.Context with shadow stacks finds their address in the word below its top.
  std::memcpy(reinterpret_cast<void*>(start - 8), reinterpret_cast<void*>(high - 8), 8);
  *header = {mark_of(header), &record, function};
  const fcontext_t context = gmr_original_make(header, size - (high - start), gmr_fiber_entry);
  gmr::machine_registers registers;
  registers.pc = reinterpret_cast<std::uintptr_t>(gmr_fiber_entry);
  registers.sp = start - 8;
  publish_fiber(record, registers);
  note_event_loop();
  return context;
}

[[gnu::used]] transfer_t gmr_fiber_switched(transfer_t transfer, fiber_record* current,
                                            thread_slot* slot, fiber_record* left,
                                            std::uint64_t how) noexcept {
  if (left == current) return transfer;  // what ran meanwhile went past the hook, both ways
  current->runner.store(slot, std::memory_order_relaxed);
  current->begin_change();
  // Back in the one that resumed what was left: its own story is unchanged.
  // Back there, what is started next may be what the fiber that was left waits for: asio::spawn
  // does it that way.
  constexpr std::uint64_t by_ontop = GMR_BY_ONTOP;
  if ((left->resumed_by.load(std::memory_order_relaxed) & ~by_ontop) !=
      current->reference.load(std::memory_order_relaxed)) {
    current->resumed_by.store(left->reference.load(std::memory_order_relaxed) | how,
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

static transfer_t arrive(transfer_t transfer, fiber_record* current, std::uint64_t how) noexcept {
  thread_slot* const slot = gmr_this_thread;
  if (slot == nullptr) return transfer;  // its only switch so far went past the hook
  fiber_record* const left = slot->current.load(std::memory_order_relaxed);
  return gmr_fiber_switched(transfer, current, slot, left, how);
}

[[gnu::used]] transfer_t gmr_fiber_arrive(transfer_t transfer, fiber_record* current) noexcept {
  return arrive(transfer, current, 0);
}

[[gnu::used]] transfer_t gmr_fiber_arrive_by_ontop(transfer_t transfer,
                                                   fiber_record* current) noexcept {
  return arrive(transfer, current, GMR_BY_ONTOP);
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
  thread_slot& slot = enroll_thread();
  note_event_loop();
  if (gmr_this_thread == nullptr) {  // another copy of the library keeps the slots
    gmr_this_thread = &slot;
    [[maybe_unused]] static thread_local const forget_slot at_end_of_thread;
  }
  return &slot;
}
