#include "reporter/report_queue.hpp"

#include <algorithm>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <stdexcept>
#include <utility>

#include "sink/sink.hpp"

namespace gmr {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::size_t most_causes = 4;

}  // namespace

void report_queue::batch::add(std::string cause) {
  ++count;
  if (std::find(causes.begin(), causes.end(), cause) != causes.end()) return;
  if (causes.size() < most_causes) {
    causes.push_back(std::move(cause));
  } else {
    has_others = true;
  }
}

std::string report_queue::batch::cause() const {
  std::string out;
  for (const std::string& each : causes)
    out.append(out.empty() ? "" : ", ").append(each);
  if (has_others) out += " and others";
  return out;
}

report_queue::report_queue(strand where, std::unique_ptr<report_maker> maker, deliver to_sink,
                           std::chrono::milliseconds rest_after)
    : strand_(std::move(where)),
      maker_(std::move(maker)),
      to_sink_(std::move(to_sink)),
      pause_(strand_),
      rest_after_(rest_after),
      rest_(strand_) {}

void report_queue::request(std::string cause) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return;
  waiting_.add(std::move(cause));
  waiting_.to_sink = true;
  schedule(false);
}

std::future<report> report_queue::make(std::string cause) {
  const std::lock_guard lock{mutex_};
  if (stopped_) throw std::logic_error{"the reporter is being destroyed"};
  waiting_.add(std::move(cause));
  std::future<report> answer = waiting_.callers.emplace_back().get_future();
  schedule(true);
  return answer;
}

// A run that finds nothing to do returns at once, so posting one too many is harmless.
void report_queue::schedule(bool at_once) {
  if (running_ || (scheduled_ && !at_once)) return;
  if (at_once || clock::now() >= not_before_) {
    boost::asio::post(strand_, [self = shared_from_this()] { self->run(); });
  } else {
    pause_.expires_at(not_before_);
    pause_.async_wait(boost::asio::bind_executor(
        strand_, [self = shared_from_this()](const boost::system::error_code& error) {
          if (!error) self->run();
        }));
  }
  scheduled_ = true;  // only now: without memory the next request must try again
}

void report_queue::run() noexcept {
  std::unique_lock lock{mutex_};
  if (waiting_.count == 0 || running_ || !maker_) return;
  batch asked = std::exchange(waiting_, {});
  scheduled_ = false;
  running_ = true;
  lock.unlock();
  const clock::time_point start = clock::now();
  answer(asked);
  const clock::time_point end = clock::now();
  lock.lock();
  running_ = false;
  not_before_ = end + std::clamp<clock::duration>(end - start, shortest_pause, longest_pause);
  go_on();
}

void report_queue::go_on() noexcept {
  try {
    if (waiting_.count != 0)
      schedule(stopped_ || !waiting_.callers.empty());
    else if (!stopped_)
      rest_later();
  } catch (...) {  // no memory to go on with: whoever waits must not wait for ever
    waiting_ = {};
  }
  idle_.notify_all();
}

void report_queue::rest_later() {
  rest_.expires_after(rest_after_);
  rest_.async_wait(boost::asio::bind_executor(
      strand_, [weak = weak_from_this()](const boost::system::error_code& error) {
        if (const auto self = weak.lock(); self && !error) self->rest();
      }));
}

void report_queue::rest() noexcept {
  std::unique_lock lock{mutex_};
  if (running_ || stopped_ || waiting_.count != 0 || !maker_) return;
  running_ = true;  // the maker must not go meanwhile
  lock.unlock();
  maker_->rest();
  lock.lock();
  running_ = false;
  if (waiting_.count != 0) go_on();
  idle_.notify_all();
}

void report_queue::answer(batch& asked) noexcept {
  try {
    const report made =
        maker_->make({.cause = asked.cause(), .number = made_ + 1, .coalesced = asked.count});
    ++made_;
    if (asked.to_sink) to_sink_(made);
    for (std::promise<report>& caller : asked.callers)
      caller.set_value(made);
  } catch (const std::exception& error) {
    sinks::say("no report could be made:", error.what());
  } catch (...) {
    sinks::say("no report could be made");
  }
  // A promise without an answer breaks when the batch is gone: its caller gets an exception.
}

void report_queue::stop(bool also_waiting) noexcept {
  std::unique_lock lock{mutex_};
  stopped_ = true;
  if (!also_waiting) waiting_ = {};
  try {
    if (waiting_.count != 0) schedule(true);
  } catch (...) {
    waiting_ = {};
  }
  const bool ourselves = on_strand();
  idle_.wait(lock, [&] { return ourselves || (!running_ && waiting_.count == 0); });
  maker_.reset();
  pause_.cancel();
  rest_.cancel();
}

}  // namespace gmr
