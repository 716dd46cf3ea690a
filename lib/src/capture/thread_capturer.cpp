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
#include "capture/cpu_time.hpp"
#include "capture/fill_snapshot.hpp"
#include "capture/installed_signal.hpp"
#include "capture/outside_copy.hpp"
#include "capture/restart.hpp"
#include "capture/signal_round.hpp"
#include "capture/slot_pool.hpp"
#include "capture/spare_descriptors.hpp"
#include "capture/stack_recorder.hpp"
#include "capture/stack_room.hpp"
#include "capture/static_tls.hpp"
#include "capture/task_files.hpp"

namespace gmr::capture {
namespace {

using steady_clock = std::chrono::steady_clock;

std::atomic<bool> capturer_exists{false};

// What is known of a thread beside its snapshot while a capture is being made.
struct thread_work {
  std::optional<std::uint32_t> slot;
  std::optional<std::size_t> question;  // in the round of signals
  cpu_start before;
  std::uint64_t right_at = 0;  // CPU clock at which the snapshot was surely right; 0: not known
  bool inexact = false;        // a stack read without a signal would not be exact
};

}  // namespace

class thread_capturer::implementation {
 public:
  explicit implementation(const thread_capture_settings& settings);
  ~implementation();

  const std::vector<thread_snapshot>& capture();
  [[nodiscard]] int signal() const noexcept { return signal_->number(); }

 private:
  void recycle(const thread_work& work);
  [[nodiscard]] bool reuse(thread_snapshot& thread, thread_work& work, std::size_t& next_old);
  void inspect(thread_snapshot& thread, thread_work& work);
  [[nodiscard]] bool take_quietly(thread_snapshot& thread, thread_work& work);
  void take_stack(thread_snapshot& thread, thread_work& work, const task_status& status);
  void take_own_stack(thread_snapshot& thread, thread_work& work);
  bool read_without_signal(thread_snapshot& thread, thread_work& work);
  bool acquire_slot(thread_snapshot& thread, thread_work& work);
  void ask(thread_snapshot& thread, thread_work& work, const task_status& status);
  void finish_round();
  [[nodiscard]] bool look_again();
  void inspect_anew(std::size_t at);
  void take_answer(thread_snapshot& thread, thread_work& work, std::size_t question);
  void settle(thread_snapshot& thread, thread_work& work);
  void give_up(thread_snapshot& thread);

  thread_capture_settings settings_;
  slot_pool& pool_ = slot_pool::instance();
  signal_round round_{pool_};
  task_files files_;
  stack_bounds main_ = main_stack();
  std::uint64_t cpu_clock_of_copy_ = 0;  // of the last read_without_signal
  std::optional<installed_signal> signal_;
  int signal_now_ = -1;
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
    (void)knows_stacks();  // makes a thread, which no capture should meet
    signal_.emplace(settings_.signal);
    keep_spare_descriptors();
  } catch (...) {
    capturer_exists = false;
    throw;
  }
}

thread_capturer::implementation::~implementation() {
  for (const thread_work& work : work_)
    recycle(work);
  round_.begin();
  signal_.reset();
  capturer_exists = false;
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
  work.before = {right_at, std::nullopt, steady_clock::now()};
  return true;
}

const std::vector<thread_snapshot>& thread_capturer::implementation::capture() {
  round_.begin();
  signal_now_ = signal_->usable();
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
  for (thread_snapshot& each : threads_)
    if (each.outcome != capture_outcome::ok) each.wait_channel = files_.wait_channel(each.id);
  std::vector<cpu_start> before;
  before.reserve(work_.size());
  for (const thread_work& work : work_)
    before.push_back(work.before);
  measure_cpu(threads_, before, start, settings_.busy_window, files_);
  return threads_;
}

void thread_capturer::implementation::finish_round() {
  round_.wait(steady_clock::now() + settings_.deadline);
  for (std::size_t i = 0; i < work_.size(); ++i)
    if (const auto question = std::exchange(work_[i].question, std::nullopt))
      take_answer(threads_[i], work_[i], *question);
}

// Where others take the processor, a thread gets the time that its way out takes.
bool thread_capturer::implementation::look_again() {
  struct passing {
    std::size_t at;
    std::uint64_t cpu;
  };
  constexpr std::uint64_t way_out = 1'000'000;  // ns of CPU time
  std::vector<passing> left;
  for (std::size_t i = 0; i < threads_.size(); ++i)
    if (is_momentary_ban(threads_[i])) left.push_back({i, work_[i].before.clock});
  if (left.empty()) return false;
  const auto end = steady_clock::now() + settings_.deadline;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    for (const passing& each : left)
      inspect_anew(each.at);
    std::erase_if(left, [this](const passing& each) {
      const thread_snapshot& now = threads_[each.at];
      if (now.state == 'D') return !waits_for_memory(now) || !is_momentary_ban(now);
      return !is_momentary_ban(now) || work_[each.at].before.clock - each.cpu >= way_out;
    });
  } while (!left.empty() && steady_clock::now() < end);
  return true;
}

void thread_capturer::implementation::inspect_anew(std::size_t at) {
  recycle(work_[at]);
  work_[at] = {};
  const pid_t id = threads_[at].id;
  threads_[at] = {};
  threads_[at].id = id;
  inspect(threads_[at], work_[at]);
}

void thread_capturer::implementation::inspect(thread_snapshot& thread, thread_work& work) {
  thread.is_reporter = thread.id == gettid();
  thread.outcome = capture_outcome::exited;
  work.before = {cpu_clock(thread.id), std::nullopt, steady_clock::now()};
  if (!thread.is_reporter) thread.syscall = files_.blocked_in(thread.id);
  if (take_quietly(thread, work)) return;
  const std::optional<task_status> status = files_.status(thread.id);
  if (!status || !introduce(thread, status->name, status->state)) return;
  if (!thread.cpu) thread.cpu = read_times(files_, thread.id, work.before.clock);
  if (status->state == 'R') work.before.pauses = status->pauses;
  if (thread.is_reporter)
    take_own_stack(thread, work);
  else
    take_stack(thread, work, *status);
}

// Of a thread whose stack can be read exactly nobody needs to know how it takes signals: `stat`
// costs less than `status`.
bool thread_capturer::implementation::take_quietly(thread_snapshot& thread, thread_work& work) {
  const bool blocked = thread.syscall && thread.syscall->number >= 0;
  if (!blocked || !settings_.exact || signal_now_ < 0) return false;
  const std::optional<task_times> known = files_.times(thread.id);
  if (!known || !introduce(thread, known->name, known->state)) return false;
  thread.cpu = read_times(files_, thread.id, *known);
  if (known->state != 'S' || known->blocks_signals || !read_without_signal(thread, work))
    return false;
  fill(thread, pool_.at(*work.slot));
  if (!settings_.exact(thread.stack)) {
    work.inexact = true;
    thread.stack = {};
    return false;
  }
  thread.outcome = capture_outcome::ok;  // to its end, however little of it was copied
  work.right_at = cpu_clock_of_copy_;
  return true;
}

void thread_capturer::implementation::take_stack(thread_snapshot& thread, thread_work& work,
                                                 const task_status& status) {
  const std::optional<signal_ban> ban =
      find_signal_ban(thread.id, status, thread.syscall, signal_now_, main_);
  const bool blocked = thread.syscall && thread.syscall->number >= 0;
  const bool avoid = ban || (blocked && (settings_.exact || is_never_restarted(*thread.syscall)));
  if (avoid && (ban || !work.inexact) && read_without_signal(thread, work)) {
    fill(thread, pool_.at(*work.slot));
    const bool exact = settings_.exact && settings_.exact(thread.stack);
    if (exact && (!ban || signal_now_ < 0)) {
      thread.outcome = capture_outcome::ok;
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
}

void thread_capturer::implementation::take_own_stack(thread_snapshot& thread, thread_work& work) {
  if (!acquire_slot(thread, work)) return;
  record_own_stack(pool_.at(*work.slot));
  settle(thread, work);
}

bool thread_capturer::implementation::read_without_signal(thread_snapshot& thread,
                                                          thread_work& work) {
  if (!work.slot && !acquire_slot(thread, work)) return false;
  const std::optional<std::uint64_t> right = copy_from_outside(
      thread, pool_.at(*work.slot), files_, work.before.clock, settings_.stack_bytes);
  cpu_clock_of_copy_ = right.value_or(0);
  return right.has_value();
}

bool thread_capturer::implementation::acquire_slot(thread_snapshot& thread, thread_work& work) {
  work.slot = pool_.acquire(settings_.stack_bytes);
  if (!work.slot) {
    thread.outcome = capture_outcome::unreadable;
    add_note(thread, "no memory for a copy of its stack");
    return false;
  }
  return true;
}

void thread_capturer::implementation::ask(thread_snapshot& thread, thread_work& work,
                                          const task_status& status) {
  if (!work.slot && !acquire_slot(thread, work)) return;
  capture_slot& slot = pool_.at(*work.slot);
  clear_result(slot);
  // For the thread itself, while it is there: from here its stack may go at any moment.
  const stack_bounds bounds = thread.id == getpid() ? main_ : stack_of(thread.id);
  slot.low = bounds.low;
  slot.high = bounds.high;
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
  if (slot.no_room) {
    thread.outcome = capture_outcome::not_signalled;
    add_note(thread, "too little of its alternate stack left for a signal");
    return;
  }
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
