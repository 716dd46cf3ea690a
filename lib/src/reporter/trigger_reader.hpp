// Passes on what a trigger asks for.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "trigger/triggers.hpp"

namespace gmr {

// A duty of the reporter's thread.
class trigger_reader final : public duty {
 public:
  using request_report = std::function<void(const std::string& cause)>;

  trigger_reader(std::shared_ptr<triggers::trigger> from, request_report request);
  ~trigger_reader() override { stop(); }
  trigger_reader(const trigger_reader&) = delete;
  trigger_reader& operator=(const trigger_reader&) = delete;

  [[nodiscard]] std::optional<clock::time_point> attend(clock::time_point now) override;

  // Nothing is passed on once it has returned. Safe to call from any thread; not by what is called
  // with a request.
  void stop() noexcept;

 private:
  const std::shared_ptr<triggers::trigger> from_;
  const request_report request_;
  std::mutex mutex_;
  bool stopped_ = false;
  std::uint64_t requests_ = 0;  // that were taken and not passed on yet: that may throw
};

}  // namespace gmr
