// The stages of a report one after the other:
// capture -> unwind -> symbolize -> analyse -> section. View and sink follow in the report queue.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gmr/section/options.hpp"
#include "reporter/report_maker.hpp"
#include "section/sections.hpp"

namespace gmr {

// What the service told about its options; grows while it starts. Safe to use from any thread.
class known_configuration final {
 public:
  void add(std::vector<option_entry> options, std::vector<std::string> secrets);
  [[nodiscard]] std::vector<option_entry> options() const;
  [[nodiscard]] std::vector<std::string> secrets() const;

 private:
  mutable std::mutex mutex_;
  std::vector<option_entry> options_;
  std::vector<std::string> secrets_;  // names of options whose values are never shown
};

class pipeline final : public report_maker {
 public:
  // Takes the capture signal until destroyed; throws std::system_error when it can't be had.
  // `configuration` and `sections` must outlive the pipeline.
  pipeline(package software, const settings& set, const known_configuration& configuration,
           sections::section_registry& sections);
  ~pipeline() override;

  [[nodiscard]] report make(const report_request& request) override;
  void rest() noexcept override;

  [[nodiscard]] int capture_signal() const noexcept;  // -1: none

 private:
  class stages;
  std::unique_ptr<stages> stages_;
};

}  // namespace gmr
