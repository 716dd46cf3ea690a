#include "reporter/report_queue.hpp"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "os/bell.hpp"
#include "os/thread_sanitizer.hpp"
#include "sink/sink.hpp"

namespace gmr {

void report_queue::batch::add(std::string&& cause, report_cause kind) noexcept {
  ++count;
  kinds.set(static_cast<std::size_t>(kind));
  for (std::string& each : causes) {
    if (each == cause) return;
    if (!each.empty()) continue;
    each = std::move(cause);
    return;
  }
  has_others = true;
}

std::string report_queue::batch::cause() const {
  std::string out;
  for (const std::string& each : causes)
    if (!each.empty()) out.append(out.empty() ? "" : ", ").append(each);
  if (has_others) out += " and others";
  return out;
}

report_queue::report_queue(own_thread& thread, std::unique_ptr<report_maker> maker, deliver to_sink,
                           const settings& set)
    : thread_(thread),
      maker_(std::move(maker)),
      to_sink_(std::move(to_sink)),
      rest_after_(set.rest_after),
      fatal_deadline_(set.fatal_deadline),
      limiter_(set.automatic_per_minute) {
  if (set.executor)
    strand_.emplace(set.executor);
  else if (!thread_.loop().is_lost())
    strand_.emplace(thread_.loop().context().get_executor());
  is_on_loop_ = !set.executor;
}

bool report_queue::request_automatic(std::string cause, report_cause kind) {
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) return false;
    if (!limiter_.admit(clock::now())) {
      ++waiting_.refused;
      statistics_.asked(kind);
      statistics_.refused(kind);
      return false;
    }
  }
  request(std::move(cause), kind);
  return true;
}

void report_queue::request(std::string cause, report_cause kind) {
  statistics_.asked(kind);
  progress_.request_made(cause);
  os::ring_bell();  // for the watchdog: the lock may be held for ever
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) return progress_.requests_answered(1);
    waiting_.add(std::move(cause), kind);
    ++waiting_.to_sink;
  }
  os::ring_bell();
}

std::future<report> report_queue::make(std::string cause) {
  std::list<std::promise<report>> caller(1);
  std::future<report> answer = caller.front().get_future();
  statistics_.asked(report_cause::call);
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) throw std::logic_error{"the reporter is being destroyed"};
    waiting_.add(std::move(cause), report_cause::call);
    waiting_.callers.splice(waiting_.callers.end(), caller);
  }
  os::ring_bell();
  return answer;
}

std::future<std::shared_ptr<const report>> report_queue::make_for_socket(
    std::string cause, std::optional<report_shape> shape) {
  std::list<batch> added(1);
  added.front().shape = shape;
  std::list<std::promise<std::shared_ptr<const report>>> caller(1);
  std::future<std::shared_ptr<const report>> answer = caller.front().get_future();
  statistics_.asked(report_cause::socket);
  bool is_taken = false;
  {
    const std::lock_guard lock{mutex_};
    if (stopped_) throw std::logic_error{"the reporter is being destroyed"};
    auto same = std::ranges::find(shaped_, shape, &batch::shape);
    if (shape && same == shaped_.end() && shaped_.size() < most_shapes) {
      shaped_.splice(shaped_.end(), added);
      same = std::prev(shaped_.end());
    }
    is_taken = !shape || same != shaped_.end();
    if (is_taken) {
      batch& asked = shape ? *same : waiting_;
      asked.add(std::move(cause), report_cause::socket);
      asked.sockets.splice(asked.sockets.end(), caller);
    }
  }
  if (!is_taken) throw std::logic_error{"reports of too many different forms are waited for"};
  os::ring_bell();
  return answer;
}

bool report_queue::is_here() const noexcept {
  return is_on_loop_ ? thread_.is_here() : strand_->running_in_this_thread();
}

bool report_queue::is_due(clock::time_point now) const noexcept {
  return stopped_ || !waiting_.callers.empty() || waiting_.is_fatal() || now >= not_before_;
}

std::optional<duty::clock::time_point> report_queue::attend(clock::time_point now) {
  std::unique_lock lock{mutex_};
  const bool is_lost = is_on_loop_ && thread_.loop().is_lost();
  if (is_lost) posted_ = false;  // what was posted there never runs
  if (running_ || posted_ || !maker_) return std::nullopt;
  if (!is_waited_for()) {
    if (!rest_at_ || now < *rest_at_) return rest_at_;
    lock.unlock();
    rest();
    return attend(clock::now());
  }
  if (!is_due(now)) return not_before_;
  posted_ = strand_.has_value() && !is_lost;
  const bool post = posted_;
  lock.unlock();
  if (!post) {
    run();
    return attend(clock::now());
  }
  try {
    boost::asio::post(*strand_, [self = shared_from_this()] { self->run(); });
  } catch (...) {
    lock.lock();
    posted_ = false;
    throw;
  }
  return std::nullopt;
}

void report_queue::run() noexcept {
  std::unique_lock lock{mutex_};
  posted_ = false;
  if (!is_waited_for() || running_ || !maker_) return;
  std::list<batch> taken;  // freed without the lock
  batch asked = take_next(taken);
  running_ = true;
  lock.unlock();
  progress_.came_on();
  const clock::time_point start = clock::now();
  std::optional<report> made = answer(asked);
  const bool failed = !made || delivery_failed_;
  const clock::time_point end = clock::now();
  statistics_.ended(asked.kinds, failed, end - start);
  if (made) asked.give(std::move(*made));  // who has it finds it counted
  progress_.requests_answered(asked.to_sink);
  progress_.came_on();
  lock.lock();
  if (failed) waiting_.refused += asked.refused;  // for the next, as nobody was told
  running_ = false;
  not_before_ = end + std::clamp<clock::duration>(end - start, shortest_pause, longest_pause);
  rest_at_ = end + rest_after_;
  idle_.notify_all();
  lock.unlock();
  if (!is_on_loop_ || asked.is_fatal()) os::ring_bell();
}

// In turns, so that nobody waits for ever; who does without the pause goes first.
report_queue::batch report_queue::take_next(std::list<batch>& taken) noexcept {
  const bool is_urgent = !waiting_.callers.empty() || waiting_.is_fatal();
  has_made_usual_ = waiting_.count != 0 && (is_urgent || shaped_.empty() || !has_made_usual_);
  if (has_made_usual_) return std::exchange(waiting_, {});
  taken.splice(taken.begin(), shaped_, shaped_.begin());
  return std::move(taken.front());
}

// On the thread, and not on the executor, which may never run again.
void report_queue::rest() noexcept {
  std::unique_lock lock{mutex_};
  rest_at_.reset();
  if (running_ || stopped_ || is_waited_for() || !maker_) return;
  running_ = true;  // the maker must not go meanwhile, nor make a report
  lock.unlock();
  maker_->rest();
  lock.lock();
  running_ = false;
  idle_.notify_all();
}

// A promise without an answer breaks when the batch is gone: its caller gets an exception.
void report_queue::batch::give(report&& made) noexcept try {
  os::hand_over();
  const os::unwatched_accesses answers;
  for (std::promise<report>& caller : callers)
    caller.set_value(made);
  callers.clear();  // frees what their threads have taken the report from, unless they do
  if (sockets.empty()) return;
  const auto shared = std::make_shared<const report>(std::move(made));
  for (auto& caller : sockets)
    caller.set_value(shared);
} catch (const std::exception& error) {
  sinks::say("a report was made, and not returned:", error.what());
}

// The report, delivered, where one could be made.
std::optional<report> report_queue::answer(const batch& asked) noexcept {
  delivery_failed_ = false;
  try {
    report_request request{.cause = asked.cause(),
                           .number = progress_.made() + 1,
                           .coalesced = asked.count,
                           .refused = asked.refused,
                           .shape = asked.shape};
    if (asked.is_fatal()) request.fatal_deadline = fatal_deadline_;
    report made = maker_->make(request);
    progress_.report_made();
    if (asked.to_sink != 0) to_sink_(made);
    return made;
  } catch (const std::exception& error) {
    sinks::say("no report could be made:", error.what());
  } catch (...) {
    sinks::say("no report could be made");
  }
  return std::nullopt;
}

// What is dropped is destroyed without the lock.
void report_queue::stop(bool also_waiting) noexcept {
  batch dropped;
  std::list<batch> dropped_shaped;
  std::unique_lock lock{mutex_};
  stopped_ = true;
  if (!also_waiting) {
    dropped = std::exchange(waiting_, {});
    dropped_shaped.splice(dropped_shaped.end(), shaped_);
  }
  progress_.requests_answered(dropped.to_sink);
  const bool ourselves = is_here();
  os::ring_bell();
  idle_.wait(lock, [&] { return ourselves || (!running_ && !is_waited_for()); });
}

void report_queue::release_maker() noexcept {
  std::unique_ptr<report_maker> released;
  const std::lock_guard lock{mutex_};
  released = std::move(maker_);
}

}  // namespace gmr
