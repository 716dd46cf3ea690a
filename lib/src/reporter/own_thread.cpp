#include "reporter/own_thread.hpp"

#include <pthread.h>

#include <algorithm>
#include <exception>

#include "capture/blocked_signals.hpp"
#include "gmr/trace/enroll.hpp"
#include "hook/loops/event_loops.hpp"
#include "os/bell.hpp"
#include "sink/sink.hpp"

namespace gmr {
namespace {

constexpr std::chrono::milliseconds pause_after_failure{100};

using deadline = std::optional<duty::clock::time_point>;

deadline earlier(deadline one, deadline other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

// Returns what the function does, or `otherwise` when it throws.
template <class Function, class Result>
Result tried(Function function, Result otherwise) noexcept {
  try {
    return function();
  } catch (const std::exception& error) {
    sinks::say(error.what());
  } catch (...) {
    sinks::say("an exception that is not a std::exception reached the reporter's thread");
  }
  return otherwise;
}

}  // namespace

void own_thread::start(std::initializer_list<int> open_signals) {
  const capture::blocked_signals born_with{open_signals};
  thread_ = std::thread{[this] { run(); }};
}

void own_thread::join() noexcept {
  if (!thread_.joinable()) return;
  stopped_ = true;
  os::ring_bell();
  thread_.join();
}

own_thread::~own_thread() {
  join();
}

void own_thread::add(const std::shared_ptr<duty>& given) {
  {
    const std::lock_guard lock{mutex_};
    std::erase_if(duties_, [](const std::weak_ptr<duty>& each) { return each.expired(); });
    duties_.push_back(given);
  }
  os::ring_bell();
}

void own_thread::run() noexcept {
  id_ = std::this_thread::get_id();
  ::pthread_setname_np(::pthread_self(), "gmr-reporter");
  enroll_this_thread();
  trace::ignore_loops_of_this_thread();
  while (!stopped_) {
    const std::uint32_t seen = os::bell_count();
    poll_loop();
    const deadline next = attend_all();
    if (!stopped_ && !poll_loop()) os::wait_for_bell(seen, next);
  }
}

// Whether any handler ran.
bool own_thread::poll_loop() noexcept {
  return tried([this] { return loop_.poll() != 0; }, true);
}

// One after the other, without the lock: a duty may add another, or be the last owner of itself.
deadline own_thread::attend_all() noexcept {
  deadline next;
  std::size_t at = 0;
  while (const std::shared_ptr<duty> each = next_duty(at)) {
    if (stopped_) break;
    const duty::clock::time_point now = duty::clock::now();
    next = earlier(next,
                   tried([&] { return each->attend(now); }, deadline{now + pause_after_failure}));
  }
  return next;
}

std::shared_ptr<duty> own_thread::next_duty(std::size_t& at) {
  const std::lock_guard lock{mutex_};
  while (at < duties_.size())
    if (auto given = duties_[at++].lock()) return given;
  return nullptr;
}

}  // namespace gmr
