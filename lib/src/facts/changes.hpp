// What has changed between two reports.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "gmr/model/report.hpp"

namespace gmr::facts {

// Remembers what the last report said. Not synchronised.
class change_reader final {
 public:
  // The difference to the report before; nothing for the first. `complete` has its threads, green
  // threads and Process section: what that does not know has no difference.
  [[nodiscard]] std::optional<report_changes> read(const report& complete);

 private:
  struct sample {
    std::uint64_t number = 0;
    std::chrono::steady_clock::time_point when;
    std::optional<double> cpu_seconds;
    std::optional<double> resident_bytes;
    std::optional<double> open_descriptors;
    double threads = 0;
    double green_threads = 0;
    double green_thread_groups = 0;
  };

  std::optional<sample> last_;
};

}  // namespace gmr::facts
