// Keeps the signals that writing can raise away from the service.
#pragma once

#include <csignal>

namespace gmr::sinks {

// Blocks SIGPIPE (nobody reads any more), SIGXFSZ (the file is as large as it may be) and SIGTTOU
// (a terminal that stops background writers) on this thread; those raised meanwhile are gone when
// it ends, those that were pending before stay so.
class write_signals final {
 public:
  write_signals() noexcept;
  ~write_signals();
  write_signals(const write_signals&) = delete;
  write_signals& operator=(const write_signals&) = delete;

 private:
  sigset_t before_;
  sigset_t to_drain_;
};

}  // namespace gmr::sinks
