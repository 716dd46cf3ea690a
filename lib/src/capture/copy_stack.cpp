// Runs in signal handlers; built without sanitizers: it reads memory that is not its own.
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "capture/capture_handler.hpp"
#include "capture/stack_recorder.hpp"

namespace gmr::capture {
namespace {

#if defined(__x86_64__)
constexpr std::uintptr_t red_zone = 128;  // leaf functions keep data below sp
#else
constexpr std::uintptr_t red_zone = 0;
#endif

// The lowest page of what is said to be a stack may be its guard page: Boost.Context counts that
// in, and so do programs that give their threads stacks of their own.
#if defined(__x86_64__)
constexpr std::uintptr_t guard = 4096;
#else
constexpr std::uintptr_t guard = 65536;  // the largest page
#endif

// What lies further than this above sp belongs to another stack.
constexpr std::uintptr_t largest_stack = std::uintptr_t{1} << 30;

struct range {
  std::uintptr_t from = 0;
  std::size_t size = 0;
};

// Not memcpy: sanitizers replace it, and would check what a live stack holds.
void copy_bytes(std::byte* to, std::uintptr_t from, std::size_t size) noexcept {
#if defined(__x86_64__)
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
#else
  const auto* source = reinterpret_cast<const volatile std::byte*>(from);
  for (std::size_t i = 0; i < size; ++i)
    to[i] = source[i];
#endif
}

// Returns how many bytes were there.
std::size_t read_through_kernel(std::byte* to, std::uintptr_t from, std::size_t size) noexcept {
  const iovec local{to, size};
  const iovec remote{reinterpret_cast<void*>(from), size};
  const long got =
      syscall(SYS_process_vm_readv, handler_table.process, &local, 1L, &remote, 1L, 0L);
  return got < 0 ? 0 : static_cast<std::size_t>(got);
}

void copy_part(capture_slot& slot, unsigned part, range wanted, std::size_t offset,
               bool known) noexcept {
  std::size_t size = wanted.size;
  if (known)
    copy_bytes(slot.memory + offset, wanted.from, size);
  else
    size = read_through_kernel(slot.memory + offset, wanted.from, size);
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
