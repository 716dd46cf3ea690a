// Which thread runs which green thread: what scheduler and kernel know of each other.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <unordered_map>

#include "capture/green_threads.hpp"
#include "gmr/model/threads.hpp"

namespace gmr::analyse {

// One object a report. Not synchronised.
class running_green_threads final {
 public:
  void take(std::span<const capture::captured_green_thread> batch);
  // Says it of the threads of which it is not known.
  void tell(std::span<thread_info> threads) const;

 private:
  std::unordered_map<pid_t, std::uint64_t> by_thread_;
};

}  // namespace gmr::analyse
