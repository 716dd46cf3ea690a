// What the reporter's thread sees to: see reporter/own_thread.hpp.
#pragma once

#include <chrono>
#include <optional>

namespace gmr {

class duty {
 public:
  using clock = std::chrono::steady_clock;

  virtual ~duty() = default;
  // Called on the thread whenever the bell has rung, and at the time that it returned last. Says
  // when it wants to be called at the latest; nothing: when the bell rings. Where it throws (there
  // is no memory), it is called again after 100 ms.
  [[nodiscard]] virtual std::optional<clock::time_point> attend(clock::time_point now) = 0;
};

}  // namespace gmr
