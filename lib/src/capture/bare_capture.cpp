#include "capture/bare_capture.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "capture/capture_handler.hpp"
#include "capture/installed_signal.hpp"
#include "capture/restart.hpp"
#include "capture/send_signal.hpp"
#include "capture/slot_pool.hpp"
#include "capture/stack_recorder.hpp"
#include "hook/threads/thread_registry.hpp"
#include "os/memory.hpp"

namespace gmr::capture {
namespace {

using steady_clock = std::chrono::steady_clock;

constexpr std::size_t most_stack_bytes = 32768;  // of each copy

// Slots whose signal has not arrived are left alone, unless their thread has ended, and the signal
// with it: there are more than are used at once.
bool is_free(std::uint32_t slot) noexcept {
  const slot_phase phase = slot_pool::phase(slot);
  return phase == slot_idle || phase == slot_done || phase == slot_late ||
         (phase == slot_revoked && !thread_exists(slot_pool::at(slot).thread));
}

std::optional<std::uint32_t> find_free_slot(std::size_t number) noexcept {
  constexpr std::size_t turns = raw_slots / bare_capturer::most_at_once;
  for (std::size_t turn = 0; turn < turns; ++turn) {
    const auto slot =
        static_cast<std::uint32_t>(first_raw_slot + number + turn * bare_capturer::most_at_once);
    if (is_free(slot)) return slot;
  }
  return std::nullopt;
}

// Of the main thread's stack; the least address where it is not known: there is no room then.
std::uintptr_t find_main_mapped(const stack_bounds& main, std::uint64_t stack_kib) noexcept {
  constexpr std::uintptr_t not_known = 1;
  const std::uintptr_t size = stack_kib * 1024;
  return size != 0 && size < main.high ? main.high - size : not_known;
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

bare_threads bare_capturer::list() noexcept {
  const std::span room{listed_.get(), listed_.size()};
  const os::listed_threads found = files_.list_into(room);
  const std::span all = room.first(found.count);
  std::ranges::sort(all, {}, &os::numbered_thread::id);
  return {.all = all, .has_more = found.has_more, .error = found.error};
}

void bare_capturer::look(const os::numbered_thread& which, bare_thread& out) noexcept {
  const pid_t id = which.id;
  out = {};
  out.id = id;
  out.is_known = files_.status_into(which, out.status);
  if (!out.is_known) {
    if (!thread_exists(id)) return;
    out.outcome = capture_outcome::unreadable;
    out.note = "/proc can't be read";
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
  out.syscall = files_.blocked_in(which);
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
  if (thread.is_caller || !thread.is_known || thread.outcome == capture_outcome::exited) return;
  if (thread.syscall && thread.syscall->number >= 0 && is_never_restarted(*thread.syscall)) return;
  std::uint64_t probe = 0;
  const bool is_readable = os::read_object(reinterpret_cast<std::uintptr_t>(&main_), probe);
  const signalled_thread who{.id = thread.id,
                             .state = thread.status.state,
                             .tracer = thread.status.tracer,
                             .blocked_signals = thread.status.blocked_signals,
                             .main_mapped = find_main_mapped(main_, thread.status.stack_kib)};
  auto ban = is_readable ? find_bare_ban(who, thread.syscall, signal_, main_)
                         : bare_ban{capture_outcome::not_signalled, "memory can't be read"};
  const auto slot = has_slots_ ? find_free_slot(number) : std::nullopt;
  if (!ban && !has_capture_handler(signal_))
    ban = bare_ban{capture_outcome::not_signalled, "no capture signal"};
  if (!ban && !slot)
    ban =
        bare_ban{capture_outcome::not_signalled,
                 has_slots_ ? "too many threads have not answered yet" : "no memory for its stack"};
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
