// How many reports nobody asked for are made in a minute.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace gmr {

// Not synchronised. After the constructor nothing is allocated.
class report_limiter final {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::size_t most_per_minute = 1000;

  // At most so many in any minute; 0: no limit.
  explicit report_limiter(std::size_t per_minute) : admitted_(per_minute) {}

  // Whether one more may be made now; counts it then.
  [[nodiscard]] bool admit(clock::time_point now) noexcept {
    if (admitted_.empty()) return true;
    clock::time_point& oldest = admitted_[next_];
    if (used_ == admitted_.size() && now - oldest < std::chrono::minutes{1}) return false;
    oldest = now;
    next_ = (next_ + 1) % admitted_.size();
    if (used_ < admitted_.size()) ++used_;
    return true;
  }

 private:
  std::vector<clock::time_point> admitted_;  // the last ones, a ring
  std::size_t next_ = 0;                     // the oldest, once all are used
  std::size_t used_ = 0;
};

}  // namespace gmr
