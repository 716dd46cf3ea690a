#include "capture/stack_taker.hpp"

#include <unistd.h>

#include <string>
#include <utility>

#include "capture/fill_snapshot.hpp"
#include "capture/outside_copy.hpp"
#include "capture/send_signal.hpp"
#include "capture/stack_recorder.hpp"
#include "os/fatal_errors.hpp"
#include "os/interrupted_call.hpp"

namespace gmr::capture {
namespace {

using steady_clock = std::chrono::steady_clock;

// One that is somewhere else each time is signalled in the end.
constexpr int most_looks = 3;

void refuse(thread_snapshot& thread, const signal_ban& ban) {
  thread.outcome = ban.outcome;
  thread.note.insert(0, ban.reason + (thread.note.empty() ? "" : "; "));
}

}  // namespace

void stack_taker::begin(int signal) {
  round_.begin();
  signal_ = signal;
  losses_ = {};
}

void stack_taker::recycle(const thread_work& work) {
  if (work.slot) pool_.release(*work.slot);
}

void stack_taker::look_anew(thread_snapshot& thread, thread_work& work) {
  recycle(work);
  thread_work again;
  again.looks = work.looks;
  work = std::move(again);
  thread_snapshot anew;
  anew.id = thread.id;
  thread = std::move(anew);
  look(thread, work);
}

void stack_taker::look(thread_snapshot& thread, thread_work& work) {
  ++work.looks;
  thread.is_reporter = thread.id == gettid();
  thread.outcome = capture_outcome::exited;
  work.before = {os::cpu_clock(thread.id), std::nullopt, steady_clock::now()};
  if (!thread.is_reporter) look_for_call(thread, work);
  if (look_quietly(thread, work)) return;
  const std::optional<os::task_status> status = introduce_by_status(thread);
  if (!status) return;
  if (!thread.cpu) thread.cpu = read_times(files_, thread.id, work.before.clock);
  if (status->state == 'R') work.before.pauses = status->pauses;
  if (thread.is_reporter)
    take_own_stack(thread, work);
  else
    look_closely(thread, work, *status);
}

// A process that gave up root may not read that of its own threads.
void stack_taker::look_for_call(thread_snapshot& thread, thread_work& work) {
  thread.syscall = files_.blocked_in(thread.id);
  work.call_is_secret = !thread.syscall && files_.is_denied(thread.id);
  if (work.call_is_secret) losses_.calls = files_.error();
}

// Of a thread whose stack is exact nobody needs to know how it takes signals: `stat` costs less
// than `status`.
bool stack_taker::look_quietly(thread_snapshot& thread, thread_work& work) {
  const bool blocked = thread.syscall && thread.syscall->number >= 0;
  if (!blocked || signal_ < 0) return false;
  const std::optional<os::task_times> known = files_.times(thread.id);
  if (!known || !introduce(thread, known->name, known->state)) return false;
  thread.cpu = read_times(files_, thread.id, *known);
  if (known->state != 'S' || known->blocks_signals || !read_without_signal(thread, work))
    return false;
  thread.outcome = capture_outcome::ok;  // to its end, however little of it was copied
  return true;
}

// Nothing when the thread has ended.
std::optional<os::task_status> stack_taker::introduce_by_status(thread_snapshot& thread) {
  std::optional<os::task_status> status = files_.status(thread.id);
  if (!status && files_.is_denied(thread.id)) {
    losses_.files = files_.error();
    thread.outcome = capture_outcome::unreadable;
    add_note(thread, "its files in /proc/self/task can't be read");
  }
  if (status && !introduce(thread, status->name, status->state)) return std::nullopt;
  return status;
}

// A wait for signals would take ours, too, and hand it to the program. Where its call is not known,
// the kernel's function is.
std::optional<signal_ban> stack_taker::find_ban(const thread_snapshot& thread,
                                                const thread_work& work,
                                                const os::task_status& status) {
  auto ban = find_signal_ban(thread.id, status, thread.syscall, signal_, main_);
  if (!ban && work.call_is_secret &&
      files_.wait_channel(thread.id).find("sigtimedwait") != std::string::npos)
    ban = signal_ban{capture_outcome::signal_blocked, "waits for signals"};
  return ban;
}

void stack_taker::look_closely(thread_snapshot& thread, thread_work& work,
                               const os::task_status& status) {
  work.ban = find_ban(thread, work, status);
  const bool blocked = thread.syscall && thread.syscall->number >= 0;
  if ((work.ban || blocked) && read_without_signal(thread, work))
    thread.outcome = work.ban ? work.ban->outcome : capture_outcome::ok;
  else if (work.ban)
    refuse(thread, *work.ban);
  else
    ask(thread, work, status);
}

void stack_taker::take_own_stack(thread_snapshot& thread, thread_work& work) {
  if (!acquire_slot(thread, work)) return;
  record_own_stack(pool_.at(*work.slot));
  accept(thread, work);
}

bool stack_taker::read_without_signal(thread_snapshot& thread, thread_work& work) {
  if (!work.slot && !acquire_slot(thread, work)) return false;
  capture_slot& slot = pool_.at(*work.slot);
  const std::optional<std::uint64_t> right =
      copy_from_outside(thread, slot, files_, work.before.clock, stack_bytes_);
  if (!right) return false;
  fill(thread, slot);
  work.is_read = thread.is_new = true;
  work.copied_at = *right;
  return true;
}

void stack_taker::conclude(thread_snapshot& thread, thread_work& work, bool exact) {
  work.is_read = false;
  if (unwinds_copies && os::is_failing_thread(thread.id)) {
    thread.outcome = capture_outcome::ok;  // there is nothing better to be had
  } else if (exact && (!work.ban || signal_ < 0)) {
    thread.outcome = capture_outcome::ok;
    work.right_at = work.copied_at;
  } else if (work.ban) {
    add_note(thread, exact ? "read without a signal" : "outer frames may be missing");
    refuse(thread, *work.ban);
  } else {
    ask_instead(thread, work);
  }
}

// What was seen of the thread is as old as unwinding takes: it may be in another call, or on
// another stack by now.
void stack_taker::ask_instead(thread_snapshot& thread, thread_work& work) {
  const bool has_run = os::cpu_clock(thread.id) != work.copied_at;
  if (has_run) {
    if (work.looks < most_looks) return look_anew(thread, work);
    look_for_call(thread, work);
  }
  thread.outcome = capture_outcome::exited;
  const std::optional<os::task_status> status = introduce_by_status(thread);
  if (status) work.ban = find_ban(thread, work, *status);
  if (work.ban && !has_run) return conclude(thread, work, false);
  thread.stack = {};
  if (work.ban)
    refuse(thread, *work.ban);
  else if (status)
    ask(thread, work, *status);
}

bool stack_taker::acquire_slot(thread_snapshot& thread, thread_work& work) {
  work.slot = pool_.acquire(stack_bytes_);
  if (work.slot) return true;
  if (std::exchange(thread.outcome, capture_outcome::unreadable) != capture_outcome::unreadable) {
    add_note(thread, "no memory for a copy of its stack");
    ++losses_.uncopied;
  }
  return false;
}

void stack_taker::ask(thread_snapshot& thread, thread_work& work, const os::task_status& status) {
  if (!work.slot && !acquire_slot(thread, work)) return;
  capture_slot& slot = pool_.at(*work.slot);
  clear_result(slot);
  // For the thread itself, while it is there: from here its stack may go at any moment.
  const stack_bounds bounds = thread.id == getpid() ? main_ : stack_of(thread.id);
  slot.low = bounds.low;
  slot.high = bounds.high;
  const bool is_pending = (status.pending_signals >> (signal_ - 1) & 1U) != 0;
  switch (round_.ask(thread.id, signal_, is_pending, *work.slot)) {
    case send_result::sent:
      work.question = round_.size() - 1;
      break;
    case send_result::thread_gone:
      thread.outcome = capture_outcome::exited;
      break;
    case send_result::queue_full:
      thread.outcome = capture_outcome::not_signalled;
      add_note(thread, "too many pending signals (RLIMIT_SIGPENDING)");
      ++losses_.queue_full;
      break;
    case send_result::refused:
      thread.outcome = capture_outcome::not_signalled;
      add_note(thread, "the system refused to send the signal");
      losses_.refused = round_.last_sent();
      ++losses_.unasked;
      break;
  }
}

void stack_taker::take_answer(thread_snapshot& thread, thread_work& work) {
  const auto question = std::exchange(work.question, std::nullopt);
  if (!question) return;
  switch (round_.answer_of(*question)) {
    case answer::given:
      accept(thread, work);
      break;
    case answer::exited:
      thread.outcome = capture_outcome::exited;
      break;
    case answer::awaited:
    case answer::none:
      work.slot.reset();  // the round keeps it
      give_up(thread);
      break;
  }
}

void stack_taker::accept(thread_snapshot& thread, const thread_work& work) {
  const capture_slot& slot = pool_.at(*work.slot);
  if (slot.no_room) {
    thread.outcome = capture_outcome::not_signalled;
    add_note(thread, "too little of its alternate stack left for a signal");
    return;
  }
  thread.stack.full_registers = true;
  thread.stack.only_pc_and_sp = false;
  fill(thread, slot);
  if (work.call_is_secret && thread.state == 'S')
    thread.syscall = os::interrupted_call(thread.stack.registers.values);
  thread.is_new = true;
  thread.outcome = slot.unreadable  ? capture_outcome::unreadable
                   : slot.truncated ? capture_outcome::truncated
                                    : capture_outcome::ok;
}

void stack_taker::give_up(thread_snapshot& thread) {
  thread.outcome = capture_outcome::timeout;
  add_note(thread, "did not answer within " + std::to_string(deadline_.count()) + " ms");
  if (const auto status = files_.status(thread.id)) thread.state = status->state;
}

}  // namespace gmr::capture
