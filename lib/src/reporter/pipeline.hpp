// The way of a report: capture -> unwind -> symbolize -> analyse -> section, one after the other.
// The outline, view and sink follow in reporter.cpp.
#pragma once

#include <memory>

#include "facts/facts.hpp"
#include "reporter/known_configuration.hpp"
#include "reporter/recent_log.hpp"
#include "reporter/report_maker.hpp"
#include "section/sections.hpp"

namespace gmr {

class pipeline final : public report_maker {
 public:
  // Takes the capture signal until destroyed; throws std::system_error when it can't be had.
  // `configuration`, `sections` and `log` must outlive the pipeline; a null `log` is none.
  // `program`: whether it was built together with this library.
  pipeline(package software, const settings& set, const known_configuration& configuration,
           sections::section_registry& sections,
           facts::built_program program = facts::built_program::with_library,
           const recent_log* log = nullptr);
  ~pipeline() override;

  [[nodiscard]] report make(const report_request& request) override;
  void rest() noexcept override;

  [[nodiscard]] int capture_signal() const noexcept;  // -1: none

 private:
  class stages;
  std::unique_ptr<stages> stages_;
};

}  // namespace gmr
