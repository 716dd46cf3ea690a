#include "capture/fiber_batch.hpp"

#include <algorithm>
#include <cstring>

#include "capture/freed_block.hpp"
#include "os/arch/machine.hpp"
#include "os/memory.hpp"

namespace gmr::capture {
namespace {

constexpr std::size_t most_entries = 256;  // with two parts each within IOV_MAX
constexpr std::size_t least_memory = std::size_t{1} << 20;

bool is_unchanged(const green_thread_view& view) noexcept {
  if (view.sequence == nullptr) return true;
  os::arch::order_loads();
  return view.sequence->load(std::memory_order_acquire) == view.sequence_seen;
}

bool is_lost(const stack_mark& mark, const stack_snapshot* copy) noexcept {
  if (mark.address == 0) return false;
  if (copy != nullptr)
    for (const stack_copy& each : copy->parts) {
      const std::size_t offset = mark.address - each.address;
      if (mark.address < each.address || offset + sizeof mark.value > each.bytes.size()) continue;
      std::uintptr_t word = 0;
      std::memcpy(&word, &each.bytes[offset], sizeof word);
      return word != mark.value;
    }
  if (!os::why_memory_is_unreadable().empty()) return false;
  std::uintptr_t word = 0;
  return !os::read_object(mark.address, word) || word != mark.value;
}

// Where its stack is, is all that is known of it then.
void make_running(green_thread_view& view) noexcept {
  view.state = green_thread_state::running;
  view.running_low = view.machine->low;
  view.running_high = view.machine->high;
  view.machine = nullptr;
  view.waits_for = {};
  view.operations = {};
}

}  // namespace

fiber_batch::fiber_batch(std::size_t stack_bytes)
    : stack_bytes_(stack_bytes & ~std::size_t{15}),
      capacity_(std::max(stack_bytes_, least_memory)),
      memory_(std::make_unique_for_overwrite<std::byte[]>(capacity_)) {
  gathered_.reserve(most_entries);
  fibers_.reserve(most_entries);
  parts_.reserve(2 * most_entries);
}

bool fiber_batch::full() const noexcept {
  return gathered_.size() == most_entries || capacity_ - used_ < stack_bytes_;
}

void fiber_batch::clear() noexcept {
  gathered_.clear();
  fibers_.clear();
  parts_.clear();
  used_ = 0;
}

void fiber_batch::add(const green_thread_view& view) {
  gathered_.push_back({view, nullptr});
  if (view.machine != nullptr) plan(*view.machine);
}

void fiber_batch::plan(const machine_stack& machine) {
  fiber& planned = fibers_.emplace_back();
  const std::uintptr_t sp = machine.registers.sp;
  os::arch::restore_registers(planned.copy.registers.values, machine.registers);
  planned.copy.full_registers = false;
  planned.is_copied = machine.low <= sp && sp < machine.high;
  if (!planned.is_copied) return;
  const std::size_t live = machine.high - sp;
  if (live <= stack_bytes_) {
    add_part(0, sp, live);
    return;
  }
  const std::size_t outer = stack_bytes_ / 4 & ~std::size_t{15};
  planned.copy.truncated = true;
  add_part(0, sp, stack_bytes_ - outer);
  add_part(1, machine.high - outer, outer);
}

void fiber_batch::add_part(unsigned which, std::uintptr_t from, std::size_t size) {
  std::byte* const to = memory_.get() + used_;
  used_ += size;
  fibers_.back().copy.parts[which] = {from, {to, size}};
  parts_.push_back({fibers_.size() - 1, {to, size}, {reinterpret_cast<void*>(from), size}});
}

void fiber_batch::copy_parts() {
  to_.clear();
  from_.clear();
  for (const part& each : parts_) {
    to_.push_back(each.to);
    from_.push_back(each.from);
  }
  for (std::size_t next = 0; next < parts_.size();)
    next = copy_from(next);
}

// Returns the part to go on with. The kernel stops at memory that is not there any more, as when a
// fiber has ended meanwhile: that part is given up.
std::size_t fiber_batch::copy_from(std::size_t first_part) {
  std::size_t bytes =
      os::read_parts(std::span{to_}.subspan(first_part), std::span{from_}.subspan(first_part));
  std::size_t at = first_part;
  while (at < parts_.size() && bytes >= parts_[at].from.iov_len)
    bytes -= parts_[at++].from.iov_len;
  if (at == parts_.size()) return at;
  fibers_[parts_[at].fiber].is_copied = false;
  return at + 1;
}

// Whether what is in the place of its stack now is something else, or nothing.
bool fiber_batch::is_gone(const machine_stack& stack, const stack_snapshot* copy) noexcept {
  if (std::ranges::any_of(stack.marks, [&](const stack_mark& each) { return is_lost(each, copy); }))
    return true;
  constexpr std::uint64_t most_looked_up = 10'000;  // at about a microsecond
  return stack.block != 0 && ++looked_up_ <= most_looked_up &&
         is_freed_block(stack.block, stack.block_size);
}

std::span<const captured_green_thread> fiber_batch::copy(std::unordered_set<std::uint64_t>* moved) {
  copy_parts();
  std::size_t kept = 0;
  auto copied = fibers_.begin();
  for (captured_green_thread& each : gathered_) {
    if (each.view.machine != nullptr) {
      const fiber& own = *copied++;
      const bool unchanged = is_unchanged(each.view);
      if (unchanged && is_gone(*each.view.machine, own.is_copied ? &own.copy : nullptr)) continue;
      if (own.is_copied && unchanged) {
        each.copy = &own.copy;
      } else if (moved == nullptr) {
        make_running(each.view);
      } else {
        moved->insert(each.view.id);
        continue;
      }
    }
    if (&gathered_[kept] != &each) gathered_[kept] = each;
    ++kept;
  }
  return std::span{gathered_}.first(kept);
}

}  // namespace gmr::capture
