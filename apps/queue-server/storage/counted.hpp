// What was counted last, for those who must not wait for the storage. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "storage/engine/values.hpp"

namespace queue_server {

class last_census final {
 public:
  struct counted {
    census found;
    std::chrono::steady_clock::time_point began;
  };

  // Of counts that have ended, well or not.
  [[nodiscard]] std::uint64_t ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }
  // Null: it could not be counted, and what was before stays.
  void end(std::shared_ptr<const counted> found) {
    {
      const std::lock_guard lock(mutex_);
      if (found) latest_ = std::move(found);
      ++ended_;
    }
    changed_.notify_all();
  }

  // Null: there was none yet.
  [[nodiscard]] std::shared_ptr<const counted> latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }
  // The latest once more than `seen` have ended, or `patience` has.
  [[nodiscard]] std::shared_ptr<const counted> next(std::uint64_t seen,
                                                    std::chrono::milliseconds patience) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this, seen] { return ended_ > seen; });
    return latest_;
  }

 private:
  mutable std::mutex mutex_;  // held for a copy of a pointer
  mutable std::condition_variable changed_;
  std::shared_ptr<const counted> latest_;
  std::uint64_t ended_ = 0;
};

}  // namespace queue_server
