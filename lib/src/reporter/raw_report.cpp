#include "reporter/raw_report.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "capture/freed_block.hpp"
#include "hook/threads/thread_registry.hpp"
#include "os/arch/machine.hpp"
#include "os/errors.hpp"
#include "os/memory.hpp"
#include "sink/log_file.hpp"
#include "text/times.hpp"

namespace gmr {
namespace {

constexpr std::chrono::seconds longest{4};                    // that threads may take
constexpr std::chrono::seconds longest_for_green_threads{3};  // after those
constexpr std::chrono::milliseconds answers{300};             // for threads that were signalled

constexpr std::uint64_t only_pc_and_sp =
    std::uint64_t{1} << os::arch::pc_register | std::uint64_t{1} << os::arch::sp_register;

bool can_read_memory() noexcept {
  const std::uint64_t there = 0;
  std::uint64_t read = 0;
  return os::read_object(reinterpret_cast<std::uintptr_t>(&there), read);
}

}  // namespace

raw_report::raw_report(package software, const settings& set, int capture_signal)
    : software_(std::move(software)),
      format_(set.format),
      sink_{.log_dir = set.log_dir.string(),
            .begin = sinks::beginning_of_name(software_.name),
            .extension = set.format == report_format::json ? "json" : "txt"},
      capturer_(capture_signal, set.stack_bytes) {}

void raw_report::write(const reason& why) noexcept {
  end_ = clock::now() + longest;
  const auto stamp = texts::bare_utc_stamp(std::chrono::system_clock::now());
  sinks::bare_output out{sink_, stamp.view(), !why.is_sink_stuck};
  if (format_ == report_format::json) {
    views::raw_json view{out, modules_};
    draw(view, why);
  } else {
    views::raw_text view{out, modules_};
    draw(view, why);
  }
  groups_.clear();
}

void raw_report::draw(views::raw_view& view, const reason& why) noexcept {
  const clock::time_point start = clock::now();
  utsname system{};
  ::uname(&system);
  view.begin({.cause = why.cause,
              .time = std::chrono::system_clock::now(),
              .host = system.nodename,
              .number = why.number,
              .requests = why.requests,
              .note = why.note,
              .software = &software_,
              .process = ::getpid()});
  modules_.read();
  view.show_modules(modules_.all());
  views::raw_end end;
  show_threads(view, why, end);
  end_ = clock::now() + longest_for_green_threads;
  end.has_more_green_threads = !collect_green_threads();
  view.show_green_threads(groups_);
  end.seconds = std::chrono::duration<double>(clock::now() - start).count();
  view.end(end);
}

void raw_report::show_threads(views::raw_view& view, const reason& why,
                              views::raw_end& end) noexcept {
  const capture::bare_threads found = capturer_.list();
  std::span<const os::numbered_thread> left = found.all;
  view.begin_threads(left.size());
  const bool has_memory = threads_.size() != 0 && stacks_.size() != 0;
  const pid_t failing = why.failing == nullptr ? 0 : why.failing->thread;
  const auto place = std::ranges::find(left, failing, &os::numbered_thread::id);
  if (has_memory && place != left.end()) show_failing_thread(view, why, *place);
  while (has_memory && !left.empty() && clock::now() < end_) {
    const std::size_t count = std::min(left.size(), threads_.size());
    show_some_threads(view, left.first(count), failing);
    left = left.subspan(count);
  }
  end.has_more_threads = found.has_more || !left.empty();
  if (found.error != 0) end.why_no_threads = os::bare_error_text(found.error);
}

// Its stack is where it was when it failed: it stands still in a handler.
void raw_report::show_failing_thread(views::raw_view& view, const reason& why,
                                     const os::numbered_thread& which) noexcept {
  const os::fatal_error& error = *why.failing;
  capture::bare_thread& thread = threads_[0];
  capturer_.look(which, thread);
  thread.outcome = capture_outcome::ok;
  trace::thread_traits traits;
  if (trace::find_thread(error.thread, traits) &&
      traits.low <= error.sp() + os::arch::largest_page && error.sp() < traits.high)
    thread.runs = traits.fiber;
  unwind::walk_state from;
  from.registers.values = error.registers;
  from.known = unwind::all_registers;
  unwind::walk_bare(modules_, from, false, {}, stacks_[0]);
  view.show_thread(thread, stacks_[0], why.what_failed);
}

// Stacks are read where they are; those of which that does not do are asked for by signal.
void raw_report::show_some_threads(views::raw_view& view, std::span<const os::numbered_thread> some,
                                   pid_t shown_before) noexcept {
  std::array<bool, capture::bare_capturer::most_at_once> whole{};
  for (std::size_t i = 0; i < some.size(); ++i) {
    threads_[i] = {};
    if (some[i].id == shown_before) continue;
    capturer_.look(some[i], threads_[i]);
    whole[i] = walk(threads_[i], stacks_[i]);
    if (!whole[i]) capturer_.ask(threads_[i], i);
  }
  capturer_.wait({threads_.get(), some.size()}, clock::now() + answers);
  for (std::size_t i = 0; i < some.size(); ++i) {
    capture::bare_thread& thread = threads_[i];
    if (some[i].id == shown_before) continue;
    if (!whole[i] && thread.copy != nullptr) static_cast<void>(walk(thread, stacks_[i]));
    // What was not copied was not needed.
    const bool is_whole = stacks_[i].count != 0 && stacks_[i].end == unwind::bare_end::outermost;
    if (thread.outcome == capture_outcome::truncated && is_whole)
      thread.outcome = capture_outcome::ok;
    view.show_thread(thread, stacks_[i], thread.note);
  }
}

// Whether the whole stack is known.
bool raw_report::walk(const capture::bare_thread& thread, unwind::bare_stack& out) noexcept {
  out.count = 0;
  if (thread.copy == nullptr && !thread.only_pc_and_sp)
    return thread.outcome == capture_outcome::exited;
  if (thread.copy != nullptr && thread.copy->walked != 0) {  // by the thread itself
    const auto* const counters = reinterpret_cast<const std::uintptr_t*>(thread.copy->memory);
    for (; out.count < std::min(thread.copy->walked, out.frames.size()); ++out.count)
      out.frames[out.count] = {counters[out.count], out.count != 0};
    out.end =
        out.count < thread.copy->walked ? unwind::bare_end::limit : unwind::bare_end::outermost;
    return true;
  }
  unwind::walk_state from;
  from.registers = thread.registers;
  from.known = thread.copy != nullptr ? unwind::all_registers : only_pc_and_sp;
  const unwind::bare_memory memory =
      thread.copy != nullptr ? unwind::bare_memory{*thread.copy} : unwind::bare_memory{};
  unwind::walk_bare(modules_, from, false, memory, out);
  if (thread.copy != nullptr) return true;
  if (!capture::bare_capturer::has_not_run(thread)) {
    out.count = 0;  // what was read may be of several moments
    return false;
  }
  return out.end == unwind::bare_end::outermost || out.end == unwind::bare_end::limit;
}

// False when there are more than could be collected in time.
bool raw_report::collect_green_threads() noexcept {
  groups_.clear();
  bool is_in_time = true;
  for (const trace::bare_source* const source : trace::bare_sources()) {
    if (source == nullptr) continue;
    for (trace::bare_place at; is_in_time && source->next(at, green_thread_);) {
      is_in_time = clock::now() < end_;
      if (is_in_time) add_green_thread();
    }
  }
  groups_.sort();
  return is_in_time;
}

void raw_report::add_green_thread() noexcept {
  fiber_stack_.count = 0;
  if (green_thread_.has_stack && !walk_fiber(green_thread_)) return;
  groups_.add(green_thread_, fiber_stack_);
}

// It may be resumed at any moment: what was read then is dropped. False when there is no such fiber
// any more.
bool raw_report::walk_fiber(const trace::bare_green_thread& fiber) noexcept {
  unwind::walk_state from;
  os::arch::restore_registers(from.registers.values, fiber.stack.registers);
  from.known = unwind::registers_after_call;
  unwind::walk_bare(modules_, from, true, {}, fiber_stack_);
  os::arch::order_loads();
  if (fiber.sequence->load(std::memory_order_acquire) == fiber.sequence_seen)
    return !can_read_memory() || !capture::is_stack_gone(fiber.stack);
  green_thread_.has_stack = false;
  green_thread_.state = green_thread_state::running;
  fiber_stack_.count = 0;
  return true;
}

}  // namespace gmr
