#include "reporter/trigger_reader.hpp"

#include <utility>

#include "sink/sink.hpp"

namespace gmr {

trigger_reader::trigger_reader(std::shared_ptr<triggers::trigger> from, request_report request)
    : from_(std::move(from)), request_(std::move(request)) {}

std::optional<duty::clock::time_point> trigger_reader::attend(clock::time_point now) {
  const std::lock_guard lock{mutex_};
  if (stopped_) return std::nullopt;
  const std::optional<clock::time_point> next = from_->attend(now);
  if (const std::string message = from_->take_message(); !message.empty()) sinks::say(message);
  for (requests_ += from_->take_requests(); requests_ != 0; --requests_)
    request_(from_->cause());
  return next;
}

void trigger_reader::stop() noexcept {
  const std::lock_guard lock{mutex_};
  stopped_ = true;
  from_->stop();
}

}  // namespace gmr
