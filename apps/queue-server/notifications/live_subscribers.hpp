// WebSocket clients that subscribed themselves: how they are found when something was posted.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "notifications/posted.hpp"

namespace queue_server {

// Any thread.
class live_subscribers final {
 public:
  // Must return at once. Null: there was something, and there is no memory for it.
  using receiver = std::function<void(std::shared_ptr<const posted>)>;

  void add(const std::string& address, receiver told) {
    const std::lock_guard lock(mutex_);
    used_ = true;
    receivers_.insert_or_assign(address, std::make_shared<const receiver>(std::move(told)));
  }
  // False: the server stops, and forgets them all by itself.
  bool remove(const std::string& address) noexcept {
    const std::lock_guard lock(mutex_);
    receivers_.erase(address);
    return !closed_;
  }
  void close() noexcept {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // There has been one.
  [[nodiscard]] bool used() const noexcept {
    const std::lock_guard lock(mutex_);
    return used_;
  }
  // False: there is none.
  bool tell(const std::string& address, std::shared_ptr<const posted> what) const {
    std::shared_ptr<const receiver> found;
    {
      const std::lock_guard lock(mutex_);
      const auto place = receivers_.find(address);
      if (place == receivers_.end()) return false;
      found = place->second;
    }
    (*found)(std::move(what));
    return true;
  }

 private:
  mutable std::mutex mutex_;
  bool closed_ = false;
  bool used_ = false;
  std::unordered_map<std::string, std::shared_ptr<const receiver>> receivers_;
};

}  // namespace queue_server
