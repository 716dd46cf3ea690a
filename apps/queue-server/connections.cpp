#include "connections.hpp"

#include <iterator>
#include <utility>

namespace queue_server {

namespace {

constexpr std::size_t longest_request_line = 120;

}  // namespace

struct connections::entry::record {
  connections* owner;
  std::list<item>::iterator place;
};

void connection::now(const char* doing, std::string_view request) {
  {
    const std::lock_guard lock(mutex_);
    request_.assign(request.substr(0, longest_request_line));
  }
  now(doing);
}

std::string connection::request() const {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  return lock ? request_ : std::string();
}

connections::entry::entry() noexcept = default;
connections::entry::entry(entry&& other) noexcept = default;
connections::entry::~entry() {
  leave();
}

connections::entry& connections::entry::operator=(entry&& other) noexcept {
  leave();
  shown_ = std::move(other.shown_);
  record_ = std::move(other.record_);
  return *this;
}

void connections::entry::leave() noexcept {
  if (!record_) return;
  std::list<item> gone;  // destroyed after the lock is
  {
    const std::lock_guard lock(record_->owner->mutex_);
    gone.splice(gone.begin(), record_->owner->items_, record_->place);
  }
  record_.reset();
}

connections::entry connections::add(std::string peer, std::string protocol,
                                    std::function<void()> stop) {
  entry added;
  auto shown = std::make_shared<connection>(std::move(peer), std::move(protocol));
  const std::lock_guard lock(mutex_);
  if (stopping_ || items_.size() >= most_) {
    ++refused_;
    return added;
  }
  items_.push_back({shown, std::move(stop)});
  added.shown_ = std::move(shown);
  added.record_.reset(new entry::record{this, std::prev(items_.end())});
  return added;
}

void connections::stop_all() {
  std::vector<std::function<void()>> stops;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (item& each : items_) {
      if (each.stop) stops.push_back(std::exchange(each.stop, nullptr));
    }
  }
  for (const auto& stop : stops)
    stop();
}

std::size_t connections::count() const {
  const std::lock_guard lock(mutex_);
  return items_.size();
}

connections::listing connections::list(std::size_t limit,
                                       std::chrono::milliseconds patience) const {
  listing found;
  // By the system's clock: ThreadSanitizer does not know the lock by the steady one.
  const std::unique_lock lock(mutex_, std::chrono::system_clock::now() + patience);
  if (!lock) return found;
  found.complete = true;
  found.total = items_.size();
  for (const item& each : items_) {
    if (found.shown.size() == limit) break;
    found.shown.push_back(each.shown);
  }
  return found;
}

}  // namespace queue_server
