#include "progress.hpp"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <utility>

namespace gmr_command {

progress::progress(std::string what) {
  if (::isatty(STDERR_FILENO) != 1) return;
  thread_ = std::thread{[this, text = std::move(what)] {
    std::unique_lock lock{mutex_};
    if (ended_.wait_for(lock, std::chrono::seconds{1}, [this] { return is_over_; })) return;
    std::cerr << "gmr: " + text + " ...\n";
  }};
}

progress::~progress() {
  {
    const std::lock_guard lock{mutex_};
    is_over_ = true;
  }
  ended_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace gmr_command
