// Shows all fibers to the reporter. Linked in with the hook, it registers itself.
//
// Listing only reads records: nothing that a fiber or a thread could hold is waited for, and a
// fiber that is resumed or ends meanwhile is noticed by its sequence.
#include <charconv>
#include <cstring>
#include <optional>

#include "hook/bare_sources.hpp"
#include "hook/fiber/fiber_hook.hpp"
#include "hook/fiber/fiber_pool.hpp"
#include "hook/fiber/fiber_self_test.hpp"
#include "hook/fiber/fiber_switches.h"
#include "hook/notes/shown_notes.hpp"
#include "hook/schedulers.hpp"

namespace gmr::trace {
namespace {

// A consistent reading of one record.
struct fiber_reading {
  std::uint64_t id = 0;
  std::uint64_t suspended_at = 0;
  pid_t runner = 0;
  std::uint32_t sequence = 0;
  const green_thread_notes* notes = nullptr;
  std::uint64_t resumed_by = 0;  // id of the fiber, or of the thread's own stack
  bool consistent = false;
  machine_stack stack;

  [[nodiscard]] bool is_suspended() const noexcept { return sequence % 2 == 0; }
  // The thread that ran it has ended, and the fiber with it.
  [[nodiscard]] bool is_gone() const noexcept { return !is_suspended() && runner == 0; }
};

// The assembly hook may be writing them: word by word, checked by the sequence afterwards.
void read_registers(const machine_registers& from, machine_registers& to) noexcept {
  constexpr std::size_t words = sizeof(machine_registers) / sizeof(std::uintptr_t);
  const auto* source = reinterpret_cast<const std::uintptr_t*>(&from);
  std::uintptr_t copy[words];
  for (std::size_t i = 0; i < words; ++i)
    copy[i] = __atomic_load_n(source + i, __ATOMIC_RELAXED);
  std::memcpy(&to, copy, sizeof copy);
}

std::uint64_t read_time(const timespec& from) noexcept {
  constexpr std::uint64_t second = 1'000'000'000;
  return static_cast<std::uint64_t>(__atomic_load_n(&from.tv_sec, __ATOMIC_RELAXED)) * second +
         static_cast<std::uint64_t>(__atomic_load_n(&from.tv_nsec, __ATOMIC_RELAXED));
}

bool is_own_stack(const fiber_record& record) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(&record);
  return address - reinterpret_cast<std::uintptr_t>(&thread_slot_at(0)) < sizeof thread_slots;
}

// The id of what resumed it, and goes on once it yields; 0 when that is not known. Schedulers that
// switch from fiber to fiber, as Boost.Fiber's, do it by ontop_fcontext or go round in circles.
std::uint64_t resumer_of(const fiber_record& record) noexcept {
  constexpr int deepest = 32;
  std::uint64_t id = 0;
  const fiber_record* at = &record;
  for (int depth = 0; depth < deepest; ++depth) {
    const std::uint64_t by = at->resumed_by.load(std::memory_order_relaxed);
    if ((by & GMR_BY_ONTOP) != 0) return 0;
    at = fiber_record::referred_to(by);
    if (at == nullptr) return by == 0 ? id : 0;
    if (id == 0) id = at->id.load(std::memory_order_relaxed);
    if (is_own_stack(*at)) return id;
  }
  return 0;
}

// One attempt: false when it changed meanwhile.
bool read_once(const fiber_record& record, fiber_reading& reading) noexcept {
  reading.sequence = record.sequence.load(std::memory_order_acquire);
  reading.id = record.id.load(std::memory_order_relaxed);
  reading.suspended_at = read_time(record.suspended_at);
  reading.stack.low = record.low.load(std::memory_order_relaxed);
  reading.stack.high = record.high.load(std::memory_order_relaxed);
  const thread_slot* const runner = record.runner.load(std::memory_order_relaxed);
  reading.runner = runner == nullptr ? 0 : runner->tid.load(std::memory_order_relaxed);
  reading.notes = record.notes.load(std::memory_order_acquire);
  reading.resumed_by = resumer_of(record);
  read_registers(record.registers, reading.stack.registers);
  std::atomic_thread_fence(std::memory_order_acquire);
  return record.sequence.load(std::memory_order_relaxed) == reading.sequence;
}

// Nothing when there is no fiber. One that switches too fast to be read is running.
std::optional<fiber_reading> read(const fiber_record& record) noexcept {
  constexpr int attempts = 16;
  fiber_reading reading;
  for (int attempt = 0; attempt < attempts && !reading.consistent; ++attempt) {
    const fiber_state state = record.state.load(std::memory_order_acquire);
    if (state != fiber_state::suspendable && state != fiber_state::ending) return std::nullopt;
    reading.consistent = read_once(record, reading);
  }
  if (!reading.consistent) reading.sequence |= 1;
  return reading;
}

// Otherwise the hook of another copy of the library does them.
bool does_switches() noexcept {
  return gmr_hook_that_serves.jump == nullptr;
}

class fiber_source final : public portioned_scheduler {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return "Boost.Context fibers"; }

  // A place is a record.
  [[nodiscard]] std::optional<place> list_some(green_thread_list& out, place at) override {
    for (const std::uint32_t count = record_count(); at.index < count; ++at.index) {
      if (out.size() >= usual_portion) return at;
      const fiber_record* const record = record_at(at.index);
      if (record == nullptr) continue;
      if (const auto reading = read(*record)) show(out, *record, *reading, {});
    }
    for (std::size_t index = 0; index < thread_slot_count; ++index)
      list_own_stack(out, thread_slot_at(index));
    return std::nullopt;
  }

  [[nodiscard]] std::string_view problem() const noexcept override {
    if (problem_.empty() && untraced_fibers() != 0)
      return "fiber tracing incomplete: there was no memory to trace some fibers";
    return problem_;
  }

 private:
  // While a thread runs a fiber, its own stack is a suspended one: the main fiber of Boost.Fiber,
  // the loop that resumed the fiber of a server.
  void list_own_stack(green_thread_list& out, const thread_slot& slot) {
    const pid_t tid = slot.tid.load(std::memory_order_acquire);
    if (tid <= 0) return;
    const auto reading = read(slot.own);
    if (!reading || !reading->is_suspended()) return;
    char name[48] = "own stack of thread ";
    char* const number = name + std::strlen(name);
    const char* const end = std::to_chars(number, name + sizeof name, tid).ptr;
    show(out, slot.own, *reading, {name, static_cast<std::size_t>(end - name)});
  }

  void show(green_thread_list& out, const fiber_record& record, const fiber_reading& reading,
            std::string_view name) {
    if (reading.is_gone()) return;
    machine_stack stack = reading.stack;
    if (!is_own_stack(record)) mark(stack, record);
    green_thread_view view;
    view.id = reading.id;
    view.kind = green_thread_kind::fiber;
    view.name = name;
    if (!is_own_stack(record)) view.parent = reading.resumed_by;
    notes_.show(reading.notes, view);
    if (reading.is_suspended()) {
      view.state = green_thread_state::suspended;
      view.suspended_at = reading.suspended_at;
      view.last_thread = reading.runner;
      view.machine = &stack;
      view.sequence = &record.sequence;
      view.sequence_seen = reading.sequence;
      view.record = &record.sequence;
      view.record_state = reading.sequence;
    } else {
      view.state = green_thread_state::running;
      view.thread = reading.runner;
      if (reading.consistent) {
        view.running_low = reading.stack.low;
        view.running_high = reading.stack.high;
      }
    }
    out.visit(view);
  }

  shown_notes notes_;
  std::string_view problem_ = does_switches() ? test_fiber_hook() : std::string_view{};
};

// For the raw report. A place is a record, and after those a thread's own stack.
bool show_bare(const fiber_record& record, bare_green_thread& out) noexcept {
  const std::optional<fiber_reading> reading = read(record);
  if (!reading || reading->is_gone()) return false;
  out = {};
  out.id = reading->id;
  out.has_stack = reading->is_suspended();
  out.state = out.has_stack ? green_thread_state::suspended : green_thread_state::running;
  out.suspended_at = out.has_stack ? reading->suspended_at : 0;
  out.thread = out.has_stack ? 0 : reading->runner;
  out.stack = reading->stack;
  if (!is_own_stack(record)) mark(out.stack, record);
  out.sequence = &record.sequence;
  out.sequence_seen = reading->sequence;
  if (reading->notes == nullptr || !reading->notes->read(out.id, out.texts)) out.texts = {};
  return true;
}

bool next_fiber(bare_place& at, bare_green_thread& out) noexcept {
  const std::uint32_t count = record_count();
  while (at.part == 0 && at.index < count) {
    const fiber_record* const record = record_at(at.index++);
    if (record != nullptr && show_bare(*record, out)) return true;
  }
  if (at.part == 0) at = {1, 0};
  while (at.index < thread_slot_count) {
    const thread_slot& slot = thread_slot_at(at.index++);
    if (slot.tid.load(std::memory_order_acquire) > 0 && show_bare(slot.own, out) && out.has_stack)
      return true;
  }
  return false;
}

constexpr bare_source fibers_alone{"Boost.Context fibers", next_fiber};

fiber_source source;
const scheduler_registration registration = [] {
  if (!does_switches()) return scheduler_registration{};
  register_bare_source(fibers_alone);
  return register_portioned(source);
}();

}  // namespace
}  // namespace gmr::trace
