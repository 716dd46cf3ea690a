#include "capture/thread_capturer.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <stdexcept>
#include <thread>
#include <utility>

#include "capture/capture_handler.hpp"
#include "capture/capture_policy.hpp"
#include "capture/cpu_time.hpp"
#include "capture/installed_signal.hpp"
#include "capture/slot_pool.hpp"
#include "capture/stack_taker.hpp"
#include "os/files.hpp"
#include "os/loader.hpp"
#include "os/memory.hpp"
#include "os/own_proc.hpp"

namespace gmr::capture {
namespace {

using steady_clock = std::chrono::steady_clock;

// The process that has a capturer; 0: none. A forked child has none, whatever it inherited.
constinit std::atomic<pid_t> capturing{0};

void begin_capturing() {
  const pid_t self = getpid();
  pid_t seen = capturing.load();
  if (seen == self || !capturing.compare_exchange_strong(seen, self))
    throw std::logic_error("this process has a thread_capturer");
}

// So many threads are looked at before their stacks are to be unwound: the copies are still in the
// processor's cache then.
constexpr std::size_t looked_at_once = 128;

}  // namespace

class thread_capturer::implementation {
 public:
  explicit implementation(const thread_capture_settings& settings);
  ~implementation();

  const std::vector<thread_snapshot>& capture_first();
  bool capture_next(const std::vector<bool>& exact);
  void rest() noexcept;
  [[nodiscard]] std::vector<std::string> notes();
  [[nodiscard]] int signal() const noexcept { return signal_->number(); }

 private:
  void look_further();
  [[nodiscard]] bool reuse(thread_snapshot& thread, thread_work& work);
  void drop_old(pid_t before);
  void take_answers(steady_clock::time_point end);
  [[nodiscard]] bool any_new() const noexcept;
  void look_again();
  void finish();

  thread_capture_settings settings_;
  stack_taker taker_{settings_.stack_bytes, settings_.deadline};
  std::optional<installed_signal> signal_;
  steady_clock::time_point began_;
  bool has_looked_again_ = false;
  std::vector<thread_snapshot> threads_;
  std::vector<thread_work> work_;             // parallel to threads_
  std::size_t looked_at_ = 0;                 // of threads_, from the first on
  std::vector<thread_snapshot> old_threads_;  // of the last capture
  std::vector<thread_work> old_work_;
  std::size_t next_old_ = 0;  // the first of those that may be used again
};

thread_capturer::implementation::implementation(const thread_capture_settings& settings)
    : settings_(settings) {
  begin_capturing();
  try {
    os::prepare_memory();
    os::keep_own_proc();
    handler_table.process = getpid();
    handler_table.tls_size = os::static_tls_size();
    (void)knows_stacks();  // makes a thread, which no capture should meet
    signal_.emplace(settings_.signal);
    os::keep_spare_descriptors();
  } catch (...) {
    capturing = 0;
    throw;
  }
}

thread_capturer::implementation::~implementation() {
  take_answers(steady_clock::now());
  for (const thread_work& work : work_)
    taker_.recycle(work);
  drop_old(std::numeric_limits<pid_t>::max());
  taker_.begin(-1);
  signal_.reset();
  capturing = 0;
}

const std::vector<thread_snapshot>& thread_capturer::implementation::capture_first() {
  os::prepare_memory();
  os::keep_own_proc();
  take_answers(steady_clock::now());  // of a capture that was never complete
  drop_old(std::numeric_limits<pid_t>::max());
  taker_.begin(signal_->usable());
  began_ = steady_clock::now();
  has_looked_again_ = false;
  const std::vector<pid_t> ids = taker_.files().list();
  std::vector<thread_snapshot> threads(ids.size());
  std::vector<thread_work> work(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    threads[i].id = ids[i];
  old_threads_ = std::exchange(threads_, std::move(threads));
  old_work_ = std::exchange(work_, std::move(work));
  next_old_ = looked_at_ = 0;
  look_further();
  return threads_;
}

void thread_capturer::implementation::look_further() {
  const std::size_t end = std::min(threads_.size(), looked_at_ + looked_at_once);
  for (; looked_at_ < end; ++looked_at_) {
    thread_snapshot& thread = threads_[looked_at_];
    thread_work& work = work_[looked_at_];
    if (!reuse(thread, work)) taker_.look(thread, work);
  }
  if (looked_at_ == threads_.size()) drop_old(std::numeric_limits<pid_t>::max());
}

// A thread whose CPU clock stands where it stood has not run since: it need not be looked at again.
bool thread_capturer::implementation::reuse(thread_snapshot& thread, thread_work& work) {
  drop_old(thread.id);
  if (next_old_ == old_threads_.size() || old_threads_[next_old_].id != thread.id) return false;
  const std::size_t old = next_old_++;
  const std::uint64_t right_at = old_work_[old].right_at;
  if (right_at == 0 || os::cpu_clock(thread.id) != right_at) {
    taker_.recycle(old_work_[old]);
    return false;
  }
  thread = std::move(old_threads_[old]);
  thread.is_new = thread.is_unchanged = true;
  work = std::move(old_work_[old]);
  work.before = {right_at, std::nullopt, steady_clock::now()};
  return true;
}

void thread_capturer::implementation::drop_old(pid_t before) {
  while (next_old_ < old_threads_.size() && old_threads_[next_old_].id < before)
    taker_.recycle(old_work_[next_old_++]);
}

bool thread_capturer::implementation::capture_next(const std::vector<bool>& exact) {
  for (thread_snapshot& each : threads_)
    each.is_new = false;
  for (std::size_t i = 0; i < threads_.size(); ++i)
    if (work_[i].is_read) taker_.conclude(threads_[i], work_[i], i < exact.size() && exact[i]);
  if (looked_at_ < threads_.size()) {
    look_further();
    if (looked_at_ < threads_.size() || any_new()) return true;
  }
  take_answers(steady_clock::now() + settings_.deadline);
  if (!any_new() && !std::exchange(has_looked_again_, true)) look_again();
  if (any_new()) return true;
  finish();
  return false;
}

void thread_capturer::implementation::take_answers(steady_clock::time_point end) {
  taker_.wait(end);
  for (std::size_t i = 0; i < work_.size(); ++i)
    taker_.take_answer(threads_[i], work_[i]);
}

bool thread_capturer::implementation::any_new() const noexcept {
  return std::ranges::any_of(threads_, &thread_snapshot::is_new);
}

// Where others take the processor, a thread gets the time that its way out takes.
void thread_capturer::implementation::look_again() {
  struct passing {
    std::size_t at;
    std::uint64_t cpu;
  };
  constexpr std::uint64_t way_out = 1'000'000;  // ns of CPU time
  std::vector<passing> left;
  for (std::size_t i = 0; i < threads_.size(); ++i)
    if (is_momentary_ban(threads_[i])) left.push_back({i, work_[i].before.clock});
  if (left.empty()) return;
  const auto end = steady_clock::now() + settings_.deadline;
  do {
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    for (const passing& each : left)
      taker_.look_anew(threads_[each.at], work_[each.at]);
    std::erase_if(left, [this](const passing& each) {
      const thread_snapshot& now = threads_[each.at];
      if (now.state == 'D') return !waits_for_memory(now) || !is_momentary_ban(now);
      return !is_momentary_ban(now) || work_[each.at].before.clock - each.cpu >= way_out;
    });
  } while (!left.empty() && steady_clock::now() < end);
  take_answers(steady_clock::now() + settings_.deadline);
}

void thread_capturer::implementation::finish() {
  for (thread_snapshot& each : threads_)
    if (each.outcome != capture_outcome::ok)
      each.wait_channel = taker_.files().wait_channel(each.id);
  std::vector<cpu_start> before;
  before.reserve(work_.size());
  for (const thread_work& work : work_)
    before.push_back(work.before);
  measure_cpu(threads_, before, began_, settings_.busy_window, taker_.files());
}

std::vector<std::string> thread_capturer::implementation::notes() {
  std::vector<std::string> notes = notes_of(taker_.losses(), threads_);
  if (const std::string& why = taker_.files().list_problem(); !why.empty())
    notes.push_back("there may be threads that are not listed (" + why + ")");
  return notes;
}

void thread_capturer::implementation::rest() noexcept {
  for (std::size_t i = 0; i < work_.size(); ++i) {
    // A question that is open still is one of a capture that was never complete.
    if (work_[i].right_at != 0 || work_[i].question) continue;
    taker_.recycle(work_[i]);
    work_[i].slot.reset();
    threads_[i].stack = {};
  }
  slot_pool::instance().give_back_memory();
}

thread_capturer::thread_capturer(const thread_capture_settings& settings)
    : implementation_(std::make_unique<implementation>(settings)) {}

thread_capturer::~thread_capturer() = default;

const std::vector<thread_snapshot>& thread_capturer::capture_first() {
  return implementation_->capture_first();
}

bool thread_capturer::capture_next(const std::vector<bool>& exact) {
  return implementation_->capture_next(exact);
}

std::vector<std::string> thread_capturer::notes() const {
  return implementation_->notes();
}

void thread_capturer::rest() noexcept {
  implementation_->rest();
}

int thread_capturer::signal() const noexcept {
  return implementation_->signal();
}

}  // namespace gmr::capture
