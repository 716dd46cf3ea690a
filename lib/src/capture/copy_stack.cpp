// Runs in signal handlers; built without sanitizers: it reads memory that is not its own.
#include "capture/capture_handler.hpp"
#include "capture/stack_recorder.hpp"
#include "os/arch/machine.hpp"
#include "os/memory.hpp"

namespace gmr::capture {
namespace {

using os::arch::red_zone;  // leaf functions keep data below sp

// The lowest page of what is said to be a stack may be its guard page: Boost.Context counts that
// in, and so do programs that give their threads stacks of their own.
constexpr std::uintptr_t guard = os::arch::largest_page;

// What lies further than this above sp belongs to another stack.
constexpr std::uintptr_t largest_stack = std::uintptr_t{1} << 30;

struct range {
  std::uintptr_t from = 0;
  std::size_t size = 0;
};

void copy_part(capture_slot& slot, unsigned part, range wanted, std::size_t offset,
               bool known) noexcept {
  std::size_t size = wanted.size;
  if (known)
    os::arch::copy_live_bytes(slot.memory + offset, wanted.from, size);
  else
    size = os::read_bytes(wanted.from, {slot.memory + offset, size});
  slot.parts[part] = {wanted.from, offset, size};
}

}  // namespace

std::uintptr_t below_tls(std::uintptr_t descriptor) noexcept {
  return descriptor > handler_table.tls_size ? descriptor - handler_table.tls_size : 0;
}

void copy_stack(capture_slot& slot, std::uintptr_t sp, std::uintptr_t presumed_end) noexcept {
  const bool bounded = slot.low <= sp && sp < slot.high;
  const std::uintptr_t above_guard = slot.low + guard;
  const bool known = bounded && sp >= above_guard;
  const std::uintptr_t from = known && sp - red_zone < above_guard ? above_guard : sp - red_zone;
  const bool hinted = presumed_end > sp && presumed_end - sp < largest_stack;
  const std::uintptr_t hint = hinted ? presumed_end : 0;
  const std::uintptr_t end = bounded && (!hinted || slot.high < hint) ? slot.high : hint;
  slot.parts[1] = {};
  slot.truncated = false;
  if (end == 0) {  // as far as there is memory
    copy_part(slot, 0, {from, slot.limit}, 0, false);
    slot.truncated = slot.parts[0].size == slot.limit;
  } else if (end - from <= slot.limit) {
    copy_part(slot, 0, {from, end - from}, 0, known);
  } else {
    const std::size_t outer = slot.limit / 4 & ~std::size_t{15};
    copy_part(slot, 0, {from, slot.limit - outer}, 0, known);
    copy_part(slot, 1, {end - outer, outer}, slot.limit - outer, known);
    slot.truncated = true;
  }
  slot.unreadable = slot.parts[0].size <= red_zone;
}

void copy_both_stacks(capture_slot& slot, std::uintptr_t sp, std::uintptr_t alternate_end,
                      std::uintptr_t end) noexcept {
  const std::uintptr_t from = sp - red_zone;
  const std::size_t most = slot.limit / 4 * 3 & ~std::size_t{15};
  const std::size_t live = alternate_end - from;
  copy_part(slot, 0, {from, live < most ? live : most}, 0, false);
  slot.truncated = live > most;
  slot.unreadable = slot.parts[0].size <= red_zone;
  // A small stack has less than that: below it nothing can be read, and then nothing is.
  const std::size_t offset = (slot.parts[0].size + 15) & ~std::size_t{15};
  slot.parts[1] = {};
  for (std::size_t size = slot.limit - offset; size >= 1024 && slot.parts[1].size == 0; size /= 2)
    copy_part(slot, 1, {end - size, size}, offset, false);
}

}  // namespace gmr::capture
