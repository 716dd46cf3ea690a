#include "capture/bare_capture.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "capture/capture_handler.hpp"
#include "capture/restart.hpp"
#include "capture/send_signal.hpp"
#include "capture/slot_pool.hpp"
#include "capture/stack_recorder.hpp"
#include "os/memory.hpp"
#include "trace/thread_registry.hpp"

namespace gmr::capture {
namespace {

using steady_clock = std::chrono::steady_clock;

constexpr std::size_t most_stack_bytes = 32768;  // of each copy

// Slots whose signal has not arrived are left alone: there are more than are used at once.
std::optional<std::uint32_t> find_free_slot(std::size_t number) noexcept {
  constexpr std::size_t turns = raw_slots / bare_capturer::most_at_once;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    const auto slot =
        static_cast<std::uint32_t>(first_raw_slot + number + turn * bare_capturer::most_at_once);
    const slot_phase phase = slot_pool::phase(slot);
    if (phase == slot_idle || phase == slot_done || phase == slot_late) return slot;
  }
  return std::nullopt;
}

void pause_briefly() noexcept {
  const timespec time{0, 200'000};
  ::nanosleep(&time, nullptr);
}

void accept(bare_thread& thread, const capture_slot& slot) noexcept {
  using enum capture_outcome;
  if (slot.no_room) {
    thread.outcome = not_signalled;
    thread.note = "too little of its alternate stack left for a signal";
    return;
  }
  std::copy(std::begin(slot.registers), std::end(slot.registers), thread.registers.values.begin());
  thread.only_pc_and_sp = false;
  thread.copy = &slot;
  thread.runs = slot.runs;
  thread.outcome = slot.unreadable ? unreadable : slot.truncated ? truncated : ok;
  thread.note = "";
}

}  // namespace

bare_capturer::bare_capturer(int signal, std::size_t stack_bytes)
    : signal_(signal),
      main_(main_stack()),
      has_slots_(slot_pool::reserve_for_raw_report(std::min(stack_bytes, most_stack_bytes))) {
  static_cast<void>(knows_stacks());
}

std::span<const pid_t> bare_capturer::list() noexcept {
  const std::span all{ids_.get(), ids_.size()};
  const std::span found = all.first(files_.list_into(all));
  std::sort(found.begin(), found.end());
  listed_ = found.size();
  return found;
}

std::span<const pid_t> bare_capturer::without(pid_t id) noexcept {
  const std::span all{ids_.get(), listed_};
  const auto rest = std::ranges::remove(all, id);
  listed_ -= rest.size();
  return all.first(listed_);
}

void bare_capturer::look(pid_t id, bare_thread& out) noexcept {
  out = {};
  out.id = id;
  if (!files_.status_into(id, out.status)) {
    out.note = thread_exists(id) ? "/proc can't be read" : "";
    return;
  }
  if (out.status.state == 'Z' || out.status.state == 'X') return;
  out.outcome = capture_outcome::not_signalled;
  out.is_caller = id == ::gettid();
  if (out.is_caller && has_slots_) {
    capture_slot& slot = slot_pool::at(first_raw_slot + raw_slots - 1);
    clear_result(slot);
    record_own_stack(slot);
    accept(out, slot);
    return;
  }
  out.cpu = os::cpu_clock(id);
  out.syscall = files_.blocked_in(id);
  if (!out.syscall || out.syscall->sp == 0) return;
  out.registers.values[pc_register] = out.syscall->pc;
  out.registers.values[sp_register] = out.syscall->sp;
  out.only_pc_and_sp = true;
  out.outcome = capture_outcome::ok;
  trace::thread_traits traits;
  if (trace::find_thread(id, traits) && traits.low <= out.syscall->sp &&
      out.syscall->sp < traits.high)
    out.runs = traits.fiber;
}

bool bare_capturer::has_not_run(const bare_thread& thread) noexcept {
  return thread.cpu != 0 && os::cpu_clock(thread.id) == thread.cpu;
}

void bare_capturer::ask(bare_thread& thread, std::size_t number) noexcept {
  if (thread.is_caller || thread.outcome == capture_outcome::exited) return;
  if (thread.syscall && thread.syscall->number >= 0 && is_never_restarted(*thread.syscall)) return;
  std::uint64_t probe = 0;
  const bool is_readable = os::read_object(reinterpret_cast<std::uintptr_t>(&main_), probe);
  const signalled_thread who{.id = thread.id,
                             .state = thread.status.state,
                             .tracer = thread.status.tracer,
                             .blocked_signals = thread.status.blocked_signals,
                             .main_mapped = main_.high - thread.status.stack_kib * 1024};
  auto ban = is_readable ? find_bare_ban(who, thread.syscall, signal_, main_)
                         : bare_ban{capture_outcome::not_signalled, "memory can't be read"};
  const auto slot = has_slots_ ? find_free_slot(number) : std::nullopt;
  if (!ban && !slot) ban = bare_ban{capture_outcome::not_signalled, "no memory for its stack"};
  if (ban) {
    if (thread.only_pc_and_sp) return;  // some of its stack is known
    thread.outcome = ban->outcome;
    thread.note = ban->reason;
    return;
  }
  capture_slot& filled = slot_pool::at(*slot);
  clear_result(filled);
  const stack_bounds bounds = thread.id == ::getpid() ? main_ : stack_of(thread.id);
  filled.low = bounds.low;
  filled.high = bounds.high;
  const std::uint64_t payload = slot_pool::arm(*slot, thread.id);
  if (send_capture_signal(thread.id, signal_, payload).result == send_result::sent)
    thread.asked = slot;
  else
    slot_pool::disarm(*slot);
}

void bare_capturer::wait(std::span<bare_thread> threads, steady_clock::time_point end) noexcept {
  const auto is_open = [](const bare_thread& each) {
    return each.asked && slot_pool::phase(*each.asked) != slot_done;
  };
  while (std::ranges::any_of(threads, is_open) && steady_clock::now() < end)
    pause_briefly();
  for (bare_thread& each : threads) {
    if (!each.asked) continue;
    if (!is_open(each) || !slot_pool::revoke(*each.asked)) {
      for (int i = 0; i < 50 && is_open(each); ++i)  // it is just writing
        pause_briefly();
    }
    if (!is_open(each)) {
      accept(each, slot_pool::at(*each.asked));
    } else if (!each.only_pc_and_sp) {
      each.outcome = capture_outcome::timeout;
      each.note = "did not answer in time";
    }
    each.asked.reset();
  }
}

}  // namespace gmr::capture
