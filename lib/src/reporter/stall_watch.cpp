#include "reporter/stall_watch.hpp"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <utility>

#include "analyse/stalls.hpp"
#include "capture/blocked_signals.hpp"
#include "gmr/trace/enroll.hpp"
#include "os/bell.hpp"
#include "sink/sink.hpp"
#include "text/quantities.hpp"

namespace gmr {
namespace {

using namespace std::chrono_literals;

// So often that a stall is named within a second, and at most ten times a second.
constexpr std::chrono::milliseconds usual_interval = 250ms;
constexpr std::chrono::milliseconds shortest_interval = 100ms;

std::uint64_t nanoseconds_of(std::chrono::steady_clock::time_point time) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds{time.time_since_epoch()}.count());
}

std::string duration_text(std::uint64_t nanoseconds) {
  return texts::human_duration(static_cast<double>(nanoseconds) / 1e9);
}

}  // namespace

stall_watch::stall_watch(std::chrono::milliseconds longest, ask ask_for_report)
    : longest_(longest),
      interval_(std::clamp<nanoseconds>(longest_ / 4, shortest_interval, usual_interval)),
      ask_(std::move(ask_for_report)) {}

stall_watch::~stall_watch() {
  stop();
}

void stall_watch::start(int capture_signal) {
  const capture::blocked_signals born_with{capture_signal};
  thread_ = std::thread{[this] { run(); }};
}

void stall_watch::stop() noexcept {
  if (!thread_.joinable()) return;
  stopped_ = true;
  os::ring_bell();
  thread_.join();
}

void stall_watch::run() noexcept {
  ::pthread_setname_np(::pthread_self(), "gmr-loops");
  enroll_this_thread();
  trace::ignore_loops_of_this_thread();
  clock::time_point due = clock::now();
  while (!stopped_) {
    const std::uint32_t rung = os::bell_count();
    const clock::time_point now = clock::now();
    if (now < due) {  // somebody rang for others
      os::wait_for_bell(rung, due);
      continue;
    }
    try {
      // What comes later than that could be taken for a stall.
      if (const nanoseconds late = now - due; late > std::max<nanoseconds>(longest_ / 2, interval_))
        begin_anew(nanoseconds_of(now), late);
      look(nanoseconds_of(now));
      problem_.clear();
    } catch (const std::exception& error) {
      say_once(error.what());
    }
    due = clock::now() + interval_;
  }
}

// It may come again several times a second.
void stall_watch::say_once(std::string_view problem) noexcept try {
  if (problem_ == problem) return;
  problem_ = problem;
  sinks::say("event loops can't be watched:", problem);
} catch (const std::exception&) {  // no memory to keep it, nor to say it
}

void stall_watch::begin_anew(std::uint64_t now, nanoseconds late) {
  anew_ = now;
  if (late < longest_) return;
  trace::event_loop_notes& notes = trace::notes_of_event_loops();
  notes.last_standstill.store(now, std::memory_order_relaxed);
  notes.last_lasted.store(static_cast<std::uint64_t>(late.count()), std::memory_order_relaxed);
  notes.standstills.fetch_add(1, std::memory_order_relaxed);
  sinks::say("this process or its machine stood still for " +
             duration_text(static_cast<std::uint64_t>(late.count())) +
             ", which is no stall of an event loop");
}

void stall_watch::look(std::uint64_t now) {
  for (std::size_t at = 0; at < trace::most_event_loops; ++at) {
    trace::event_loop_record& loop = trace::event_loop_at(at);
    watched& known = watched_[at];
    const bool is_there =
        loop.scheduler.load(std::memory_order_acquire) != nullptr && !loop.has_ended.load();
    const std::uint32_t serial = loop.serial.load(std::memory_order_relaxed);
    if (!is_there || known.serial != serial) {
      known = {};
      known.serial = serial;
    }
    if (is_there && (loop.is_traced.load() || loop.watchers.load() != 0)) look_at(loop, known, now);
  }
}

void stall_watch::look_at(trace::event_loop_record& loop, watched& known, std::uint64_t now) {
  if (loop.posted.load() != 0) return wait_for(loop, known, now);
  const std::uint64_t delay = loop.delay.load(std::memory_order_relaxed);
  const bool all_counts = known.since == known.posted && known.posted >= anew_;
  if (all_counts && delay > loop.worst.load(std::memory_order_relaxed))
    loop.worst.store(delay, std::memory_order_relaxed);
  if (known.stalled != 0) goes_on(loop, known, delay);
  const bool is_posted = trace::post_probe(loop, now);
  known.posted = now;
  known.since = is_posted ? now : 0;
  known.waited_before.reset();
}

void stall_watch::goes_on(trace::event_loop_record& loop, watched& known, std::uint64_t delay) {
  const std::uint64_t ran = known.posted + delay;
  loop.stalled.store(0, std::memory_order_relaxed);
  sinks::say("event loop " + known.title + " goes on after " +
             duration_text(ran - std::min(ran, known.stalled)));
  known.stalled = 0;
}

// Where no thread is within the loop, nobody runs it: that is no stall.
void stall_watch::wait_for(trace::event_loop_record& loop, watched& known, std::uint64_t now) {
  if (known.stalled != 0) return;
  const std::vector<pid_t> threads = trace::threads_of(loop);
  known.posted = loop.posted.load();
  // The first probe is posted by who begins to watch the loop.
  if (threads.empty() || known.since == 0 || known.since < anew_) {
    known.since = now;
    return known.waited_before.reset();
  }
  const std::uint64_t waited = waited_for_processor(threads, known);
  const auto longest = static_cast<std::uint64_t>(longest_.count());
  if (now - known.since >= longest + waited && known.posted != 0)
    tell(loop, known, threads.front(), now);
}

// By the threads that run the loop, since this was first asked for; the longest, in ns.
std::uint64_t stall_watch::waited_for_processor(const std::vector<pid_t>& threads, watched& known) {
  double longest = 0;
  for (const pid_t thread : threads)
    longest = std::max(longest, files_.waiting_seconds(thread).value_or(0));
  if (!known.waited_before) known.waited_before = longest;
  return static_cast<std::uint64_t>(std::max(longest - *known.waited_before, 0.0) * 1e9);
}

void stall_watch::tell(trace::event_loop_record& loop, watched& known, pid_t thread,
                       std::uint64_t now) {
  const auto times = files_.times(thread);
  known.title =
      analyse::loop_title(trace::name_of(loop), thread, times ? times->name : std::string{});
  known.stalled = known.since;
  loop.stalled.store(known.stalled);
  if (loop.posted.load() == 0) loop.stalled.store(0);  // its probe has run just now
  ask_("event loop " + known.title + " has run nothing for " + duration_text(now - known.stalled));
}

}  // namespace gmr
