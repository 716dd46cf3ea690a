#include "connections.hpp"

#include <iterator>
#include <utility>

namespace queue_server {

namespace {

constexpr std::size_t longest_request_line = 120;

std::string address_of(const std::string& peer) {
  return peer.substr(0, peer.rfind(':'));
}

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
  crowded_ = other.crowded_;
  return *this;
}

void connections::entry::leave() noexcept {
  if (!record_) return;
  std::list<item> gone;  // destroyed after the lock is
  {
    const std::lock_guard lock(record_->owner->mutex_);
    record_->owner->count_out(*shown_, crowded_);
    gone.splice(gone.begin(), record_->owner->items_, record_->place);
  }
  record_.reset();
}

bool connections::has_room(const std::string& protocol, const std::string& address) const {
  const auto count = [](const auto& counts, const std::string& key) {
    const auto found = counts.find(key);
    return found == counts.end() ? std::size_t{0} : found->second;
  };
  const auto own = limits_.per_protocol.find(protocol);
  return items_.size() - crowded_ < limits_.most &&
         (own == limits_.per_protocol.end() || count(by_protocol_, protocol) < own->second) &&
         (limits_.per_address == 0 || count(by_address_, address) < limits_.per_address);
}

void connections::count_in(const connection& added, bool crowded) {
  if (crowded) {
    ++crowded_;
    return;
  }
  ++by_protocol_[added.protocol()];
  if (limits_.per_address > 0) ++by_address_[address_of(added.peer())];
}

void connections::count_out(const connection& gone, bool crowded) noexcept {
  if (crowded) {
    --crowded_;
    return;
  }
  --by_protocol_.find(gone.protocol())->second;
  if (limits_.per_address == 0) return;
  const auto address = by_address_.find(address_of(gone.peer()));
  if (--address->second == 0) by_address_.erase(address);
}

connections::entry connections::add(std::string peer, std::string protocol,
                                    std::function<void()> stop) {
  entry added;
  auto shown = std::make_shared<connection>(std::move(peer), std::move(protocol));
  const std::string address = address_of(shown->peer());
  const std::lock_guard lock(mutex_);
  const bool crowded = !has_room(shown->protocol(), address);
  const bool kept = shown->protocol() == "http" && crowded_ < places_for_health;
  if (stopping_ || (crowded && !kept)) {
    ++refused_;
    return added;
  }
  count_in(*shown, crowded);
  items_.push_back({shown, std::move(stop)});
  added.crowded_ = crowded;
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
