// Whom the server asks.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <string>

#include "gmr/model/counters.hpp"
#include "gmr/model/report.hpp"
#include "outline/shape.hpp"

namespace gmr::sockets {

// Safe to use from any thread.
class report_source {
 public:
  virtual ~report_source() = default;
  // Asks for a report and returns at once. The future throws where none can be made. None as shape:
  // as the options say. Throws where no report is made any more.
  [[nodiscard]] virtual std::future<std::shared_ptr<const report>> ask(
      std::string cause, std::optional<report_shape> shape) = 0;
  [[nodiscard]] virtual report_counters counters() const noexcept = 0;
};

}  // namespace gmr::sockets
