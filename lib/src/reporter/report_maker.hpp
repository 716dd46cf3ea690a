// What makes one report; the reporter decides when.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "gmr/model/report.hpp"
#include "outline/shape.hpp"

namespace gmr {

struct report_request {
  std::string cause;
  std::uint64_t number = 0;
  std::uint64_t coalesced = 1;
  std::uint64_t refused = 0;  // automatic ones, since the last report
  // Of a fatal error that a thread waits with: how long the report may take.
  std::optional<std::chrono::milliseconds> fatal_deadline = {};
  // As who asks wants it; none: as the options say.
  std::optional<report_shape> shape = {};
};

// Not synchronised: one report at a time. Nothing that happens while a report is made is an
// exception to the caller, short of there being no memory.
class report_maker {
 public:
  virtual ~report_maker() = default;
  [[nodiscard]] virtual report make(const report_request& request) = 0;
  // No report was asked for in a while: time to give back memory that only the next needs.
  virtual void rest() noexcept {}
};

}  // namespace gmr
