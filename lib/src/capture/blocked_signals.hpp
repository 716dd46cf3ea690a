// The signals of the service go to its own threads, not to those that the library makes.
#pragma once

#include <csignal>
#include <initializer_list>

namespace gmr::capture {

// While it lives, the calling thread blocks every signal that others send but `open` (0 and below:
// none); a thread made meanwhile is born with that. Those of faults stay open: to block them would
// not stop the kernel from ending the process.
class blocked_signals final {
 public:
  explicit blocked_signals(std::initializer_list<int> open = {}) noexcept;
  ~blocked_signals();
  blocked_signals(const blocked_signals&) = delete;
  blocked_signals& operator=(const blocked_signals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace gmr::capture
