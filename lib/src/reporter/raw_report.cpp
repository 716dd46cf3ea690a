#include "reporter/raw_report.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "os/arch/machine.hpp"
#include "sink/log_file.hpp"
#include "text/times.hpp"
#include "trace/thread_registry.hpp"

namespace gmr {
namespace {

constexpr std::chrono::seconds longest{4};         // that it may take
constexpr std::chrono::milliseconds answers{300};  // for threads that were signalled

constexpr std::uint64_t only_pc_and_sp =
    std::uint64_t{1} << os::arch::pc_register | std::uint64_t{1} << os::arch::sp_register;

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
  sinks::bare_output out{sink_, stamp.view()};
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
  const bool has_more_threads = !show_threads(view, why);
  collect_green_threads();
  view.show_green_threads(groups_);
  view.end({.has_more_threads = has_more_threads,
            .seconds = std::chrono::duration<double>(clock::now() - start).count()});
}

// False when there are more than could be shown in time.
bool raw_report::show_threads(views::raw_view& view, const reason& why) noexcept {
  std::span<const pid_t> ids = capturer_.list();
  view.begin_threads(ids.size());
  const bool has_memory = threads_.size() != 0 && stacks_.size() != 0;
  if (has_memory && why.failing != nullptr) {
    show_failing_thread(view, why);
    ids = capturer_.without(why.failing->thread);
  }
  while (has_memory && !ids.empty() && clock::now() < end_) {
    const std::size_t count = std::min(ids.size(), threads_.size());
    show_some_threads(view, ids.first(count));
    ids = ids.subspan(count);
  }
  return ids.empty();
}

// Its stack is where it was when it failed: it stands still in a handler.
void raw_report::show_failing_thread(views::raw_view& view, const reason& why) noexcept {
  const os::fatal_error& error = *why.failing;
  capture::bare_thread& thread = threads_[0];
  capturer_.look(error.thread, thread);
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
void raw_report::show_some_threads(views::raw_view& view, std::span<const pid_t> ids) noexcept {
  std::array<bool, capture::bare_capturer::most_at_once> whole{};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    capturer_.look(ids[i], threads_[i]);
    whole[i] = walk(threads_[i], stacks_[i]);
    if (!whole[i]) capturer_.ask(threads_[i], i);
  }
  capturer_.wait({threads_.get(), ids.size()}, clock::now() + answers);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    capture::bare_thread& thread = threads_[i];
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

void raw_report::collect_green_threads() noexcept {
  groups_.clear();
  for (const trace::bare_source* const source : trace::bare_sources()) {
    if (source == nullptr) continue;
    for (trace::bare_place at; clock::now() < end_ && source->next(at, green_thread_);) {
      fiber_stack_.count = 0;
      if (green_thread_.has_stack) walk_fiber(green_thread_);
      groups_.add(green_thread_, fiber_stack_);
    }
  }
  groups_.sort();
}

// It may be resumed at any moment: what was read then is dropped.
void raw_report::walk_fiber(const trace::bare_green_thread& fiber) noexcept {
  unwind::walk_state from;
  os::arch::restore_registers(from.registers.values, fiber.stack.registers);
  from.known = unwind::registers_after_call;
  unwind::walk_bare(modules_, from, true, {}, fiber_stack_);
  os::arch::order_loads();
  if (fiber.sequence->load(std::memory_order_acquire) == fiber.sequence_seen) return;
  green_thread_.has_stack = false;
  green_thread_.state = green_thread_state::running;
  fiber_stack_.count = 0;
}

}  // namespace gmr
