// One writer of reports at a time.
#pragma once

#include <chrono>

namespace gmr::sinks {

// Excludes the threads of this process, and the processes that were forked from it after the
// library was initialised, as the workers of a server are: they share its standard error. The lock
// is in memory that they share and not on the file, whose locks are the service's own. Of a process
// that died with the lock it is taken over. Where there was no memory to share, each process has a
// lock for itself.
class write_lock final {
 public:
  // Waits until `deadline` at most.
  explicit write_lock(std::chrono::steady_clock::time_point deadline) noexcept;
  ~write_lock();
  write_lock(const write_lock&) = delete;
  write_lock& operator=(const write_lock&) = delete;

  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  bool held_ = false;
};

}  // namespace gmr::sinks
