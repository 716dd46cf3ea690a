#include "capture/thread_capturer.hpp"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

#include "capture/capture_handler.hpp"
#include "capture/capture_policy.hpp"
#include "capture/fill_snapshot.hpp"
#include "capture/restart.hpp"
#include "capture/signal_action.hpp"
#include "capture/signal_round.hpp"
#include "capture/slot_pool.hpp"
#include "capture/stack_recorder.hpp"
#include "capture/stack_room.hpp"
#include "capture/static_tls.hpp"
#include "capture/task_files.hpp"
#include "trace/thread_registry.hpp"

namespace gmr::capture {
namespace {

using steady_clock = std::chrono::steady_clock;

std::atomic<bool> capturer_exists{false};

// What is known of a thread beside its snapshot while a capture is being made.
struct thread_work {
  std::optional<std::uint32_t> slot;
  std::optional<std::size_t> question;  // in the round of signals
  std::uint64_t cpu_before = 0;
  std::uint64_t right_at = 0;  // CPU clock at which the snapshot was surely right; 0: not known
  steady_clock::time_point seen;
};

}  // namespace

class thread_capturer::implementation {
 public:
  explicit implementation(const thread_capture_settings& settings);
  ~implementation();

  const std::vector<thread_snapshot>& capture();
  [[nodiscard]] int signal() const noexcept { return signal_; }

 private:
  void install();
  void recycle(const thread_work& work);
  [[nodiscard]] bool reuse(thread_snapshot& thread, thread_work& work, std::size_t& next_old);
  [[nodiscard]] int usable_signal() const;
  void inspect(thread_snapshot& thread, thread_work& work);
  void read_times(thread_snapshot& thread, const thread_work& work);
  void take_stack(thread_snapshot& thread, thread_work& work, const task_status& status);
  void take_own_stack(thread_snapshot& thread, thread_work& work);
  bool read_without_signal(thread_snapshot& thread, thread_work& work);
  bool acquire_slot(thread_snapshot& thread, thread_work& work);
  void ask(thread_snapshot& thread, thread_work& work, const task_status& status);
  void finish_round();
  [[nodiscard]] bool look_again();
  void take_answer(thread_snapshot& thread, thread_work& work, std::size_t question);
  void settle(thread_snapshot& thread, thread_work& work);
  void give_up(thread_snapshot& thread);
  void measure_cpu();
  [[nodiscard]] bool anyone_busy() const;

  thread_capture_settings settings_;
  slot_pool& pool_ = slot_pool::instance();
  signal_round round_{pool_};
  task_files files_;
  stack_bounds main_ = main_stack();
  std::uint64_t cpu_clock_of_copy_ = 0;  // of the last read_without_signal
  int signal_ = -1;
  int signal_now_ = -1;  // -1 also when somebody has replaced our handler
  kernel_action previous_;
  std::vector<thread_snapshot> threads_;
  std::vector<thread_work> work_;             // parallel to threads_
  std::vector<thread_snapshot> old_threads_;  // of the last capture, while the next one is made
  std::vector<thread_work> old_work_;
};

thread_capturer::implementation::implementation(const thread_capture_settings& settings)
    : settings_(settings) {
  if (capturer_exists.exchange(true)) throw std::logic_error("this process has a thread_capturer");
  try {
    handler_table.process = getpid();
    handler_table.tls_size = static_tls_size();
    install();
  } catch (...) {
    capturer_exists = false;
    throw;
  }
}

void thread_capturer::implementation::install() {
  if (settings_.signal < 0) return;
  const int signal = settings_.signal == 0 ? first_free_signal() : settings_.signal;
  previous_ = get_action(signal);
  if (previous_.has_handler())
    throw std::system_error(EBUSY, std::generic_category(),
                            "capture signal " + signal_name(signal) + " has a handler already");
  set_action(signal, make_handler_action(capture_handler));
  signal_ = signal;
}

thread_capturer::implementation::~implementation() {
  for (const thread_work& work : work_)
    recycle(work);
  round_.begin();
  if (usable_signal() >= 0) {
    // Ignoring a signal discards those still pending, whose default action would end the process.
    set_action(signal_, make_ignore_action());
    set_action(signal_, previous_);
  }
  capturer_exists = false;
}

int thread_capturer::implementation::usable_signal() const {
  const auto ours = reinterpret_cast<std::uintptr_t>(capture_handler);
  return signal_ >= 0 && get_action(signal_).handler == ours ? signal_ : -1;
}

void thread_capturer::implementation::recycle(const thread_work& work) {
  if (work.slot) pool_.release(*work.slot);
}

// A thread whose CPU clock stands where it stood has not run since: it need not be looked at again.
bool thread_capturer::implementation::reuse(thread_snapshot& thread, thread_work& work,
                                            std::size_t& next_old) {
  while (next_old < old_threads_.size() && old_threads_[next_old].id < thread.id)
    recycle(old_work_[next_old++]);
  if (next_old == old_threads_.size() || old_threads_[next_old].id != thread.id) return false;
  const std::size_t old = next_old++;
  const std::uint64_t right_at = old_work_[old].right_at;
  if (right_at == 0 || cpu_clock(thread.id) != right_at) {
    recycle(old_work_[old]);
    return false;
  }
  thread = std::move(old_threads_[old]);
  work = old_work_[old];
  work.cpu_before = right_at;
  work.seen = steady_clock::now();
  return true;
}

const std::vector<thread_snapshot>& thread_capturer::implementation::capture() {
  round_.begin();
  signal_now_ = usable_signal();
  const auto start = steady_clock::now();
  const std::vector<pid_t> ids = files_.list();
  old_threads_ = std::exchange(threads_, std::vector<thread_snapshot>(ids.size()));
  old_work_ = std::exchange(work_, std::vector<thread_work>(ids.size()));
  std::size_t next_old = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    threads_[i].id = ids[i];
    if (!reuse(threads_[i], work_[i], next_old)) inspect(threads_[i], work_[i]);
  }
  for (; next_old < old_work_.size(); ++next_old)
    recycle(old_work_[next_old]);
  finish_round();
  if (look_again()) finish_round();
  measure_cpu();
  if (anyone_busy()) {
    std::this_thread::sleep_until(start + settings_.busy_window);
    measure_cpu();
  }
  return threads_;
}

void thread_capturer::implementation::finish_round() {
  round_.wait(steady_clock::now() + settings_.deadline);
  for (std::size_t i = 0; i < work_.size(); ++i)
    if (const auto question = std::exchange(work_[i].question, std::nullopt))
      take_answer(threads_[i], work_[i], *question);
}

// Most uninterruptible waits are over at once: for a page, for the lock of the address space. So is
// a signal handler that blocks all signals, as Asio's does: it is on its way out in the very thread
// that was told to report, and threads that make a thread block them too.
bool thread_capturer::implementation::look_again() {
  const auto momentary = [](const thread_snapshot& thread) {
    return (thread.state == 'D' && thread.outcome == capture_outcome::not_signalled) ||
           (thread.state == 'R' && thread.outcome == capture_outcome::signal_blocked);
  };
  if (std::none_of(threads_.begin(), threads_.end(), momentary)) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds{2});
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (!momentary(threads_[i])) continue;
    recycle(work_[i]);
    work_[i] = {};
    const pid_t id = threads_[i].id;
    threads_[i] = {};
    threads_[i].id = id;
    inspect(threads_[i], work_[i]);
  }
  return true;
}

void thread_capturer::implementation::inspect(thread_snapshot& thread, thread_work& work) {
  thread.is_reporter = thread.id == gettid();
  work.seen = steady_clock::now();
  work.cpu_before = cpu_clock(thread.id);
  if (!thread.is_reporter) thread.syscall = files_.blocked_in(thread.id);
  const std::optional<task_status> status = files_.status(thread.id);
  if (!status || status->state == 'Z' || status->state == 'X') {
    thread.outcome = capture_outcome::exited;
    if (status) thread.name = status->name;
    if (status) thread.state = status->state;
    return;
  }
  thread.name = status->name;
  thread.state = status->state;
  read_times(thread, work);
  if (thread.is_reporter)
    take_own_stack(thread, work);
  else
    take_stack(thread, work, *status);
}

void thread_capturer::implementation::read_times(thread_snapshot& thread, const thread_work& work) {
  cpu_times& cpu = thread.cpu.emplace();
  constexpr std::uint64_t shown_by_stat = 10'000'000;  // it counts in steps of 10 ms
  if (work.cpu_before >= shown_by_stat) {
    if (const auto times = files_.times(thread.id)) {
      cpu.user_seconds = times->user_seconds;
      cpu.system_seconds = times->system_seconds;
    }
  }
  cpu.waiting_seconds = files_.waiting_seconds(thread.id).value_or(0);
}

void thread_capturer::implementation::take_stack(thread_snapshot& thread, thread_work& work,
                                                 const task_status& status) {
  const std::optional<signal_ban> ban =
      find_signal_ban(thread.id, status, thread.syscall, signal_now_, main_);
  const bool blocked = thread.syscall && thread.syscall->number >= 0;
  const bool avoid = ban || (blocked && (settings_.exact || is_never_restarted(*thread.syscall)));
  if (avoid && read_without_signal(thread, work)) {
    fill(thread, pool_.at(*work.slot));
    const bool exact = settings_.exact && settings_.exact(thread.stack);
    if (exact && (!ban || signal_now_ < 0)) {
      thread.outcome = thread.stack.truncated ? capture_outcome::truncated : capture_outcome::ok;
      work.right_at = cpu_clock_of_copy_;
      return;
    }
    if (!exact && !ban) thread.stack = {};
    if (ban) add_note(thread, exact ? "read without a signal" : "outer frames may be missing");
  }
  if (!ban) {
    ask(thread, work, status);
    return;
  }
  thread.outcome = ban->outcome;
  thread.note.insert(0, ban->reason + (thread.note.empty() ? "" : "; "));
  thread.wait_channel = files_.wait_channel(thread.id);
}

void thread_capturer::implementation::take_own_stack(thread_snapshot& thread, thread_work& work) {
  if (!acquire_slot(thread, work)) return;
  record_own_stack(pool_.at(*work.slot));
  settle(thread, work);
}

// Right only if the thread has not run since before its sp was read: its CPU clock tells.
bool thread_capturer::implementation::read_without_signal(thread_snapshot& thread,
                                                          thread_work& work) {
  if (!work.slot && !acquire_slot(thread, work)) return false;
  capture_slot& slot = pool_.at(*work.slot);
  const std::uintptr_t end_of_stack =
      thread.id == getpid() ? 0 : below_tls(descriptor_of(thread.id));
  std::uint64_t before = work.cpu_before;
  constexpr int tries = 3;
  for (int i = 0; i < tries && thread.syscall; ++i) {
    clear_result(slot);
    trace::thread_traits traits;
    const bool in_fiber = trace::find_thread(thread.id, traits) && traits.fiber != 0 &&
                          traits.low <= thread.syscall->sp && thread.syscall->sp < traits.high;
    if (in_fiber) slot.runs = traits.fiber;
    copy_stack(slot, thread.syscall->sp, in_fiber ? traits.high : end_of_stack);
    const std::uint64_t after = cpu_clock(thread.id);
    if (after == before && after != 0) {
      slot.registers[pc_register] = thread.syscall->pc;
      slot.registers[sp_register] = thread.syscall->sp;
      thread.stack.full_registers = false;
      thread.stack.only_pc_and_sp = true;
      cpu_clock_of_copy_ = after;
      return !slot.unreadable;
    }
    before = cpu_clock(thread.id);
    thread.syscall = files_.blocked_in(thread.id);
  }
  return false;
}

bool thread_capturer::implementation::acquire_slot(thread_snapshot& thread, thread_work& work) {
  work.slot = pool_.acquire(settings_.stack_bytes);
  if (!work.slot) {
    thread.outcome = capture_outcome::unreadable;
    add_note(thread, "no memory for a copy of its stack");
    return false;
  }
  if (thread.id == getpid()) {
    pool_.at(*work.slot).low = main_.low;
    pool_.at(*work.slot).high = main_.high;
  }
  return true;
}

void thread_capturer::implementation::ask(thread_snapshot& thread, thread_work& work,
                                          const task_status& status) {
  if (!work.slot && !acquire_slot(thread, work)) return;
  clear_result(pool_.at(*work.slot));
  const bool is_pending = (status.pending_signals >> (signal_now_ - 1) & 1U) != 0;
  switch (round_.ask(thread.id, signal_now_, is_pending, *work.slot)) {
    case send_result::sent:
      work.question = round_.size() - 1;
      break;
    case send_result::thread_gone:
      thread.outcome = capture_outcome::exited;
      break;
    case send_result::queue_full:
      thread.outcome = capture_outcome::not_signalled;
      add_note(thread, "too many pending signals (RLIMIT_SIGPENDING)");
      break;
    case send_result::refused:
      thread.outcome = capture_outcome::not_signalled;
      add_note(thread, "the system refused to send the signal");
      break;
  }
}

void thread_capturer::implementation::take_answer(thread_snapshot& thread, thread_work& work,
                                                  std::size_t question) {
  switch (round_.answer_of(question)) {
    case answer::given:
      settle(thread, work);
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

void thread_capturer::implementation::settle(thread_snapshot& thread, thread_work& work) {
  const capture_slot& slot = pool_.at(*work.slot);
  thread.stack.full_registers = true;
  thread.stack.only_pc_and_sp = false;
  fill(thread, slot);
  thread.outcome = slot.unreadable  ? capture_outcome::unreadable
                   : slot.truncated ? capture_outcome::truncated
                                    : capture_outcome::ok;
}

void thread_capturer::implementation::give_up(thread_snapshot& thread) {
  thread.outcome = capture_outcome::timeout;
  add_note(thread, "did not answer within " + std::to_string(settings_.deadline.count()) + " ms");
  if (const auto status = files_.status(thread.id)) thread.state = status->state;
  thread.wait_channel = files_.wait_channel(thread.id);
}

void thread_capturer::implementation::measure_cpu() {
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (!threads_[i].cpu) continue;
    const std::uint64_t used = cpu_clock(threads_[i].id);
    const std::chrono::duration<double, std::nano> passed = steady_clock::now() - work_[i].seen;
    if (used < work_[i].cpu_before || passed.count() <= 0) continue;
    constexpr double percent = 100;
    threads_[i].cpu->recent_percent = std::min(
        percent, percent * static_cast<double>(used - work_[i].cpu_before) / passed.count());
  }
}

bool thread_capturer::implementation::anyone_busy() const {
  constexpr double nearly_all = 90;
  return std::any_of(threads_.begin(), threads_.end(), [](const thread_snapshot& thread) {
    return !thread.is_reporter && thread.cpu && thread.cpu->recent_percent >= nearly_all;
  });
}

thread_capturer::thread_capturer(const thread_capture_settings& settings)
    : implementation_(std::make_unique<implementation>(settings)) {}

thread_capturer::~thread_capturer() = default;

const std::vector<thread_snapshot>& thread_capturer::capture() {
  return implementation_->capture();
}

int thread_capturer::signal() const noexcept {
  return implementation_->signal();
}

}  // namespace gmr::capture
