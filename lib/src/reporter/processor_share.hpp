// How much of a processor the calling thread gets beside others.
#pragma once

#include <chrono>

#include "os/task_files.hpp"

namespace gmr {

// What ends a report (conclusions, sections, writing it out) takes some milliseconds of a
// processor, and many times as long where hundreds of threads want it. So much is kept of the time
// for a report. Used by one thread.
class processor_share final {
 public:
  // Before what it is to be judged by.
  void begin();
  // How long before the end of a report its slow parts have to end; not more than a third of `all`.
  [[nodiscard]] std::chrono::nanoseconds time_to_end(std::chrono::nanoseconds all);

 private:
  struct times {
    std::chrono::nanoseconds used{};     // of a processor
    std::chrono::nanoseconds waiting{};  // for one
  };
  [[nodiscard]] times now();

  os::task_files files_;
  times begin_;
};

}  // namespace gmr
