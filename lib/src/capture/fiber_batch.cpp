#include "capture/fiber_batch.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace gmr::capture {
namespace {

constexpr std::size_t most_entries = 256;  // with two parts each within IOV_MAX
constexpr std::size_t least_memory = std::size_t{1} << 20;

register_set to_register_set(const machine_registers& saved) noexcept {
  register_set set;
#if defined(__x86_64__)
  set.values[3] = saved.rbx;
  set.values[frame_register] = saved.rbp;
  set.values[12] = saved.r12;
  set.values[13] = saved.r13;
  set.values[14] = saved.r14;
  set.values[15] = saved.r15;
#else
  constexpr std::size_t first_saved = 19;
  std::copy(std::begin(saved.x19_to_x30), std::end(saved.x19_to_x30),
            set.values.begin() + first_saved);
#endif
  set.values[sp_register] = saved.sp;
  set.values[pc_register] = saved.pc;
  return set;
}

// Lets no later load be done before an earlier one. Not a fence of <atomic>: thread sanitizer knows
// none.
void order_loads() noexcept {
#if defined(__aarch64__)
  asm volatile("dmb ishld" : : : "memory");
#else
  asm volatile("" : : : "memory");
#endif
}

bool is_unchanged(const green_thread_view& view) noexcept {
  if (view.sequence == nullptr) return true;
  order_loads();
  return view.sequence->load(std::memory_order_acquire) == view.sequence_seen;
}

}  // namespace

fiber_batch::fiber_batch(std::size_t stack_bytes)
    : stack_bytes_(stack_bytes & ~std::size_t{15}),
      capacity_(std::max(stack_bytes_, least_memory)),
      memory_(std::make_unique_for_overwrite<std::byte[]>(capacity_)),
      entries_(most_entries),
      process_(getpid()) {
  parts_.reserve(2 * most_entries);
}

bool fiber_batch::full() const noexcept {
  return count_ == most_entries || capacity_ - used_ < stack_bytes_;
}

void fiber_batch::clear() noexcept {
  count_ = 0;
  used_ = 0;
  parts_.clear();
}

void fiber_batch::add(const green_thread_view& view) {
  entry& added = entries_[count_];
  added.view = view;
  added.machine = *view.machine;
  added.view.machine = &added.machine;
  added.name = view.name;
  added.view.name = added.name;
  added.waits_for = view.waits_for;
  added.view.waits_for = added.waits_for;
  added.label_texts.assign(view.labels.begin(), view.labels.end());
  added.labels.assign(added.label_texts.begin(), added.label_texts.end());
  added.view.labels = added.labels;
  added.operations.assign(view.operations.begin(), view.operations.end());
  added.view.operations = added.operations;
  added.view.frames = {};
  plan(count_++);
}

void fiber_batch::plan(std::size_t index) {
  entry& planned = entries_[index];
  const machine_stack& machine = planned.machine;
  const std::uintptr_t sp = machine.registers.sp;
  planned.copy.registers = to_register_set(machine.registers);
  planned.copy.full_registers = false;
  planned.copy.truncated = false;
  planned.copy.parts = {};
  planned.copied = machine.low <= sp && sp < machine.high;
  if (!planned.copied) return;
  const std::size_t live = machine.high - sp;
  if (live <= stack_bytes_) {
    add_part(index, 0, sp, live);
    return;
  }
  const std::size_t outer = stack_bytes_ / 4 & ~std::size_t{15};
  planned.copy.truncated = true;
  add_part(index, 0, sp, stack_bytes_ - outer);
  add_part(index, 1, machine.high - outer, outer);
}

void fiber_batch::add_part(std::size_t index, unsigned which, std::uintptr_t from,
                           std::size_t size) {
  std::byte* const to = memory_.get() + used_;
  used_ += size;
  entries_[index].copy.parts[which] = {from, {to, size}};
  parts_.push_back({index, {to, size}, {reinterpret_cast<void*>(from), size}});
}

void fiber_batch::copy() {
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
  const long count = static_cast<long>(parts_.size() - first_part);
  const long got = syscall(SYS_process_vm_readv, process_, to_.data() + first_part, count,
                           from_.data() + first_part, count, 0L);
  std::size_t bytes = got < 0 ? 0 : static_cast<std::size_t>(got);
  std::size_t at = first_part;
  while (at < parts_.size() && bytes >= parts_[at].from.iov_len)
    bytes -= parts_[at++].from.iov_len;
  if (at == parts_.size()) return at;
  entries_[parts_[at].entry].copied = false;
  return at + 1;
}

void fiber_batch::finish(green_thread_consumer& consumer,
                         std::unordered_set<std::uint64_t>* moved) {
  copy();
  for (std::size_t i = 0; i < count_; ++i) {
    entry& each = entries_[i];
    if (each.copied && is_unchanged(each.view)) {
      consumer.take(each.view, each.copy);
    } else if (moved != nullptr) {
      moved->insert(each.view.id);
    } else {
      each.view.state = green_thread_state::running;
      each.view.running_low = each.machine.low;
      each.view.running_high = each.machine.high;
      each.view.machine = nullptr;
      each.view.waits_for = {};
      each.view.operations = {};
      consumer.take(each.view);
    }
  }
  clear();
}

}  // namespace gmr::capture
