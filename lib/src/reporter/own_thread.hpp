// The reporter's own thread, "gmr-reporter", and its io_context.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <vector>

namespace gmr {

// Signals that others send are blocked on the thread, so that the service's handlers never run on
// it; `open_signals` (the reporter's own) are not. Threads started from it inherit that.
class own_thread final {
 public:
  explicit own_thread(const std::vector<int>& open_signals);  // -1 is none
  ~own_thread();  // finishes what runs, drops what waits
  own_thread(const own_thread&) = delete;
  own_thread& operator=(const own_thread&) = delete;

  [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }

 private:
  void run() noexcept;

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{
      context_.get_executor()};
  std::thread thread_;
};

}  // namespace gmr
